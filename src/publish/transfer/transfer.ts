import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BufferPool } from '../../core/buffer-pool.ts';
import type { ByteSource } from '../../core/byte-source.ts';
import { type Digest, digestFromHex } from '../../core/digest.ts';
import { IntegrityError, InterruptedError, throwIfAborted } from '../../core/errors.ts';
import type { ImageStore } from '../../store/image-store.ts';
import { Sink, type SinkOptions } from './sink.ts';

/** Sees every byte of a blob once, in order, and knows its digest at the end. */
export interface BlobHasher {
  readonly position: number;
  update(start: number, chunk: Uint8Array): void;
  digest(): Digest;
}

export interface TransferOptions extends SinkOptions {
  readonly source: ByteSource;
  readonly hasher: BlobHasher;
  readonly stores: readonly ImageStore[];
  /** Lets large blobs pass through memory that goes round. */
  readonly buffers?: BufferPool | undefined;
  /** How long stores that are ready wait for one that is not. */
  readonly laggardMs?: number;
  readonly onProgress?: (doneBytes: number) => void;
}

export interface TransferResult {
  /** Undefined where no store took the blob to its end. */
  readonly digest: Digest | undefined;
  /** Bytes read from the source, repeats included. */
  readonly readBytes: number;
  /** Stores that could not take the blob, and why; all others hold it now. */
  readonly failures: ReadonlyMap<ImageStore, unknown>;
}

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
      const fedBytes = await feed(live, options);
      readBytes += fedBytes;
      // A pass without a byte, an end or a failure would be followed by another one, and that without a pause.
      const isStuck = fedBytes === 0 && options.hasher.position !== options.source.sizeBytes;
      if (isStuck && !live.some(sink => sink.isBroken)) throw wrongSize(options, options.hasher.position);
      if (options.hasher.position === options.source.sizeBytes) {
        const digest = checkDigest(options);
        await Promise.all(live.map(sink => sink.commit(digest)));
      }
      await Promise.all(sinks.map(sink => sink.recover()));
      // Nothing in a pass need be slow: between two of them signals get their turn.
      await nextTurn();
      throwIfAborted(options.signal);
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
    if (position + chunk.length > source.sizeBytes) throw wrongSize({ source }, position + chunk.length);
    hasher.update(position, chunk);
    // Once all have taken it, the memory is another chunk's.
    const end = position + chunk.length;
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
    position = end;
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

function wrongSize({ source }: Pick<TransferOptions, 'source'>, bytes: number): IntegrityError {
  return new IntegrityError(`${source.name}: expected ${source.sizeBytes} bytes, got ${bytes}`, {
    code: 'INTEGRITY_SIZE',
    subject: source.name,
  });
}

function liveOf(sinks: readonly Sink[]): Sink[] {
  return sinks.filter(sink => sink.isLive);
}

function failuresOf(sinks: readonly Sink[]): ReadonlyMap<ImageStore, unknown> {
  return new Map(
    sinks.flatMap(sink => (sink.failure === undefined ? [] : [[sink.store, sink.failure] as const])),
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
