import { createCipheriv, createHash } from 'node:crypto';
import type { Content } from './content.ts';

/** Bytes that are made up as they are read. */
export interface GeneratedBytes {
  readonly sizeBytes: number;
  /** Other seeds give other bytes; the same one gives the same bytes on any machine. */
  readonly seed: number | string;
  /** What the file starts with, for formats that have a header; counts towards `sizeBytes`. */
  readonly head?: Uint8Array;
}

const BLOCK_BYTES = 1024 * 1024;
const POOL_BYTES = 8 * BLOCK_BYTES;
let sharedPool: Buffer | undefined;

/**
 * Returns bytes made up as they are read: every MiB is a window, chosen by seed and position, onto one pool of random
 * bytes. Serving them costs neither memory nor processor time, so that a benchmark measures its subject and not this.
 * Throws RangeError.
 */
export function generatedContent({ sizeBytes, seed, head = Buffer.alloc(0) }: GeneratedBytes): Content {
  if (head.length > sizeBytes)
    throw new RangeError(`a head of ${head.length} bytes in a file of ${sizeBytes}`);
  const start = Buffer.from(head);
  return {
    sizeBytes,
    async *read(from, to) {
      if (from < start.length) yield start.subarray(from, Math.min(to, start.length));
      let position = Math.max(from, start.length);
      while (position < to) {
        const block = Math.floor(position / BLOCK_BYTES);
        const end = Math.min(to, (block + 1) * BLOCK_BYTES);
        const window = windowOf(seed, block) + (position % BLOCK_BYTES);
        yield pool().subarray(window, window + end - position);
        position = end;
      }
    },
  };
}

function windowOf(seed: number | string, block: number): number {
  const hash = createHash('sha256').update(`${seed}/${block}`).digest();
  return hash.readUInt32BE(0) % (POOL_BYTES - BLOCK_BYTES);
}

function pool(): Buffer {
  sharedPool ??= createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(
    Buffer.alloc(POOL_BYTES),
  );
  return sharedPool;
}
