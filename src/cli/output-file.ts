import { access, constants, mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError, WeighbridgeError } from '../core/errors.ts';
import { isSystemError, reasonOf } from '../core/system-error.ts';

/**
 * Looks whether results can go to `file`, before the work whose results they are; makes the folder for it. Throws
 * ConfigError.
 */
export async function prepareOutput(file: string): Promise<void> {
  try {
    const folder = path.dirname(path.resolve(file));
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw unusable(file, reasonOf(cause), cause);
  }
  const there = await stat(file).catch(() => undefined);
  if (there?.isDirectory()) throw unusable(file, 'it is a folder');
}

function unusable(file: string, reason: string, cause?: unknown): ConfigError {
  return new ConfigError(`${file} cannot be written: ${reason}`, {
    code: 'USAGE',
    subject: file,
    remedy: 'Name a file in a folder that this user may write to.',
    cause,
  });
}

/** Throws WeighbridgeError STORE_IO. */
export async function writeOutput(file: string, text: string): Promise<void> {
  try {
    await mkdir(path.dirname(path.resolve(file)), { recursive: true });
    await writeFile(file, text);
  } catch (cause) {
    throw fileError(file, 'written', cause);
  }
}

/** What the system says of a file, for people. Anything else is given back as it is. */
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
