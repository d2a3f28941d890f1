import { mkdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomically } from '../core/atomic-file.ts';
import { describeError, HubError, WeighbridgeError } from '../core/errors.ts';
import { checkContent } from '../layer/check-content.ts';
import type { LayerEntry } from '../layer/recipe.ts';

/** Reads an entry that is a file of the model's repository. */
export type ReadEntry = (entry: LayerEntry) => Promise<Uint8Array>;

/**
 * Writes the tree into `folder`, which stands for the image's `/licenses`. Returns the files written, as paths below
 * `folder`. Each file is checked before it is written and is there whole or not at all; files already there that the
 * tree does not have stay.
 */
export async function writeLicenses(
  folder: string,
  entries: readonly LayerEntry[],
  read: ReadEntry,
): Promise<readonly string[]> {
  const written: string[] = [];
  // All paths first: nothing is written for a tree with a hostile one.
  const files = entries.map(entry => ({ entry, below: pathBelowFolder(entry.path) }));
  const root = await onDisk(folder, async () => {
    await mkdir(folder, { recursive: true });
    return await realpath(folder);
  });
  for (const { entry, below } of files) {
    const bytes = entry.content.kind === 'inline' ? Buffer.from(entry.content.text) : await read(entry);
    checkContent(entry, bytes);
    await onDisk(path.join(folder, below), () => writeWhole(root, below, bytes));
    written.push(below);
  }
  return written;
}

/** `licenses/model/LICENSE` as `model/LICENSE`. */
function pathBelowFolder(entryPath: string): string {
  const [top, ...segments] = entryPath.split('/');
  const isSafe =
    top === 'licenses' &&
    segments.length > 0 &&
    segments.every(segment => !/^\.{0,2}$/.test(segment) && !/[\\:\p{Cc}]/u.test(segment));
  if (!isSafe) throw hostile(entryPath);
  return segments.join('/');
}

async function writeWhole(root: string, below: string, bytes: Uint8Array): Promise<void> {
  const folders = below.split('/');
  const name = folders.pop() ?? '';
  let parent = root;
  for (const folder of folders) {
    parent = path.join(parent, folder);
    await mkdir(parent, { recursive: true });
    // A link that stood there before could lead out of the folder.
    if ((await realpath(parent)) !== parent) throw hostile(below);
  }
  await writeFileAtomically(path.join(parent, name), bytes, { mode: 0o644 });
}

async function onDisk<T>(target: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WeighbridgeError) throw error;
    throw new WeighbridgeError(`cannot write ${target}: ${describeError(error)}`, {
      code: 'STORE_IO',
      subject: target,
      remedy: 'Name a folder that can be written to.',
      cause: error,
    });
  }
}

function hostile(subject: string): HubError {
  return new HubError(`${JSON.stringify(subject)} would be written outside of the folder for licenses`, {
    code: 'HUB_HOSTILE_PATH',
    subject,
    remedy: 'Nothing was written there; look at the repository on the Hub, and at links in the folder.',
  });
}
