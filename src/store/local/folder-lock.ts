import { randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { RegistryError } from '../../core/errors.ts';
import { Mutex } from '../../core/pool.ts';
import { readSmallFile } from '../../core/small-file.ts';
import { isSystemError } from '../../core/system-error.ts';
import { pause } from '../../http/retry.ts';

/** The file in a folder that locks it. */
export const LOCK_NAME = '.weighbridge-lock';
/** A lock is held for as long as a small file takes to write: one that stays longer was left by a process that died. */
const STALE_MS = 15_000;
const RETRY_MS = 20;
const GIVE_UP_MS = 120_000;
const MAX_LOCK_BYTES = 4096;

/** Within this process they take turns without asking the disk. */
const turns = new Map<string, Mutex>();

/**
 * Runs `work` while no other process runs any under the same `folder`, by a file in it. Returns what `work` does. A
 * lock whose process is gone is broken. Throws RegistryError STORE_IO if the folder stays locked, and the system's
 * error if it refuses the lock.
 */
export async function withFolderLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const turn = turns.get(folder) ?? new Mutex();
  turns.set(folder, turn);
  return await turn.run(async () => {
    const file = path.join(folder, LOCK_NAME);
    const own = `${process.pid} ${processPlace()} ${randomUUID()}\n`;
    await take(file, own);
    try {
      return await work();
    } finally {
      // Broken by another process that took this one for dead, it is that one's now.
      if ((await ownerOf(file)) === own) await rm(file, { force: true });
    }
  });
}

async function take(file: string, own: string): Promise<void> {
  const startMs = performance.now();
  let seen: { readonly owner: string; readonly sinceMs: number } | undefined;
  for (;;) {
    if (await create(file, own)) return;
    const owner = await ownerOf(file);
    const nowMs = performance.now();
    if (owner !== undefined && owner !== seen?.owner) seen = { owner, sinceMs: nowMs };
    if (owner !== undefined && (isDead(owner) || nowMs - (seen?.sinceMs ?? nowMs) > STALE_MS))
      await breakLock(file, owner);
    if (nowMs - startMs > GIVE_UP_MS) throw stuck(file, owner);
    await pause(RETRY_MS * (0.5 + Math.random()));
  }
}

/** False if somebody else has it. The file has its content from the moment it has its name. */
async function create(file: string, own: string): Promise<boolean> {
  const temporary = `${file}-${randomUUID()}`;
  const handle = await open(temporary, 'wx');
  try {
    await handle.writeFile(own);
    await handle.close();
    await link(temporary, file);
    return true;
  } catch (error) {
    if (isSystemError(error) && error.code === 'EEXIST') return false;
    // File systems without hard links (some network ones) still create a file for one process alone.
    if (isSystemError(error) && ['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].includes(error.code))
      return await createInPlace(file, own);
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function createInPlace(file: string, own: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(own);
    await handle.close();
    return true;
  } catch (error) {
    if (isSystemError(error) && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function ownerOf(file: string): Promise<string | undefined> {
  return await readSmallFile(file, { maxBytes: MAX_LOCK_BYTES }).then(String, () => undefined);
}

/** Only of where the ids of processes are the same can it be known. */
function isDead(owner: string): boolean {
  const [pid = '', place] = owner.trim().split(' ');
  if (place !== processPlace() || !/^\d+$/.test(pid)) return false;
  return !isAlive(Number(pid));
}

/**
 * Returns where the id of a process means this process: on this machine and, as containers may share its name
 * (`--network=host`) and each count their own processes, in this namespace.
 */
export function processPlace(): string {
  place ??= `${hostname().replaceAll(/[\s/]/g, '_')}${namespaceOfProcesses()}`;
  return place;
}

let place: string | undefined;

function namespaceOfProcesses(): string {
  try {
    return `.${readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '')}`;
  } catch {
    // Not Linux, where all processes have one.
    return '';
  }
}

/** Returns whether a process of this machine is running. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(isSystemError(error) && error.code === 'ESRCH');
  }
}

/** Of several who want to break it, the one whose rename finds it does; a lock taken in between is put back. */
async function breakLock(file: string, owner: string): Promise<void> {
  const aside = `${file}-${randomUUID()}`;
  try {
    await rename(file, aside);
    if ((await ownerOf(aside)) !== owner) await link(aside, file).catch(() => undefined);
    await rm(aside, { force: true });
  } catch (error) {
    if (!(isSystemError(error) && error.code === 'ENOENT')) throw error;
  }
}

function stuck(file: string, owner: string | undefined): RegistryError {
  return new RegistryError(
    `${file} stays locked${owner === undefined ? '' : ` (process ${owner.split(' ')[0]})`}`,
    {
      code: 'STORE_IO',
      subject: file,
      remedy: 'Another build writes to this folder. Wait for it, or remove the file if there is none.',
    },
  );
}
