import path from 'node:path';
import { parse, stringify } from 'yaml';
import type { Config, ModelConfig } from '../config/types.ts';
import type { Digest } from '../core/digest.ts';
import { ConfigError, isAbort, WeighbridgeError } from '../core/errors.ts';
import { mapPool } from '../core/pool.ts';
import { readSmallFile } from '../core/small-file.ts';
import { parseReference } from '../oci/reference.ts';
import { type FindBaseDigest, type Lock, lockOf, readLock } from '../plan/lock/lock.ts';
import type { Plan } from '../plan/types.ts';
import { writeOutput } from './output-file.ts';
import type { Session } from './session.ts';

const LOCK_NAME = 'weighbridge.lock';
const HEAD = `# What each model is published from. \`weighbridge plan --lock\` adds models, \`weighbridge update\` moves them: commit this file.
`;
const BASES_AT_ONCE = 8;
/** A line of each file of ten thousand models is less. */
const MAX_LOCK_BYTES = 256 * 1024 ** 2;
const CONFLICT = /^(?:<{7}|={7}|>{7})(?: |$)/m;

/** Returns where the lock of a file is: beside it. */
export function lockPath(config: Config): string {
  return path.join(path.dirname(config.file), LOCK_NAME);
}

/** Returns the lock beside the file, undefined if there is none. Throws ConfigError CONFIG_UNREADABLE. */
export async function lockOfFile(config: Config): Promise<Lock | undefined> {
  const file = lockPath(config);
  let text: string;
  try {
    text = (await readSmallFile(file, { maxBytes: MAX_LOCK_BYTES })).toString('utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(file, 'it cannot be read', cause);
  }
  return parseLock(text, file);
}

/** Returns the lock in a text; `file` is for the error. Throws ConfigError CONFIG_UNREADABLE. */
export function parseLock(text: string, file: string): Lock {
  if (CONFLICT.test(text)) throw unreadable(file, 'it has a merge conflict in it', undefined);
  let data: unknown;
  try {
    // Of its warnings Node would print the text.
    data = parse(text, { logLevel: 'error' });
  } catch (cause) {
    throw unreadable(file, 'it is not YAML', cause);
  }
  const lock = readLock(data);
  if (typeof lock === 'string') throw unreadable(file, lock, undefined);
  return lock;
}

/** Writes the lock of a plan, and returns it. Throws WeighbridgeError STORE_IO. */
export async function writeLock(
  session: Session,
  config: Config,
  plan: Plan,
  options: { readonly before: Lock | undefined; readonly isWhole: boolean },
): Promise<Lock> {
  const baseDigest = await readBaseDigests(
    session,
    plan.models.flatMap(entry => (entry.kind === 'planned' && !entry.pin?.baseDigest ? [entry.model] : [])),
  );
  const lock = lockOf(plan, options.before, { isWhole: options.isWhole, baseDigest });
  await saveLock(config, lock);
  return lock;
}

/** Writes the lock beside the file. Throws ConfigError USAGE if it cannot be written. */
export async function saveLock(config: Config, lock: Lock): Promise<void> {
  await writeOutput(lockPath(config), HEAD + stringify(lock, { lineWidth: 0 }));
}

/**
 * Asks each base image's registry once which digest its tag has. Returns a lookup by base image; one that cannot be
 * read is reported and stays unpinned.
 */
export async function readBaseDigests(
  session: Session,
  models: readonly ModelConfig[],
): Promise<FindBaseDigest> {
  const images = [...new Set(models.map(({ baseImage }) => baseImage))];
  const digests = new Map<string, Digest>();
  await mapPool(images, BASES_AT_ONCE, async image => {
    const { registry, repository, tag, digest } = parseReference(image);
    try {
      const store = session.services.openRepository(`${registry}/${repository}`, 'pull');
      const found = digest ?? (await store.resolveTag(tag ?? 'latest', session.signal));
      if (found !== undefined) digests.set(image, found);
      else session.note(`${image} does not exist, so the lock does not pin it`);
    } catch (error) {
      if (isAbort(error) || !(error instanceof WeighbridgeError)) throw error;
      session.note(`${image} could not be looked up, so the lock does not pin it: ${error.message}`);
    }
  });
  return ({ baseImage }) => digests.get(baseImage) ?? null;
}

function unreadable(file: string, why: string, cause: unknown): ConfigError {
  return new ConfigError(`${file} cannot be used: ${why}`, {
    code: 'CONFIG_UNREADABLE',
    subject: file,
    remedy:
      'Restore it from version control, or delete it, review the plan and write it with: weighbridge plan --lock.',
    cause,
  });
}
