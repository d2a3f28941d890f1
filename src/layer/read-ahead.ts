import { type ByteSource, readAll } from '../core/byte-source.ts';

/** What is larger is worth a stream of its own, in its turn. */
const MAX_SMALL_BYTES = 1024 * 1024;
/** Small files that are read at once: together they never take more memory than one range of a weight file. */
const AT_ONCE = 8;

/**
 * Sources that are wanted one after another, in this order. Small ones are read several at once: a hundred files that
 * take 100 ms each, whatever their size, would otherwise take ten seconds. Large ones are left to the caller.
 */
export class ReadAhead {
  readonly #sources: readonly ByteSource[];
  readonly #signal: AbortSignal;
  readonly #stop = new AbortController();
  readonly #reads = new Map<number, Promise<Buffer>>();

  constructor(sources: readonly ByteSource[], signal: AbortSignal | undefined) {
    this.#sources = sources;
    this.#signal = AbortSignal.any([this.#stop.signal, ...(signal === undefined ? [] : [signal])]);
  }

  /** Returns all bytes of a small source, and begins to read those after it; undefined if it is a large one. */
  take(index: number): Promise<Buffer> | undefined {
    for (let next = index; next < this.#sources.length && this.#reads.size < AT_ONCE; next++) {
      const source = this.#sources[next] as ByteSource;
      if (source.sizeBytes > MAX_SMALL_BYTES || this.#reads.has(next)) continue;
      const read = readAll(source, MAX_SMALL_BYTES, this.#signal);
      // Its turn may never come; if it does, the error is thrown then.
      read.catch(() => undefined);
      this.#reads.set(next, read);
    }
    const read = this.#reads.get(index);
    this.#reads.delete(index);
    return read;
  }

  /** Ends what is being read and is not wanted any more. */
  stop(): void {
    this.#stop.abort();
  }
}
