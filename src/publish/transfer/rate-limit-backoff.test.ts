import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProgressEvent } from '../../core/events.ts';
import { backOffAtRateLimits } from './rate-limit-backoff.ts';

const retry = (status?: number): ProgressEvent => ({
  type: 'retry',
  what: 'starting an upload',
  attempt: 1,
  delayMs: 1000,
  reason: 'x',
  ...(status === undefined ? {} : { status }),
});

test('a burst of 429s lowers the number of blobs once, a later one again; nothing else does', () => {
  let lowered = 0;
  let nowMs = 0;
  const slots = {
    lower() {
      lowered += 1;
    },
  };
  const hear = backOffAtRateLimits(slots, () => nowMs);
  for (const event of [retry(), retry(503), { type: 'warning', text: '429' } as const]) hear(event);
  assert.equal(lowered, 0);
  for (let i = 0; i < 4; i++) {
    hear(retry(429));
    nowMs += 100;
  }
  assert.equal(lowered, 1);
  nowMs = 1000;
  hear(retry(429));
  assert.equal(lowered, 2);
});
