import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InterruptedError } from '../core/errors.ts';
import {
  backoffMs,
  DEFAULT_RETRY,
  isRetryableStatus,
  MIN_PROGRESS_BYTES,
  pause,
  Retries,
  serverWaitMs,
} from './retry.ts';

test('the delay is random below a bound that doubles up to its maximum', () => {
  const bounds = [1, 2, 3, 4, 5, 6, 7, 8].map(attempt => backoffMs(attempt, DEFAULT_RETRY, () => 0.999999));
  assert.deepEqual(bounds, [399, 799, 1599, 3199, 6399, 12_799, 19_999, 19_999]);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (attempt, r) => {
        const delay = backoffMs(attempt, DEFAULT_RETRY, () => r);
        assert.ok(Number.isInteger(delay) && delay >= 0 && delay < DEFAULT_RETRY.maxMs);
      },
    ),
  );
});

test('a server says how long to wait in one of three ways', () => {
  assert.equal(serverWaitMs({ 'retry-after': '7' }), 7000);
  // By the server's own clock, which is years from ours.
  const date = 'Sun, 01 Nov 2020 12:00:00 GMT';
  assert.equal(serverWaitMs({ date, 'retry-after': 'Sun, 01 Nov 2020 12:00:30 GMT' }), 30_000);
  assert.equal(serverWaitMs({ date, 'retry-after': 'Sun, 01 Nov 2020 11:00:00 GMT' }), 0);
  const inAMinute = new Date(Date.now() + 60_000).toUTCString();
  const waitMs = serverWaitMs({ 'retry-after': inAMinute }) ?? 0;
  // By this machine's clock, which goes on meanwhile.
  assert.ok(waitMs > 0 && waitMs <= 60_000, `${waitMs} ms`);
  assert.equal(serverWaitMs({ ratelimit: '"api";r=0;t=55' }), 55_000);
  assert.equal(serverWaitMs({ ratelimit: '"api";r=12;t=55' }), undefined);
  assert.equal(serverWaitMs({ 'retry-after': 'soon', ratelimit: 'x' }), undefined);
  assert.equal(serverWaitMs({}), undefined);
});

test('only what may pass by itself is retried', () => {
  const retried = [200, 400, 401, 403, 404, 408, 409, 416, 425, 429, 500, 501, 502, 503, 504, 505];
  assert.deepEqual(retried.filter(isRetryableStatus), [408, 425, 429, 500, 502, 503, 504]);
});

test('an abort ends a pause, also one that has not begun', async () => {
  const controller = new AbortController();
  const waiting = pause(3_600_000, controller.signal);
  controller.abort();
  await assert.rejects(waiting, InterruptedError);
  await assert.rejects(pause(3_600_000, controller.signal), InterruptedError);
});

test('what fails is tried again for a time, and a host that is not there only so often', () => {
  let nowMs = 0;
  const retries = new Retries({ ...DEFAULT_RETRY, attempts: 3, patienceMs: 1000 }, () => nowMs);
  const tries = (error?: Error): boolean[] =>
    Array.from({ length: 6 }, () => {
      const isTried = retries.again(error);
      nowMs += 300;
      return isTried;
    });
  assert.deepEqual(tries(), [true, true, true, true, false, false]);
  // A few bytes are not a reason to begin anew.
  retries.progress(MIN_PROGRESS_BYTES - 1);
  assert.equal(retries.again(), false);
  retries.progress(MIN_PROGRESS_BYTES);
  const gone = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  assert.deepEqual(tries(new Error('no connection', { cause: gone })), [
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});
