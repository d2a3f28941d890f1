import { createHash } from 'node:crypto';
import type { BufferPool } from '../core/buffer-pool.ts';
import type { ByteSource } from '../core/byte-source.ts';
import { type Digest, digestFromHex } from '../core/digest.ts';
import {
  IntegrityError,
  InterruptedError,
  isAbort,
  RegistryError,
  WeighbridgeError,
} from '../core/errors.ts';
import { backoffMs, DEFAULT_RETRY, pause, type RetryPolicy } from '../http/retry.ts';
import type { BlobUpload, ImageStore } from '../store/image-store.ts';

/** Sees every byte of a blob once, in order, and knows its digest at the end. */
export interface BlobHasher {
  readonly position: number;
  update(start: number, chunk: Uint8Array): void;
  digest(): Digest;
}

export interface TransferOptions {
  readonly source: ByteSource;
  readonly hasher: BlobHasher;
  readonly stores: readonly ImageStore[];
  /** Known beforehand for a blob that is copied; made known at the end otherwise. */
  readonly digest?: Digest;
  readonly signal?: AbortSignal | undefined;
  /** Lets large blobs pass through memory that goes round. */
  readonly buffers?: BufferPool | undefined;
  /** How long stores that are ready wait for one that is not. */
  readonly laggardMs?: number;
  /** How long to wait before a store that broke is tried again. */
  readonly retry?: RetryPolicy;
  readonly onProgress?: (doneBytes: number) => void;
  readonly onRetry?: (store: ImageStore, error: unknown, attempt: number, delayMs: number) => void;
}

export interface TransferResult {
  /** Undefined where no store took the blob to its end. */
  readonly digest: Digest | undefined;
  /** Bytes read from the source, repeats included. */
  readonly readBytes: number;
  /** Stores that could not take the blob, and why; all others hold it now. */
  readonly failures: ReadonlyMap<ImageStore, unknown>;
}

/** Tries a store gets for one blob, as long as none of them moves it on. */
const MAX_ATTEMPTS = 4;
/** Longer than a registry needs to write a chunk to its disk, and shorter than it takes to see that it is gone. */
const LAGGARD_MS = 15_000;

/**
 * One read of the source feeds all stores. A store that fails drops out of the read and, once it is over, goes on from
 * where its registry says it stands; the others never wait for it. Throws only what concerns the source itself.
 */
export async function transferBlob(options: TransferOptions): Promise<TransferResult> {
  const sinks = options.stores.map(store => new Sink(store, options));
  let readBytes = 0;
  try {
    await Promise.all(sinks.map(sink => sink.begin()));
    for (let live = liveOf(sinks); live.length > 0; live = liveOf(sinks)) {
      readBytes += await feed(live, options);
      if (options.hasher.position === options.source.sizeBytes) {
        const digest = checkDigest(options);
        await Promise.all(live.map(sink => sink.commit(digest)));
      }
      await Promise.all(sinks.map(sink => sink.recover()));
    }
    const isKept = sinks.some(sink => sink.failure === undefined);
    return { digest: isKept ? checkDigest(options) : undefined, readBytes, failures: failuresOf(sinks) };
  } catch (error) {
    await Promise.all(sinks.map(sink => sink.abort()));
    throw options.signal?.aborted ? new InterruptedError() : error;
  }
}

/** Reads on from the lowest position that anyone needs, until the end or until no sink is left to feed. */
async function feed(
  sinks: readonly Sink[],
  { source, hasher, signal, buffers, laggardMs = LAGGARD_MS, onProgress }: TransferOptions,
): Promise<number> {
  const start = Math.min(hasher.position, ...sinks.map(sink => sink.offset));
  let position = start;
  for await (const chunk of source.open({ start, signal, buffers })) {
    hasher.update(position, chunk);
    let holders = sinks.length;
    const onTaken = (): void => {
      holders -= 1;
      if (holders === 0) buffers?.release(chunk);
    };
    const writes = new Map<Sink, Promise<void>>();
    for (const sink of sinks) {
      const wait = sink.write(position, chunk, onTaken);
      if (wait !== undefined) writes.set(sink, wait);
    }
    if (writes.size > 0) await taken(sinks, writes, laggardMs);
    position += chunk.length;
    onProgress?.(position);
    if (sinks.every(sink => sink.isBroken)) break;
  }
  return position - start;
}

/**
 * Waits until the stores have room again. A slow one sets the pace for all, because only so much is kept for it; one
 * that takes nothing at all is left behind and goes on once the others are done.
 */
async function taken(
  sinks: readonly Sink[],
  writes: Map<Sink, Promise<void>>,
  laggardMs: number,
): Promise<void> {
  const all = Promise.all([...writes].map(([sink, wait]) => wait.then(() => writes.delete(sink))));
  if (sinks.length === 1) {
    await all;
    return;
  }
  const isOthersTurn = (): boolean => sinks.some(sink => !sink.isBroken && !writes.has(sink));
  while (writes.size > 0) {
    let timer: NodeJS.Timeout | undefined;
    const later = new Promise(resolve => {
      timer = setTimeout(resolve, laggardMs);
    });
    await Promise.race([all, later]);
    clearTimeout(timer);
    if (writes.size > 0 && isOthersTurn()) {
      for (const sink of writes.keys()) sink.leaveBehind(laggardMs);
      return;
    }
  }
}

