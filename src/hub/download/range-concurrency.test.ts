import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RangeConcurrency, type RangeExperience } from './range-concurrency.ts';

const SETTINGS = { maxRanges: 4, windowMs: 1000, windowBytes: 1e12 };
const CHUNK = 100_000;

/** A file of which every chunk is waited for and held for as long as `step` says. */
function simulation(options: { readonly experience?: RangeExperience; readonly busyShare?: number } = {}) {
  const experience = options.experience ?? { bytes: 0, ranges: 1 };
  let nowMs = 0;
  const clock = { nowMs: () => nowMs, busyMs: () => nowMs * (options.busyShare ?? 0.2) };
  const control = new RangeConcurrency(SETTINGS, experience, clock);
  return {
    control,
    experience,
    /** A second of chunks, as many as the ranges bring. */
    second(rateOf: (ranges: number) => { waitMs: number; heldMs: number }, mayAdd = true): number {
      for (const endMs = nowMs + 1000; nowMs < endMs; ) {
        const { waitMs, heldMs } = rateOf(control.ranges);
        nowMs += waitMs;
        control.arrived(CHUNK, () => mayAdd);
        nowMs += heldMs;
        control.taken();
      }
      return control.ranges;
    },
  };
}
const perRange = (ranges: number) => ({ waitMs: 20 / ranges, heldMs: 1 });

test('where each range brings as much as the first, all are used', () => {
  const { second } = simulation();
  const seen = Array.from({ length: 20 }, () => second(perRange));
  assert.equal(seen.at(-1), 4);
  assert.deepEqual(seen, seen.toSorted());
});

test('where the target is the limit, nothing is added; ranges that are no longer needed go', () => {
  const { second } = simulation();
  for (let i = 0; i < 50; i++)
    assert.equal(
      second(() => ({ waitMs: 1, heldMs: 20 })),
      1,
    );
  for (let i = 0; i < 20; i++) second(perRange);
  for (let i = 0; i < 20; i++) second(() => ({ waitMs: 0.1, heldMs: 20 }));
  assert.equal(
    second(() => ({ waitMs: 0.1, heldMs: 20 })),
    1,
  );
});

test('a source that is slow to begin is not the limit for that', () => {
  const { second } = simulation();
  second(() => ({ waitMs: 5000, heldMs: 20 }));
  for (let i = 0; i < 20; i++)
    assert.equal(
      second(() => ({ waitMs: 1, heldMs: 20 })),
      1,
    );
});

test('a range that brings nothing goes again, and is tried ever less often', () => {
  const { second } = simulation();
  const seen = Array.from({ length: 200 }, () => second(() => ({ waitMs: 20, heldMs: 1 })));
  assert.ok(Math.max(...seen) === 2, 'it was tried');
  const trials = seen.flatMap((ranges, i) => (ranges === 2 && seen[i - 1] === 1 ? [i] : []));
  const gaps = trials.slice(1).map((at, i) => at - (trials[i] ?? 0));
  assert.ok(trials.length <= 7, `${trials.length} trials`);
  assert.deepEqual(
    gaps,
    gaps.toSorted((a, b) => a - b),
  );
});

test('a range that only takes from the other files of the thread goes again', () => {
  const experience = { bytes: 0, ranges: 1 };
  const { second, control } = simulation({ experience });
  // The others lose what this one gains.
  const takenAway = (ranges: number) => {
    experience.bytes += CHUNK * (ranges === 1 ? 3 : 1);
    return { waitMs: ranges === 1 ? 40 : 20, heldMs: 1 };
  };
  let tried = 0;
  for (let i = 0; i < 20; i++) if (second(takenAway) > 1) tried += 1;
  assert.ok(tried > 0);
  for (let i = 0; i < 5 && control.ranges > 1; i++) second(takenAway);
  assert.equal(control.ranges, 1);
  assert.equal(experience.ranges, 1);
});

test('a busy thread, a file that ends soon and a lack of memory add nothing', () => {
  const busy = simulation({ busyShare: 0.95 });
  const full = simulation();
  for (let i = 0; i < 20; i++) {
    assert.equal(busy.second(perRange), 1);
    assert.equal(full.second(perRange, false), 1);
  }
});

test('trouble halves the ranges, and for a while none is added', () => {
  const { second, control } = simulation();
  for (let i = 0; i < 20; i++) second(perRange);
  control.trouble();
  assert.equal(control.ranges, 2);
  for (let i = 0; i < 20; i++) assert.equal(second(perRange), 2);
  for (let i = 0; i < 40; i++) second(perRange);
  assert.equal(control.ranges, 4);
  control.retreat();
  assert.equal(control.ranges, 1);
});

test('the next file tries at once what was worth it for the last', () => {
  const first = simulation();
  for (let i = 0; i < 20; i++) first.second(perRange);
  const next = simulation({ experience: first.experience });
  assert.equal(next.control.ranges, 1);
  // The first window begins with the first byte, and so ends in the second second.
  assert.deepEqual([next.second(perRange), next.second(perRange)], [1, 4]);
});
