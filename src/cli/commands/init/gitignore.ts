import { appendFile, lstat } from 'node:fs/promises';
import path from 'node:path';
import { readSmallFile } from '../../../core/small-file.ts';
import { isSystemError } from '../../../core/system-error.ts';

/** What commands leave in the folder that they run in, by their defaults and the examples of --help. */
const LEFT_BEHIND: readonly (readonly [line: string, command: string])[] = [
  ['/models/', 'run'],
  ['/site/', 'catalog'],
  ['/licenses/', 'licenses'],
  ['/out/', 'build --output oci:out'],
  ['/*.tar', 'build --output docker-archive:<file>.tar'],
];
const MAX_BYTES = 1024 * 1024;

/** Returns the text that makes git ignore what commands leave; empty if `text` ignores all of it. */
export function gitignoreAddition(text: string): string {
  const known = new Set(text.split(/\r?\n/).map(normal));
  const missing = LEFT_BEHIND.filter(([line]) => !known.has(normal(line)));
  if (missing.length === 0) return '';
  const start = text === '' ? '' : text.endsWith('\n') ? '\n' : '\n\n';
  const lines = missing.map(([line, command]) => `# weighbridge ${command}\n${line}\n`);
  return `${start}${lines.join('')}`;
}

/** `models`, `models/` and `/models/` ignore the folder alike. */
function normal(line: string): string {
  return line.trim().replaceAll(/^\/|\/$/g, '');
}

/**
 * Adds what is missing to the folder's `.gitignore`. Returns whether the file is new (`written`), longer (`added`), as it
 * was (`kept`), or a symbolic link (`link`): git reads none there since 2.32, and what it leads to is somebody else's.
 */
export async function writeGitignore(folder: string): Promise<'written' | 'added' | 'kept' | 'link'> {
  const file = path.join(folder, '.gitignore');
  if (await isLink(file)) return 'link';
  const before = await textOf(file);
  const addition = gitignoreAddition(before ?? '');
  if (addition === '') return 'kept';
  await appendFile(file, addition);
  return before === undefined ? 'written' : 'added';
}

async function isLink(file: string): Promise<boolean> {
  try {
    return (await lstat(file)).isSymbolicLink();
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return false;
    throw error;
  }
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return (await readSmallFile(file, { maxBytes: MAX_BYTES })).toString('utf8');
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
