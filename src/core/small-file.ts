import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import type { SystemError } from './system-error.ts';

/** What of a file is read. */
export interface SmallFileOptions {
  readonly maxBytes: number;
  /** Named pipes too, such as a shell's `<(…)`; otherwise one that nothing is written to would be waited for. */
  readonly isPipeAllowed?: boolean;
}

/**
 * Returns the bytes of a small file of this machine. If it is not a file, or larger, throws a SystemError with a code,
 * as the system's own have: a device has no end, and a pipe may have no beginning.
 */
export async function readSmallFile(file: string, options: SmallFileOptions): Promise<Buffer> {
  const release = (): void => releasePipe(file);
  if (options.isPipeAllowed) process.on('exit', release);
  try {
    return await readWhole(file, options);
  } finally {
    process.off('exit', release);
  }
}

async function readWhole(file: string, options: SmallFileOptions): Promise<Buffer> {
  const handle = await open(file, flagsOf(options));
  try {
    const info = await handle.stat();
    checkKind(file, info, options);
    let chunkBytes = firstChunkBytes(info);
    const chunks: Buffer[] = [];
    for (let length = 0; ; chunkBytes = CHUNK_BYTES) {
      const buffer = Buffer.alloc(chunkBytes);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      length += bytesRead;
      if (length > options.maxBytes) throw tooLarge(file, options);
      chunks.push(trimmed(buffer, bytesRead));
    }
  } finally {
    await handle.close();
  }
}

/**
 * Returns the bytes of a small file, as `readSmallFile` does, for what is read before anything else can happen. Throws
 * SystemError.
 */
export function readSmallFileSync(file: string, options: SmallFileOptions): Buffer {
  const descriptor = openSync(file, flagsOf(options));
  try {
    const info = fstatSync(descriptor);
    checkKind(file, info, options);
    let chunkBytes = firstChunkBytes(info);
    const chunks: Buffer[] = [];
    for (let length = 0; ; chunkBytes = CHUNK_BYTES) {
      const buffer = Buffer.alloc(chunkBytes);
      const bytesRead = readSync(descriptor, buffer, 0, buffer.length, null);
      if (bytesRead === 0) return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      length += bytesRead;
      if (length > options.maxBytes) throw tooLarge(file, options);
      chunks.push(trimmed(buffer, bytesRead));
    }
  } finally {
    closeSync(descriptor);
  }
}

const CHUNK_BYTES = 64 * 1024;

/** What says its size is read in one piece and not copied; the byte more shows that there is none. */
function firstChunkBytes(info: Stats): number {
  return info.isFile() ? info.size + 1 : CHUNK_BYTES;
}

/** What was read, without keeping much more memory than that: a device may give a byte at a time. */
function trimmed(buffer: Buffer, length: number): Buffer {
  const bytes = buffer.subarray(0, length);
  return length * 2 < buffer.length ? Buffer.from(bytes) : bytes;
}

/**
 * Ends the wait for a named pipe that nothing is written to. A thread waits for it, and Node waits for its threads: a
 * process could not end, whatever the user does.
 */
function releasePipe(file: string): void {
  try {
    // Without waiting, and nothing but a pipe is written to.
    if (!statSync(file).isFIFO()) return;
    const descriptor = openSync(file, constants.O_WRONLY | constants.O_NONBLOCK);
    writeSync(descriptor, '\n');
    closeSync(descriptor);
  } catch {
    // No reader waits any more, or this user may not write there.
  }
}

function flagsOf({ isPipeAllowed }: SmallFileOptions): number {
  // Opening a pipe would otherwise wait for its writer.
  return isPipeAllowed ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NONBLOCK;
}

function checkKind(file: string, info: Stats, options: SmallFileOptions): void {
  if (info.isDirectory()) throw refused(file, 'EISDIR', 'it is a folder');
  const isPipe = info.isFIFO() || info.isSocket();
  if (isPipe && !options.isPipeAllowed) throw refused(file, 'EPIPEFILE', 'it is a named pipe, not a file');
  if (info.isFile() && info.size > options.maxBytes) throw tooLarge(file, options);
}

function tooLarge(file: string, { maxBytes }: SmallFileOptions): SystemError {
  return refused(file, 'ETOOLARGE', `it is larger than ${maxBytes} bytes`);
}

function refused(file: string, code: string, reason: string): SystemError {
  return Object.assign(new Error(reason), { code, syscall: 'read', path: file });
}
