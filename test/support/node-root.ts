import { copyFile, mkdir, realpath, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runOk } from './tools.ts';

/** Puts the libraries that a program needs where it looks for them, and nothing else; a folder for temporary files. */
export async function makeLibraryRoot(folder: string, program: string): Promise<void> {
  const libraries = [...(await runOk('ldd', [program])).matchAll(/(\/\S+) \(0x/g)].map(
    ([, file = '']) => file,
  );
  for (const library of libraries) {
    await mkdir(path.join(folder, path.dirname(library)), { recursive: true });
    await copyFile(await realpath(library), path.join(folder, library));
  }
  await mkdir(path.join(folder, 'tmp'), { mode: 0o1777 });
  await mkdir(path.join(folder, 'etc'));
  await writeFile(path.join(folder, 'etc/hosts'), '127.0.0.1 localhost\n');
}

/** A root folder for chroot with Node.js as `/node`. */
export async function makeNodeRoot(folder: string, node: string): Promise<void> {
  await makeLibraryRoot(folder, node);
  await copyFile(await realpath(node), path.join(folder, 'node'));
}