function checkDigest({ hasher, digest: expected, source }: TransferOptions): Digest {
  const digest = hasher.digest();
  if (expected !== undefined && expected !== digest) {
    throw new IntegrityError(`${source.name}: expected ${expected}, got ${digest}`, {
      code: 'INTEGRITY_HASH',
      subject: source.name,
    });
  }
  return digest;
}

/** One store's side of a transfer. Its methods never reject: what goes wrong is kept and decided on in `recover`. */
class Sink {
  readonly store: ImageStore;
  /** Set once the store has been given up. */
  failure: unknown;
  readonly #options: TransferOptions;
  #upload: BlobUpload | undefined;
  #error: unknown;
  #isDone = false;
  #attempt = 1;
  #best = 0;

  constructor(store: ImageStore, options: TransferOptions) {
    this.store = store;
    this.#options = options;
  }

  get offset(): number {
    return this.#upload?.offset ?? 0;
  }

  get isBroken(): boolean {
    return this.#error !== undefined;
  }

  get isLive(): boolean {
    return !this.#isDone && this.failure === undefined;
  }

  async begin(): Promise<void> {
    const { source, digest, signal } = this.#options;
    await this.#attend(async () => {
      this.#upload = await this.store.startUpload({
        sizeBytes: source.sizeBytes,
        ...(digest === undefined ? {} : { digest }),
        signal,
      });
    });
    // Nothing has been sent yet, and the client has retried already: there is nothing to go on from.
    if (this.#error !== undefined) this.failure = this.#error;
  }

  write(position: number, chunk: Uint8Array, onTaken: () => void): Promise<void> | undefined {
    const skip = this.offset - position;
    if (this.isBroken || this.#upload === undefined || skip >= chunk.length) {
      onTaken();
      return undefined;
    }
    try {
      const rest = skip > 0 ? chunk.subarray(skip) : chunk;
      return this.#upload.write(rest, onTaken)?.catch(error => this.#break(error));
    } catch (error) {
      this.#break(error);
      return undefined;
    }
  }

  leaveBehind(laggardMs: number): void {
    const { name } = this.store;
    this.#break(
      new RegistryError(`${name} took nothing for ${laggardMs / 1000} s while others waited`, {
        code: 'REGISTRY_UNREACHABLE',
        subject: name,
        remedy: 'Check that it is up, then publish again: what is there already is kept.',
      }),
    );
  }

  async commit(digest: Digest): Promise<void> {
    if (this.isBroken) return;
    await this.#attend(async () => {
      await this.#upload?.commit(digest);
      this.#isDone = true;
    });
  }

  /** After a pass: a broken sink asks its store how far it got, or is given up. */
  async recover(): Promise<void> {
    while (this.isLive && this.#error !== undefined) {
      const error = this.#error;
      if (this.offset > this.#best) this.#attempt = 1;
      this.#best = Math.max(this.#best, this.offset);
      if (this.#options.signal?.aborted || !isWorthRetrying(error) || this.#attempt >= MAX_ATTEMPTS) {
        this.failure = error;
        await this.#upload?.abort();
        return;
      }
      const delayMs = backoffMs(this.#attempt, this.#options.retry ?? DEFAULT_RETRY);
      this.#options.onRetry?.(this.store, error, this.#attempt, delayMs);
      this.#attempt += 1;
      this.#error = undefined;
      await this.#attend(async () => {
        await pause(delayMs, this.#options.signal);
        await this.#upload?.resume();
      });
    }
  }

  async abort(): Promise<void> {
    if (!this.#isDone && this.failure === undefined) await this.#upload?.abort();
  }

  async #attend(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#break(error);
    }
  }

  #break(error: unknown): void {
    this.#error ??= error;
  }
}

function liveOf(sinks: readonly Sink[]): Sink[] {
  return sinks.filter(sink => sink.isLive);
}

function failuresOf(sinks: readonly Sink[]): ReadonlyMap<ImageStore, unknown> {
  return new Map(
    sinks.flatMap(sink => (sink.failure === undefined ? [] : [[sink.store, sink.failure] as const])),
  );
}

/** A refused login or a full disk stays so; a broken connection, a lost session or a bad moment does not. */
function isWorthRetrying(error: unknown): boolean {
  if (isAbort(error) || !(error instanceof WeighbridgeError)) return false;
  if (error instanceof IntegrityError) return true;
  return error.code === 'NETWORK' || (error instanceof RegistryError && RETRYABLE_CODES.has(error.code));
}

const RETRYABLE_CODES: ReadonlySet<string> = new Set([
  'REGISTRY_UNREACHABLE',
  'REGISTRY_BAD_ANSWER',
  'REGISTRY_NOT_FOUND',
  'REGISTRY_RATE_LIMITED',
]);

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
