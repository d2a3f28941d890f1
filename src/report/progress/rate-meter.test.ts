import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateMeter } from './rate-meter.ts';

test('one count tells nothing, the second gives a rate', () => {
  const meter = new RateMeter();
  meter.add(0, 0);
  assert.equal(meter.bytesPerSecond(0), undefined);
  meter.add(3000, 1500);
  assert.equal(meter.bytesPerSecond(1500), 2000);
});

test('a resumed blob does not count what was there already', () => {
  const meter = new RateMeter();
  meter.add(1_000_000, 0);
  meter.add(1_001_000, 1000);
  assert.equal(meter.bytesPerSecond(1000), 1000);
});

test('the rate is that of the last seconds', () => {
  const meter = new RateMeter();
  for (let second = 0; second <= 10; second++) meter.add(second * 1000, second * 1000);
  for (let second = 11; second <= 20; second++) meter.add(10_000 + (second - 10) * 5000, second * 1000);
  assert.equal(meter.bytesPerSecond(20_000), 5000);
});

test('the rate falls while nothing comes', () => {
  const meter = new RateMeter();
  meter.add(0, 0);
  meter.add(1000, 1000);
  assert.equal(meter.bytesPerSecond(10_000), 100);
});

test('an upload that was lost begins anew', () => {
  const meter = new RateMeter();
  meter.add(0, 0);
  meter.add(9000, 1000);
  meter.add(0, 2000);
  assert.equal(meter.bytesPerSecond(2000), undefined);
  meter.add(500, 3000);
  assert.equal(meter.bytesPerSecond(3000), 500);
});
