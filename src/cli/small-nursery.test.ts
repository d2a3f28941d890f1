import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nurseryBytes } from './small-nursery.ts';

test('the space of new objects stays as it is, however many survive', () => {
  const before = nurseryBytes();
  assert.ok(before >= 8 * 1024 * 1024);
  const survivors = Array.from({ length: 500_000 }, (_, index) => ({ index, text: `object ${index}` }));
  assert.equal(survivors.length, 500_000);
  assert.equal(nurseryBytes(), before);
});
