import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { nurseryBytes } from './small-nursery.ts';

const MIB = 1024 * 1024;

test('the space of new objects stays as it is, however many survive', () => {
  const before = nurseryBytes();
  assert.ok(before >= 16 * MIB);
  const survivors = Array.from({ length: 500_000 }, (_, index) => ({ index, text: `object ${index}` }));
  assert.equal(survivors.length, 500_000);
  assert.equal(nurseryBytes(), before);
});

test('what V8 has shrunk in a pause grows back once there is work', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 200 && nurseryBytes() >= 16 * MIB; round++) {
    await sleep(100);
    collect();
  }
  assert.ok(nurseryBytes() < 16 * MIB);
  const survivors: unknown[] = [];
  for (let round = 0; round < 500 && nurseryBytes() < 16 * MIB; round++) {
    survivors.push(new Array(100_000).fill(0).map(index => ({ index })));
    if (survivors.length > 20) survivors.shift();
    await sleep(10);
  }
  assert.ok(nurseryBytes() >= 16 * MIB && nurseryBytes() <= 64 * MIB, `${nurseryBytes()} bytes`);
});
