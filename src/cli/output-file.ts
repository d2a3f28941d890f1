import { closeSync, openSync, statSync } from 'node:fs';
import { access, constants, mkdir, stat, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError, WeighbridgeError } from '../core/errors.ts';
import { isSystemError, reasonOf } from '../core/system-error.ts';

/**
 * Looks whether results can go to `file`, before the work whose results they are; makes the folder for it. They do not
 * replace `input`, the file that the command reads, by whatever name. Throws ConfigError.
 */
export async function prepareOutput(file: string, input?: string): Promise<void> {
  try {
    const folder = path.dirname(path.resolve(file));
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw unusable(file, reasonOf(cause), { cause });
  }
  const there = await stat(file).catch(() => undefined);
  if (there?.isDirectory() || isFolderName(file)) throw unusable(file, 'it is a folder');
  const read = input === undefined ? undefined : await stat(input).catch(() => undefined);
  if (there !== undefined && there.dev === read?.dev && there.ino === read.ino)
    throw unusable(file, 'it is the file with the models', { remedy: 'Name another file.' });
  if (await isKernels(path.dirname(path.resolve(file)))) throw unusable(file, 'no files are kept there');
}

/**
 * Looks whether a folder can be made and written to, without making it: its nearest parent that is there decides. The
 * kernel's own file systems (`/proc`, `/sys`) let root do anything and keep nothing. Throws ConfigError.
 */
export async function prepareFolder(folder: string, wanted: Wanted = 'folder'): Promise<void> {
  for (let place = path.resolve(folder); ; place = path.dirname(place)) {
    const there = await stat(place).catch(cause => {
      if (isSystemError(cause) && cause.code === 'ENOENT') return undefined;
      throw unusable(folder, reasonOf(cause), { wanted, cause });
    });
    if (there === undefined) continue;
    if (!there.isDirectory()) throw unusable(folder, `${place} is not a folder`, { wanted });
    if (await isKernels(place)) throw unusable(folder, `no files are kept in ${place}`, { wanted });
    await access(place, constants.W_OK).catch(cause => {
      throw unusable(folder, reasonOf(cause), { wanted, cause });
    });
    return;
  }
}

async function isKernels(folder: string): Promise<boolean> {
  return KERNEL_FILES.has((await statfs(folder)).type);
}

/** `PROC_SUPER_MAGIC` and `SYSFS_MAGIC` of linux/magic.h. */
const KERNEL_FILES: ReadonlySet<number> = new Set([0x9fa0, 0x62656572]);

/**
 * As `prepareOutput`, for a file that replaces what has its name: that must not be a device.
 * Throws ConfigError USAGE.
 */
export async function prepareReplacement(file: string): Promise<void> {
  await prepareFolder(path.dirname(path.resolve(file)), 'file');
  const there = await stat(file).catch(() => undefined);
  if (isFolderName(file)) throw unusable(file, 'it is a folder');
  if (there !== undefined && !there.isFile())
    throw unusable(file, there.isDirectory() ? 'it is a folder' : 'it is not a file');
}

/** `out/`: what nothing but a folder can be called, which would be noticed when all is done. */
function isFolderName(file: string): boolean {
  return file.endsWith('/') || file.endsWith(path.sep);
}

type Wanted = 'file' | 'folder';

function unusable(
  file: string,
  reason: string,
  {
    wanted = 'file',
    remedy = `Name a ${wanted}${wanted === 'file' ? ' in a folder' : ''} that this user may write to.`,
    cause,
  }: { readonly wanted?: Wanted; readonly remedy?: string; readonly cause?: unknown } = {},
): ConfigError {
  return new ConfigError(`${file} cannot be written: ${reason}`, {
    code: 'USAGE',
    subject: file,
    remedy,
    cause,
  });
}

/** Throws WeighbridgeError STORE_IO. */
export async function writeOutput(file: string, text: string): Promise<void> {
  const release = (): void => releasePipe(file);
  process.on('exit', release);
  try {
    await mkdir(path.dirname(path.resolve(file)), { recursive: true });
    await writeFile(file, text);
  } catch (cause) {
    throw fileError(file, 'written', cause);
  } finally {
    process.off('exit', release);
  }
}

/** Ends the wait for a named pipe without a reader, as `readSmallFile` does for one without a writer. */
function releasePipe(file: string): void {
  try {
    if (statSync(file).isFIFO()) closeSync(openSync(file, constants.O_RDONLY | constants.O_NONBLOCK));
  } catch {
    // No writer waits any more, or this user may not read there.
  }
}

/** Returns the system's error about a file in words for people; any other error as it is. */
export function asFileError(error: unknown): unknown {
  return isSystemError(error) && error.path !== undefined ? fileError(error.path, 'used', error) : error;
}

function fileError(file: string, what: 'written' | 'used', cause: unknown): WeighbridgeError {
  return new WeighbridgeError(`${file} cannot be ${what}: ${reasonOf(cause)}`, {
    code: 'STORE_IO',
    subject: file,
    remedy: 'Check the path, who may use it, and the disk it is on.',
    cause,
  });
}
