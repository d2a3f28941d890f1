import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BufferPool } from '../../core/buffer-pool.ts';
import type { ByteSource } from '../../core/byte-source.ts';
import { type Digest, digestFromHex } from '../../core/digest.ts';
import { IntegrityError, InterruptedError, throwIfAborted } from '../../core/errors.ts';
import type { ImageStore } from '../image-store.ts';
import { TargetUpload, type TargetUploadOptions } from './target-upload.ts';

/** Sees every byte of a blob once, in order, and knows its digest at the end. */
export interface BlobHasher {
  /** Up to which bytes have been hashed. */
  readonly position: number;
  /** Takes bytes from `start` on, which is at most `position`: what was hashed before is passed over. */
  update(start: number, chunk: Uint8Array): void;
  /** The digest of the bytes up to `position`. */
  digest(): Digest;
}

interface FanOutOptions extends TargetUploadOptions {
  readonly source: ByteSource;
  readonly hasher: BlobHasher;
  readonly stores: readonly ImageStore[];
  /** Lets large blobs pass through memory that goes round. */
  readonly buffers?: BufferPool | undefined;
  /** How long stores that are ready wait for one that is not. */
  readonly stallTimeoutMs?: number;
  readonly onProgress?: (doneBytes: number) => void;
}

/** What became of a blob at each of its stores. */
export interface FanOutResult {
  /** Undefined if no store took the blob to its end. */
  readonly digest: Digest | undefined;
  /** Bytes read from the source, repeats included. */
  readonly readBytes: number;
  /** Stores that could not take the blob, and why; all others hold it now. */
  readonly failures: ReadonlyMap<ImageStore, unknown>;
}

/** Longer than a registry needs to write a chunk to its disk, and shorter than it takes to see that it is gone. */
const STALL_TIMEOUT_MS = 15_000;

/**
 * Reads the source once for all stores. A store that fails drops out of the read and, once it is over, goes on from the
 * offset that its registry reports; the others never wait for it. Returns the digest and a result for each store.
 * Throws only errors of the source itself.
 */
export async function fanOut(options: FanOutOptions): Promise<FanOutResult> {
  const uploads = options.stores.map(store => new TargetUpload(store, options));
  let readBytes = 0;
  try {
    await Promise.all(uploads.map(upload => upload.begin()));
    for (let live = liveOf(uploads); live.length > 0; live = liveOf(uploads)) {
      const fedBytes = await feed(live, options);
      readBytes += fedBytes;
      // A pass without a byte, an end or a failure would be followed by another one, and that without a pause.
      const isStuck = fedBytes === 0 && options.hasher.position !== options.source.sizeBytes;
      if (isStuck && !live.some(upload => upload.isBroken)) throw wrongSize(options, options.hasher.position);
      if (options.hasher.position === options.source.sizeBytes) {
        const digest = checkDigest(options);
        await Promise.all(live.map(upload => upload.commit(digest)));
      }
      await Promise.all(uploads.map(upload => upload.recover()));
      // Nothing in a pass need be slow: between two of them signals get their turn.
      await nextTurn();
      throwIfAborted(options.signal);
    }
    const isKept = uploads.some(upload => upload.failure === undefined);
    return { digest: isKept ? checkDigest(options) : undefined, readBytes, failures: failuresOf(uploads) };
  } catch (error) {
    await Promise.all(uploads.map(upload => upload.abort()));
    throw options.signal?.aborted ? new InterruptedError() : error;
  }
}

/** Reads on from the lowest position that anyone needs, until the end or until no upload is left to feed. */
async function feed(
  uploads: readonly TargetUpload[],
  { source, hasher, signal, buffers, stallTimeoutMs = STALL_TIMEOUT_MS, onProgress }: FanOutOptions,
): Promise<number> {
  const start = Math.min(hasher.position, ...uploads.map(upload => upload.offset));
  let position = start;
  for await (const chunk of source.open({ start, signal, buffers })) {
    if (position + chunk.length > source.sizeBytes) throw wrongSize({ source }, position + chunk.length);
    hasher.update(position, chunk);
    // Once all have taken it, the memory is another chunk's.
    const end = position + chunk.length;
    let holders = uploads.length;
    const onTaken = (): void => {
      holders -= 1;
      if (holders === 0) buffers?.release(chunk);
    };
    const writes = new Map<TargetUpload, Promise<void>>();
    for (const upload of uploads) {
      const wait = upload.write(position, chunk, onTaken);
      if (wait !== undefined) writes.set(upload, wait);
    }
    if (writes.size > 0) await taken(uploads, writes, stallTimeoutMs);
    position = end;
    onProgress?.(position);
    if (uploads.every(upload => upload.isBroken)) break;
  }
  return position - start;
}

/**
 * Waits until the stores have room again. A slow one sets the pace for all, because only so much is kept for it; one
 * that takes nothing at all is left behind and goes on once the others are done.
 */
async function taken(
  uploads: readonly TargetUpload[],
  writes: Map<TargetUpload, Promise<void>>,
  stallTimeoutMs: number,
): Promise<void> {
  const all = Promise.all([...writes].map(([upload, wait]) => wait.then(() => writes.delete(upload))));
  if (uploads.length === 1) {
    await all;
    return;
  }
  const isOthersTurn = (): boolean => uploads.some(upload => !upload.isBroken && !writes.has(upload));
  while (writes.size > 0) {
    let timer: NodeJS.Timeout | undefined;
    const later = new Promise(resolve => {
      timer = setTimeout(resolve, stallTimeoutMs);
    });
    await Promise.race([all, later]);
    clearTimeout(timer);
    if (writes.size > 0 && isOthersTurn()) {
      for (const upload of writes.keys()) upload.markStalled(stallTimeoutMs);
      return;
    }
  }
}

function checkDigest({ hasher, digest: expected, source }: FanOutOptions): Digest {
  const digest = hasher.digest();
  if (expected !== undefined && expected !== digest) {
    throw new IntegrityError(`${source.name}: expected ${expected}, got ${digest}`, {
      code: 'INTEGRITY_HASH',
      subject: source.name,
    });
  }
  return digest;
}

function wrongSize({ source }: Pick<FanOutOptions, 'source'>, bytes: number): IntegrityError {
  return new IntegrityError(`${source.name}: expected ${source.sizeBytes} bytes, got ${bytes}`, {
    code: 'INTEGRITY_SIZE',
    subject: source.name,
  });
}

function liveOf(uploads: readonly TargetUpload[]): TargetUpload[] {
  return uploads.filter(upload => upload.isLive);
}

function failuresOf(uploads: readonly TargetUpload[]): ReadonlyMap<ImageStore, unknown> {
  return new Map(
    uploads.flatMap(upload =>
      upload.failure === undefined ? [] : [[upload.store, upload.failure] as const],
    ),
  );
}

/** The hasher of a blob that is copied as it is. */
export class CopyHasher implements BlobHasher {
  readonly #hash = createHash('sha256');
  position = 0;

  update(start: number, chunk: Uint8Array): void {
    const fresh = chunk.subarray(this.position - start);
    this.#hash.update(fresh);
    this.position += fresh.length;
  }

  digest(): Digest {
    return digestFromHex(this.#hash.copy().digest('hex'));
  }
}
