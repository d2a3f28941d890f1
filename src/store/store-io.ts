import type { FileHandle } from 'node:fs/promises';
import { IntegrityError, RegistryError, throwIfAborted, WeighbridgeError } from '../core/errors.ts';

const READ_BYTES = 1024 * 1024;

/** Runs file work of a store; what the system reports becomes RegistryError STORE_IO. `doing`: `writing a blob`. */
export async function guardIo<T>(store: string, doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof WeighbridgeError ? error : ioError(store, doing, error);
  }
}

function ioError(store: string, doing: string, cause: unknown): unknown {
  const code = isSystemError(cause) ? cause.code : undefined;
  if (code === undefined) return cause;
  const [reason, remedy] = REASONS.get(code) ?? [code, 'Check the path and the disk it is on.'];
  return new RegistryError(`${doing} in ${store}: ${reason}`, {
    code: 'STORE_IO',
    subject: store,
    remedy,
    cause,
  });
}

export function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return error instanceof Error && 'code' in error && 'syscall' in error && typeof error.code === 'string';
}

const FULL = ['the disk is full', 'Free space there, or choose an output on another disk.'] as const;
const DENIED = ['no permission', 'Choose an output that this user may read and write.'] as const;
const REASONS = new Map<string, readonly [string, string]>([
  ['ENOSPC', FULL],
  ['EDQUOT', ['the disk quota is used up', FULL[1]]],
  ['EFBIG', ['the file system does not take a file that large', 'Choose an output on another disk.']],
  ['EACCES', DENIED],
  ['EPERM', DENIED],
  ['EROFS', ['the disk is read-only', DENIED[1]]],
  ['ENOTDIR', ['a part of the path is a file', 'Choose another output.']],
]);

/** Bytes `start` to `end` (not included) of a file; every chunk is the reader's own. */
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
