import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import type { Config } from '../config/types.ts';
import { ConfigError, WeighbridgeError } from '../core/errors.ts';
import { type Lock, lockDifferences, lockOf, readLock } from '../plan/lock.ts';
import type { Plan } from '../plan/types.ts';
import type { AdHocOptions, CommonOptions } from './options.ts';
import { writeOutput } from './output-file.ts';

const NAME = 'weighbridge.lock';
const HEAD = `# What the plan of models.yaml rested on: \`weighbridge plan --lock\` writes it anew. Commit it, and use --frozen in CI.
`;

/**
 * Holds a plan against the lock beside the file, and writes the lock where that is asked for. Gives what differs, a
 * sentence each; with `--frozen` it throws instead.
 */
export async function heedLock(
  config: Config,
  plan: Plan,
  options: CommonOptions & AdHocOptions,
): Promise<readonly string[]> {
  // A model of the command line has no file that a lock could lie beside.
  const file = options.id === undefined ? path.join(path.dirname(config.file), NAME) : undefined;
  if (file === undefined) return [];
  const isWhole = options.model === undefined && options.shard === undefined;
  const before = await read(file);
  if (options.lock) {
    await writeOutput(file, HEAD + stringify(lockOf(plan, before, isWhole), { lineWidth: 0 }));
    return [];
  }
  if (before === undefined) {
    if (options.frozen) throw missing(file);
    return [];
  }
  const differences = lockDifferences(before, plan, isWhole);
  if (options.frozen && differences.length > 0) throw differs(file, differences);
  return differences.map(difference => `${NAME} says otherwise: ${difference}`);
}

/** Returns the lock beside the file, undefined if there is none. Throws ConfigError CONFIG_UNREADABLE. */
export async function lockOfFile(config: Config): Promise<Lock | undefined> {
  return await read(path.join(path.dirname(config.file), NAME));
}

async function read(file: string): Promise<Lock | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(file, cause);
  }
  try {
    const lock = readLock(parse(text));
    if (lock !== undefined) return lock;
  } catch (cause) {
    throw unreadable(file, cause);
  }
  throw unreadable(file, undefined);
}

function unreadable(file: string, cause: unknown): ConfigError {
  return new ConfigError(`${file} cannot be read, or is no lock of this version`, {
    code: 'CONFIG_UNREADABLE',
    subject: file,
    remedy: 'Take it away, look at the plan, and write it anew with: weighbridge plan --lock.',
    cause,
  });
}

function missing(file: string): ConfigError {
  return new ConfigError(`--frozen needs ${file}, which is not there`, {
    code: 'USAGE',
    subject: file,
    remedy: 'Write it with: weighbridge plan --lock.',
  });
}

function differs(file: string, differences: readonly string[]): WeighbridgeError {
  return new WeighbridgeError(
    `the plan is not what ${file} says:\n${differences.map(one => `  - ${one}`).join('\n')}`,
    {
      code: 'LOCK_DIFFERS',
      subject: file,
      remedy: 'Nothing was published. Look at what has changed; to take it, run: weighbridge plan --lock.',
    },
  );
}
