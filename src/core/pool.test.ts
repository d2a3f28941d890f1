import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Limiter } from './pool.ts';

test('a limiter that was lowered lets fewer in until it is raised again', async () => {
  const limiter = new Limiter(4);
  let running = 0;
  const ends: (() => void)[] = [];
  const start = (): Promise<void> =>
    limiter.run(async () => {
      running += 1;
      await new Promise<void>(resolve => ends.push(resolve));
      running -= 1;
    });
  const all = Array.from({ length: 8 }, start);
  await turn();
  assert.equal(running, 4);
  limiter.lower();
  limiter.lower();
  limiter.lower();
  for (const end of ends.splice(0)) end();
  await turn();
  assert.equal(running, 1);
  limiter.raise();
  await turn();
  assert.equal(running, 2);
  for (let i = 0; i < 9; i++) limiter.raise();
  await turn();
  assert.equal(running, 4);
  for (const end of ends.splice(0)) end();
  await Promise.all(all);
});

test('work that fails makes room as well', async () => {
  const limiter = new Limiter(1);
  await assert.rejects(
    limiter.run(() => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await limiter.run(async () => 'yes'), 'yes');
});
