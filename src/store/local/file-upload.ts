import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { type Digest, digestFromHex } from '../../core/digest.ts';
import { IntegrityError, throwIfAborted } from '../../core/errors.ts';
import type { BlobUpload } from '../image-store.ts';
import { guardIo } from '../store-io.ts';

/** Where a blob is written. */
export interface FileUploadOptions {
  /** The store's name, for errors. */
  readonly store: string;
  readonly handle: FileHandle;
  /** Where the blob's first byte goes in the file. */
  readonly position: number;
  readonly sizeBytes: number;
  readonly signal: AbortSignal | undefined;
  /** Makes the written and checked blob part of the store. */
  readonly keep: (digest: Digest) => Promise<void>;
  /** Removes what was written. */
  readonly discard: () => Promise<void>;
}

/** A blob written into a file from some position on, hashed on its way. */
export class FileUpload implements BlobUpload {
  readonly #options: FileUploadOptions;
  #hash: Hash = createHash('sha256');
  #offset = 0;
  #state: 'open' | 'spoilt' | 'ended' = 'open';

  constructor(options: FileUploadOptions) {
    this.#options = options;
  }

  get offset(): number {
    return this.#offset;
  }

  async write(chunk: Uint8Array): Promise<void> {
    const { store, handle, position, sizeBytes, signal } = this.#options;
    throwIfAborted(signal);
    if (this.#offset + chunk.length > sizeBytes) throw this.#wrongSize(this.#offset + chunk.length);
    await guardIo(store, 'writing a blob', async () => {
      let rest = chunk;
      // A disk that fills up takes a part first; offset and hash follow what it really took.
      while (rest.length > 0) {
        const { bytesWritten } = await handle.write(rest, 0, rest.length, position + this.#offset);
        this.#hash.update(rest.subarray(0, bytesWritten));
        this.#offset += bytesWritten;
        rest = rest.subarray(bytesWritten);
      }
    });
  }

  async commit(digest: Digest): Promise<void> {
    const { store, sizeBytes, signal, keep } = this.#options;
    throwIfAborted(signal);
    if (this.#offset !== sizeBytes) throw this.#wrongSize(this.#offset);
    const actual = digestFromHex(this.#hash.copy().digest('hex'));
    if (actual !== digest) {
      this.#state = 'spoilt';
      throw new IntegrityError(`a blob for ${store} should be ${digest} and is ${actual}`, {
        code: 'INTEGRITY_HASH',
        subject: store,
        remedy: 'The bytes changed on their way; run the command again.',
      });
    }
    await guardIo(store, 'keeping a blob', () => keep(digest));
    this.#state = 'ended';
  }

  async resume(): Promise<number> {
    if (this.#state === 'spoilt') {
      this.#hash = createHash('sha256');
      this.#offset = 0;
      this.#state = 'open';
    }
    return this.#offset;
  }

  async abort(): Promise<void> {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    await this.#options.discard().catch(() => undefined);
  }

  #wrongSize(gotBytes: number): IntegrityError {
    const { store, sizeBytes } = this.#options;
    return new IntegrityError(`a blob for ${store} should have ${sizeBytes} bytes and has ${gotBytes}`, {
      code: 'INTEGRITY_SIZE',
      subject: store,
    });
  }
}
