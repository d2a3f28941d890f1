import type { FileHandle } from 'node:fs/promises';
import { IntegrityError, RegistryError, throwIfAborted, WeighbridgeError } from '../core/errors.ts';
import { isSystemError, reasonOf } from '../core/system-error.ts';

const READ_BYTES = 1024 * 1024;

/**
 * Runs file work of a store and returns its result; errors of the system become RegistryError STORE_IO. `doing`:
 * `writing a blob`. Throws RegistryError STORE_IO.
 */
export async function guardIo<T>(store: string, doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof WeighbridgeError ? error : ioError(store, doing, error);
  }
}

function ioError(store: string, doing: string, cause: unknown): unknown {
  if (!isSystemError(cause)) return cause;
  return new RegistryError(`${doing} in ${store}: ${reasonOf(cause)}`, {
    code: 'STORE_IO',
    subject: store,
    remedy: REMEDIES.get(cause.code) ?? 'Check the path and the disk it is on.',
    cause,
  });
}

const OTHER_DISK = 'Free space there, or choose an output on another disk.';
const OTHER_PLACE = 'Choose an output that this user may read and write.';
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', OTHER_DISK],
  ['EDQUOT', OTHER_DISK],
  ['EFBIG', 'Choose an output on another disk.'],
  ['EACCES', OTHER_PLACE],
  ['EPERM', OTHER_PLACE],
  ['EROFS', OTHER_PLACE],
  ['ENOTDIR', 'Choose another output.'],
]);

/**
 * Returns the bytes `start` to `end` (not included) of a file; every chunk is the reader's own. Throws IntegrityError
 * INTEGRITY_SIZE.
 */
export async function* readRange(
  handle: FileHandle,
  range: { readonly start: number; readonly end: number; readonly store: string; readonly doing: string },
  signal: AbortSignal | undefined,
): AsyncIterable<Buffer> {
  const { end, store, doing } = range;
  for (let position = range.start; position < end; ) {
    throwIfAborted(signal);
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, end - position));
    const { bytesRead } = await guardIo(store, doing, () => handle.read(buffer, 0, buffer.length, position));
    if (bytesRead === 0) {
      throw new IntegrityError(`${doing} in ${store}: it ended ${end - position} bytes early`, {
        code: 'INTEGRITY_SIZE',
        subject: store,
        remedy: 'The file was changed while it was read; run the command again.',
      });
    }
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
