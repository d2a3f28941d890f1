import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

/** Bytes of a known size that can be read again, in part or whole. */
export interface Content {
  readonly sizeBytes: number;
  /** The bytes from `start` up to, and not with, `end`. Chunks may share memory: they must not be written to. */
  read(start: number, end: number): AsyncIterable<Buffer>;
}

/** Returns content that is in memory. */
export function bytesContent(bytes: Uint8Array | string): Content {
  const buffer = typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes);
  return chunksContent([buffer]);
}

/** Returns content that is in memory in pieces. */
export function chunksContent(chunks: readonly Buffer[]): Content {
  return {
    sizeBytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    async *read(start, end) {
      let position = 0;
      for (const chunk of chunks) {
        const from = Math.max(0, start - position);
        const to = Math.min(chunk.length, end - position);
        if (from < to) yield chunk.subarray(from, to);
        position += chunk.length;
        if (position >= end) return;
      }
    },
  };
}

/** Returns the content of a file. Rejects if it cannot be read. */
export async function fileContent(path: string): Promise<Content> {
  const { size } = await stat(path);
  return {
    sizeBytes: size,
    async *read(start, end) {
      if (start < end) yield* createReadStream(path, { start, end: end - 1, highWaterMark: 1024 * 1024 });
    },
  };
}

/** Returns all of some content. */
export async function readContent(content: Content): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of content.read(0, content.sizeBytes)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Returns the sha256 of some content, in hex. */
export async function sha256Hex(content: Content): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of content.read(0, content.sizeBytes)) hash.update(chunk);
  return hash.digest('hex');
}
