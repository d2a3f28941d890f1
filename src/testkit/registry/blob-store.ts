import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Digest, hexOf } from '../../core/digest.ts';
import { type Content, chunksContent, fileContent } from '../server/content.ts';
import { problem } from './problem.ts';
import type { RegistryQuirks } from './quirks.ts';

/** Where the embedded registry keeps blobs. */
export type Storage = 'memory' | { readonly folder: string };

/** A blob that the embedded registry holds. */
export interface StoredBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Undefined if the bytes were let go. */
  readonly content: Content | undefined;
}

/** Takes the bytes of a blob as they come; `keep` or `discard` ends it. */
export interface BlobSink {
  write(chunk: Buffer): Promise<void> | void;
  keep(): Promise<Content | undefined>;
  discard(): Promise<void>;
}

/** What a registry that only measures still keeps: configs and the like. */
const SMALL_BYTES = 1024 * 1024;

/** The bytes of all repositories, each blob once. */
export class BlobStore {
  readonly #storage: Storage;
  readonly #discardsLarge: boolean;
  readonly #quirks: RegistryQuirks;
  readonly #blobs = new Map<Digest, StoredBlob>();
  #usedBytes = 0;

  constructor(storage: Storage, discardsLarge: boolean, quirks: RegistryQuirks) {
    this.#storage = storage;
    this.#discardsLarge = discardsLarge;
    this.#quirks = quirks;
  }

  /** Undefined if no repository has the blob. */
  get(digest: Digest): StoredBlob | undefined {
    return this.#blobs.get(digest);
  }

  add(blob: StoredBlob): void {
    this.#blobs.set(blob.digest, blob);
  }

  /** Where the bytes of an upload go: memory, a file, or beyond a small size nowhere. */
  async newSink(): Promise<BlobSink> {
    if (this.#discardsLarge) return memorySink(SMALL_BYTES);
    if (this.#storage === 'memory') return memorySink(Number.POSITIVE_INFINITY);
    return await fileSink(this.#storage.folder);
  }

  /** Throws what a registry with a full disk answers. */
  claim(bytes: number): void {
    this.#usedBytes += bytes;
    const { fullAfterBytes, fullStatus = 500 } = this.#quirks;
    if (fullAfterBytes === undefined || this.#usedBytes <= fullAfterBytes) return;
    this.#usedBytes -= bytes;
    const detail = { DriverName: 'filesystem', Enclosed: 'write: no space left on device' };
    throw problem(fullStatus, 'UNKNOWN', 'unknown error', { detail });
  }

  /** Frees bytes that `claim` has taken. */
  release(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}

function memorySink(maxBytes: number): BlobSink {
  let chunks: Buffer[] | undefined = [];
  let length = 0;
  return {
    write(chunk) {
      length += chunk.length;
      if (length > maxBytes) chunks = undefined;
      chunks?.push(chunk);
    },
    keep: async () => chunks && chunksContent(chunks),
    discard: async () => undefined,
  };
}

async function fileSink(folder: string): Promise<BlobSink> {
  await mkdir(folder, { recursive: true });
  const name = path.join(folder, randomUUID());
  const handle = await open(`${name}.part`, 'wx');
  return {
    async write(chunk) {
      await handle.write(chunk);
    },
    async keep() {
      await handle.close();
      await rename(`${name}.part`, name);
      return await fileContent(name);
    },
    async discard() {
      await handle.close();
      await rm(`${name}.part`, { force: true });
    },
  };
}

/** Returns the path of a blob on the CDN, whose paths are not the registry's. */
export function objectPath(digest: Digest): string {
  return `/blobs/sha256/${hexOf(digest).slice(0, 2)}/${hexOf(digest)}`;
}
