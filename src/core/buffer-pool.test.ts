import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool } from './buffer-pool.ts';

test('a buffer goes round by any part of it, once', () => {
  const pool = new BufferPool(1024);
  const first = pool.take();
  pool.release(first.subarray(10, 20));
  // Given back twice it would be given out twice, to two who write into it.
  pool.release(first);
  assert.equal(pool.take(), first);
  assert.notEqual(pool.take(), first);
});

test('what is not the pool’s, or was dropped, does not get into it', () => {
  const pool = new BufferPool(1024);
  pool.release(Buffer.alloc(1024));
  const dropped = pool.take();
  pool.drop(dropped);
  pool.release(dropped);
  assert.notEqual(pool.take(), dropped);
});
