import type { BufferPool } from './buffer-pool.ts';
import { IntegrityError } from './errors.ts';

/**
 * Bytes of a known, exact size that can be read again from any position: opening twice gives the same bytes.
 * Retry and resume need no special case because of it.
 */
export interface ByteSource {
  readonly sizeBytes: number;
  /** For people, in errors and progress: `model-00001-of-00002.safetensors`. */
  readonly name: string;
  /**
   * Yields exactly `sizeBytes - start` bytes or throws. A source that reads from the network retries on its own;
   * what it throws is final.
   */
  open(options: OpenOptions): AsyncIterable<Uint8Array>;
}

/** Where a source begins to yield, and what stops it. */
export interface OpenOptions {
  /** First byte wanted, 0 to `sizeBytes`. */
  readonly start: number;
  readonly signal?: AbortSignal | undefined;
  /** Chunks may be its buffers, which the caller gives back; without it every chunk is memory of its own. */
  readonly buffers?: BufferPool | undefined;
}

/** Returns a source of bytes in memory. `name` is for errors. */
export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    sizeBytes: bytes.length,
    async *open({ start }) {
      if (start < bytes.length) yield bytes.subarray(start);
    },
  };
}

/**
 * Returns all bytes of a source that is known to be small, not to be changed: they may be the source's own. `maxBytes`
 * guards against being wrong about that, and the bytes that arrive are counted too: a source that has more than it
 * announced is not kept. Throws IntegrityError INTEGRITY_SIZE.
 */
export async function readAll(source: ByteSource, maxBytes: number, signal?: AbortSignal): Promise<Buffer> {
  if (source.sizeBytes > maxBytes) {
    throw new IntegrityError(`${source.name} has ${source.sizeBytes} bytes, more than ${maxBytes}`, {
      code: 'INTEGRITY_SIZE',
      subject: source.name,
    });
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source.open({ start: 0, signal })) {
    length += chunk.length;
    if (length > source.sizeBytes) break;
    chunks.push(chunk);
  }
  if (length === source.sizeBytes) return joined(chunks);
  const got = length > source.sizeBytes ? 'more' : `${length}`;
  throw new IntegrityError(`${source.name}: expected ${source.sizeBytes} bytes, got ${got}`, {
    code: 'INTEGRITY_SIZE',
    subject: source.name,
  });
}

/** One chunk is not copied: a long list of models has many small files, and their copies wait long to be collected. */
function joined(chunks: readonly Uint8Array[]): Buffer {
  const [only] = chunks;
  if (only === undefined || chunks.length > 1) return Buffer.concat(chunks);
  return Buffer.from(only.buffer, only.byteOffset, only.length);
}
