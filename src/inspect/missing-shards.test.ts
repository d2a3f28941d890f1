import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingShards } from './missing-shards.ts';

function shard(series: string, number: number, total: number): string {
  const [at, of] = [number, total].map(value => String(value).padStart(5, '0'));
  return `${series}-${at}-of-${of}.safetensors`;
}

test('each shard that is missing is named once', () => {
  const names = [shard('model', 1, 3), shard('model', 3, 3), shard('a/other', 1, 1), 'config.json'];
  assert.deepEqual(missingShards(new Set(names)), ['the shard model-00002-of-00003.safetensors is missing']);
});

test('names that claim millions of others cost no more than they are', () => {
  let looks = 0;
  class CountingSet extends Set<string> {
    override has(name: string): boolean {
      looks += 1;
      return super.has(name);
    }
  }
  const strangers = Array.from({ length: 1000 }, (_, index) => shard(`m-${index}`, 1, 99_999));
  const problems = missingShards(new CountingSet(strangers));
  assert.deepEqual([problems.length, problems.at(-1)], [101, 'more shards are missing']);
  const whole = Array.from({ length: 2000 }, (_, index) => shard('model', index + 1, 2000));
  assert.deepEqual(missingShards(new CountingSet(whole)), []);
  assert.ok(looks < 3000, `${looks} looks`);
});
