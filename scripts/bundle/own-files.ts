// In the bundle in place of src/engine/own-files.ts: the files are inside.
import { packed } from 'weighbridge:packed-files';
import { unpack } from './unpack.ts';

/** As in src/engine/own-files.ts. */
export function readOwnFile(name: string): Buffer {
  const text = packed[name];
  if (text === undefined) throw new Error(`${name} is not part of the bundle`);
  return unpack(text);
}

export function listOwnFiles(folder: string): string[] {
  return Object.keys(packed).filter(name => name.startsWith(folder));
}

export function listOwnFonts(): string[] {
  return listOwnFiles('fonts/');
}
