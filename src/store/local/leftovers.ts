import { randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { isAlive, processPlace } from './folder-lock.ts';

/** A file of another machine, which cannot be asked whether its process lives, is left over after this long. */
const OLD_MS = 24 * 3600 * 1000;
const NAME = /^(\d+)-(.*)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Returns a name for a file that is being written, which says whose it is: `<prefix><process>-<place>-<unique><suffix>`. */
export function temporaryName(prefix: string, suffix = ''): string {
  return `${prefix}${process.pid}-${processPlace()}-${randomUUID()}${suffix}`;
}

/** Removes the files and folders of such names in `folder` whose process was killed. Never throws: it is a courtesy. */
export async function removeLeftovers(folder: string, prefix: string, suffix = ''): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const ours = names.filter(name => name.startsWith(prefix) && name.endsWith(suffix));
  await Promise.all(
    ours.map(async name => {
      const file = path.join(folder, name);
      const middle = name.slice(prefix.length, name.length - suffix.length);
      if (await isLeftOver(file, middle))
        await rm(file, { recursive: true, force: true }).catch(() => undefined);
    }),
  );
}

async function isLeftOver(file: string, middle: string): Promise<boolean> {
  const [, pid, place] = NAME.exec(middle) ?? [];
  if (pid !== undefined && place === processPlace()) return !isAlive(Number(pid));
  const isUnique = pid !== undefined || /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(middle);
  const info = isUnique ? await stat(file).catch(() => undefined) : undefined;
  return info !== undefined && (info.isFile() || info.isDirectory()) && Date.now() - info.mtimeMs > OLD_MS;
}
