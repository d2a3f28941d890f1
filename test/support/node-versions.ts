import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { homeFolder } from '../../src/core/home-folder.ts';
import { run, skipFor } from './tools.ts';

/** The versions that `engines` lets in and that are tested: the oldest line, which is the pinned one, and the newest. */
export const NODE_MAJORS = [24, 26] as const;

/**
 * The program of a version of Node.js, from the npm package `node`: installed once, into a folder of its own, because as
 * a dependency it would be 50 MB more for everybody and a second program with the name of the pinned one. Throws, or
 * gives the reason to skip, where it cannot be had.
 */
export async function nodeOf(
  major: number,
): Promise<{ readonly program: string } | { readonly skip: string }> {
  const cache = process.env.XDG_CACHE_HOME || path.join(homeFolder(process.env) ?? '/tmp', '.cache');
  const folder = path.join(cache, 'weighbridge-tests', `node-${major}`);
  const program = path.join(folder, 'node_modules', 'node', 'bin', 'node');
  if (!existsSync(program)) {
    await mkdir(folder, { recursive: true });
    // Its own script links the program of this machine's kind, which is all that it does.
    const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', `node@${major}`];
    const { status, stderr } = await run('npm', args);
    if (status !== 0 || !existsSync(program))
      return { skip: skipFor(`Node.js ${major} could not be installed: ${stderr.trim().slice(-300)}`) };
  }
  return { program };
}
