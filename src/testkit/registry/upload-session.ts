import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../core/digest.ts';
import type { BlobSink, BlobStore, StoredBlob } from './blob-store.ts';
import { problem } from './problem.ts';

const SETTLE_MS = 2000;

/** A blob on its way in. What has arrived stays when a request breaks off. */
export class UploadSession {
  readonly id = randomUUID();
  readonly repository: string;
  readonly #store: BlobStore;
  readonly #sink: BlobSink;
  readonly #hash = createHash('sha256');
  #offset = 0;
  #writing: Promise<unknown> | undefined;
  /** Of the last ranged PATCH, for those who have a minimum. */
  lastChunkBytes: number | undefined;
  patches = 0;

  constructor(repository: string, store: BlobStore, sink: BlobSink) {
    this.repository = repository;
    this.#store = store;
    this.#sink = sink;
  }

  get offset(): number {
    return this.#offset;
  }

  /** Counts bytes that were never kept. */
  pretend(bytes: number): void {
    this.#offset += bytes;
  }

  /** Takes the body's bytes and keeps the first `maxBytes`. Throws BLOB_UPLOAD_INVALID if another request writes. */
  async append(body: AsyncIterable<Buffer>, maxBytes = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.#writing !== undefined) {
      throw problem(409, 'BLOB_UPLOAD_INVALID', 'another request is writing to this upload');
    }
    const work = this.#write(body, maxBytes);
    this.#writing = work.catch(() => undefined);
    try {
      await work;
    } finally {
      this.#writing = undefined;
    }
  }

  /**
   * Waits for a request that still writes. A client that gave one up comes back before the server has seen the end of
   * it, and would be told an offset that the rest of the first request then moves.
   */
  async settled(): Promise<void> {
    await Promise.race([this.#writing, sleep(SETTLE_MS, undefined, { ref: false })]);
  }

  async #write(body: AsyncIterable<Buffer>, maxBytes: number): Promise<void> {
    let left = maxBytes;
    for await (const chunk of body) {
      const kept = chunk.length <= left ? chunk : chunk.subarray(0, left);
      left -= kept.length;
      this.#store.claim(kept.length);
      this.#hash.update(kept);
      this.#offset += kept.length;
      await this.#sink.write(kept);
    }
  }

  /** Ends the upload as a blob. Throws DIGEST_INVALID if the bytes are not those of `digest`, unless `trusts`. */
  async finish(digest: Digest, trusts: boolean): Promise<StoredBlob> {
    const actual = `sha256:${this.#hash.digest('hex')}`;
    if (actual !== digest && !trusts) {
      await this.cancel();
      throw problem(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content', {
        detail: { digest, actual },
      });
    }
    return { digest, sizeBytes: this.#offset, content: await this.#sink.keep() };
  }

  async cancel(): Promise<void> {
    this.#store.release(this.#offset);
    await this.#sink.discard();
  }
}
