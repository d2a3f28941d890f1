import type { BufferPool } from '../../core/buffer-pool.ts';

/** The ranges of one file that are read at once. */
export interface ParallelRanges {
  readonly start: number;
  /** First byte that is not wanted. */
  readonly end: number;
  readonly segmentBytes: number;
  /** How many segments may be on their way, asked each time one could be started; with fewer than two none is. */
  readonly ranges: () => number;
  /** A segment has a share of it from its first request until its last byte has been read. */
  readonly budget: SegmentBudget;
  readonly open: (start: number, end: number, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  readonly buffers: BufferPool;
  readonly signal?: AbortSignal | undefined;
}

/** Memory that files under way share. */
export interface SegmentBudget {
  take(): boolean;
  giveBack(): void;
  readonly left: number;
}

/**
 * Reads by several requests at once and gives the bytes in order. It may end before `end`, at a segment's end: where
 * there is but one range left, or no budget. A segment's error is thrown when its turn comes. However it is ended, all
 * requests have been when it returns.
 */
export async function* readParallelRanges(reading: ParallelRanges): AsyncGenerator<Uint8Array> {
  const queue = new SegmentQueue(reading);
  try {
    for (let head = queue.next(); head !== undefined; head = queue.next()) {
      for (let chunk = await head.take(); chunk !== undefined; chunk = await head.take()) yield chunk;
    }
  } finally {
    await queue.close();
  }
}

/** The segments that are on their way or wait for their turn, in order. */
class SegmentQueue {
  readonly #reading: ParallelRanges;
  readonly #segments: Segment[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #controller = new AbortController();
  readonly #signal: AbortSignal;
  #position: number;
  #head: Segment | undefined;
  #isEnding = false;

  constructor(reading: ParallelRanges) {
    this.#reading = reading;
    this.#position = reading.start;
    const own = this.#controller.signal;
    this.#signal = reading.signal === undefined ? own : AbortSignal.any([own, reading.signal]);
  }

  /** The segment whose turn it is after the one that has been read. */
  next(): Segment | undefined {
    if (this.#head !== undefined) this.#reading.budget.giveBack();
    this.#head = undefined;
    this.#fill();
    this.#head = this.#segments.shift();
    return this.#head;
  }

  async close(): Promise<void> {
    this.#isEnding = true;
    this.#controller.abort();
    await Promise.all(this.#running);
    const rest = this.#head === undefined ? this.#segments : [this.#head, ...this.#segments];
    for (const { chunks } of rest) {
      for (const chunk of chunks) this.#reading.buffers.release(chunk);
      this.#reading.budget.giveBack();
    }
  }

  #fill(): void {
    const { ranges, budget, segmentBytes, end } = this.#reading;
    while (!this.#isEnding && this.#position < end) {
      const count = ranges();
      const held = this.#segments.length + (this.#head === undefined ? 0 : 1);
      // If there is enough for other files too, one may be complete and wait: a range that is done before the one in
      // front of it goes on.
      const most = budget.left > 2 ? count + 1 : count;
      if (count < 2 || this.#running.size >= count || held >= most || !budget.take()) return;
      const start = this.#position;
      this.#position = Math.min(end, start + segmentBytes);
      const segment = new Segment();
      this.#segments.push(segment);
      const run = this.#run(segment, start, this.#position).then(() => {
        this.#running.delete(run);
        this.#fill();
      });
      this.#running.add(run);
    }
  }

  async #run(segment: Segment, start: number, end: number): Promise<void> {
    try {
      for await (const chunk of this.#reading.open(start, end, this.#signal)) segment.put(chunk);
      segment.finish({});
    } catch (error) {
      // What would come behind it is of no use.
      this.#isEnding = true;
      segment.finish({ error });
    }
  }
}

class Segment {
  readonly chunks: Uint8Array[] = [];
  #outcome: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  put(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.#wake?.();
  }

  finish(outcome: { readonly error?: unknown }): void {
    this.#outcome = outcome;
    this.#wake?.();
  }

  /** The next chunk, undefined at the end. */
  async take(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.chunks.shift();
      if (chunk !== undefined) return chunk;
      if (this.#outcome?.error !== undefined) throw this.#outcome.error;
      if (this.#outcome !== undefined) return undefined;
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }
}
