import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { BufferPool } from '../../core/buffer-pool.ts';
import { InterruptedError } from '../../core/errors.ts';
import { type ParallelRanges, readParallelRanges } from './parallel-ranges.ts';

const FILE = Buffer.from(Array.from({ length: 4000 }, (_, i) => (i * 31 + (i >> 8)) % 256));
const SEGMENT = 256;
const CHUNK = 64;

class CountedPool extends BufferPool {
  out = 0;

  constructor() {
    super(CHUNK);
  }

  override take(): Buffer {
    this.out += 1;
    return super.take();
  }

  override release(chunk: Uint8Array): void {
    this.out -= 1;
    chunk.fill(0xee);
    super.release(chunk);
  }
}

interface World {
  readonly pool: CountedPool;
  readonly reading: ParallelRanges;
  /** Requests that have not ended. */
  readonly open: () => number;
  readonly mostOpen: () => number;
  readonly budgetLeft: () => number;
}

/** A file whose requests pause for as many turns as `paces` says, each one in its own rhythm. */
function world(options: {
  readonly paces: readonly (readonly number[])[];
  readonly ranges: () => number;
  readonly budget?: number;
  readonly start?: number;
  readonly signal?: AbortSignal;
  readonly failAt?: number;
}): World {
  const { paces, ranges, start = 0, signal, failAt = -1 } = options;
  const pool = new CountedPool();
  let left = options.budget ?? 6;
  let open = 0;
  let mostOpen = 0;
  let requests = 0;
  async function* request(from: number, to: number, rangeSignal: AbortSignal): AsyncGenerator<Uint8Array> {
    const pace = paces[requests++ % paces.length] ?? [];
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    try {
      for (let position = from, i = 0; position < to; position += CHUNK, i++) {
        for (let turns = pace[i % pace.length] ?? 0; turns > 0; turns--) await turn();
        if (rangeSignal.aborted) throw new InterruptedError();
        if (failAt >= position && failAt < Math.min(to, position + CHUNK)) throw new Error('broken for good');
        const buffer = pool.take();
        yield buffer.subarray(0, FILE.copy(buffer, 0, position, Math.min(to, position + CHUNK)));
      }
    } finally {
      open -= 1;
    }
  }
  return {
    pool,
    open: () => open,
    mostOpen: () => mostOpen,
    budgetLeft: () => left,
    reading: {
      start,
      end: FILE.length,
      segmentBytes: SEGMENT,
      ranges,
      budget: {
        take: () => left > 0 && left-- > 0,
        giveBack: () => {
          left += 1;
        },
        get left() {
          return left;
        },
      },
      open: request,
      buffers: pool,
      signal,
    },
  };
}

const paces = fc.array(fc.array(fc.nat(4), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 5 });

test('however fast or slow the ranges and the reader are, the bytes are in order and memory is bounded', async () => {
  await fc.assert(
    fc.asyncProperty(
      paces,
      fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 2, max: 5 }),
      fc.integer({ min: 1, max: 7 }),
      fc.nat(FILE.length),
      async (rangePaces, readerPace, ranges, budget, start) => {
        const { pool, reading, ...state } = world({ paces: rangePaces, ranges: () => ranges, budget, start });
        const read: Buffer[] = [];
        for await (const chunk of readParallelRanges(reading)) {
          assert.ok(pool.out * CHUNK <= budget * SEGMENT, `${pool.out} chunks are held`);
          for (let turns = readerPace[read.length % readerPace.length] ?? 0; turns > 0; turns--) await turn();
          read.push(Buffer.from(chunk));
          pool.release(chunk);
        }
        assert.deepEqual(Buffer.concat(read), FILE.subarray(start));
        assert.ok(state.mostOpen() <= Math.min(ranges, budget));
        assert.deepEqual([state.open(), state.budgetLeft(), pool.out], [0, budget, 0]);
      },
    ),
    { numRuns: 150 },
  );
});

test('a reader that leaves or an abort at any moment ends all requests at once and gives everything back', async () => {
  await fc.assert(
    fc.asyncProperty(paces, fc.nat(60), fc.boolean(), async (rangePaces, after, isAbort) => {
      const controller = new AbortController();
      const { pool, reading, ...state } = world({
        paces: rangePaces,
        ranges: () => 4,
        signal: controller.signal,
      });
      let position = 0;
      const read = async (): Promise<void> => {
        let count = 0;
        for await (const chunk of readParallelRanges(reading)) {
          assert.deepEqual(Buffer.from(chunk), FILE.subarray(position, position + chunk.length));
          position += chunk.length;
          pool.release(chunk);
          if (count++ < after) continue;
          if (!isAbort) return;
          controller.abort();
        }
      };
      // Near the end, all that is still to come may have come already.
      const isLate = after >= 30;
      const error: unknown = await read().catch((thrown: unknown) => thrown);
      assert.ok(isAbort && (!isLate || error) ? error instanceof InterruptedError : error === undefined);
      assert.deepEqual([state.open(), state.budgetLeft(), pool.out], [0, 6, 0]);
    }),
    { numRuns: 150 },
  );
});

test('an error is thrown when its turn comes, after all bytes in front of its segment', async () => {
  await fc.assert(
    fc.asyncProperty(paces, fc.nat(FILE.length - 1), async (rangePaces, failAt) => {
      const { pool, reading, ...state } = world({ paces: rangePaces, ranges: () => 3, failAt });
      const read: Buffer[] = [];
      await assert.rejects(async () => {
        for await (const chunk of readParallelRanges(reading)) {
          read.push(Buffer.from(chunk));
          pool.release(chunk);
        }
      }, /broken for good/);
      const came = Buffer.concat(read);
      assert.deepEqual(came, FILE.subarray(0, came.length));
      assert.equal(came.length, failAt - (failAt % CHUNK));
      assert.deepEqual([state.open(), state.budgetLeft(), pool.out], [0, 6, 0]);
    }),
    { numRuns: 100 },
  );
});

test('with one range left it ends at the end of a segment; without budget it does not begin', async () => {
  let ranges = 3;
  const { pool, reading, ...state } = world({ paces: [[1]], ranges: () => ranges });
  let position = 0;
  for await (const chunk of readParallelRanges(reading)) {
    position += chunk.length;
    pool.release(chunk);
    if (position >= 1000) ranges = 1;
  }
  assert.ok(position >= 1000 && position < FILE.length);
  assert.equal(position % SEGMENT, 0);
  assert.equal(state.budgetLeft(), 6);
  for await (const _ of readParallelRanges(world({ paces: [[0]], ranges: () => 3, budget: 0 }).reading))
    assert.fail();
});
