import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { SharedBudget } from './shared-budget.ts';

test('a budget is what it was made with, and nobody waits for it', () => {
  const budget = new SharedBudget('test-alone', 2);
  assert.deepEqual([budget.take(), budget.take(), budget.take()], [true, true, false]);
  budget.giveBack();
  assert.equal(budget.take(), true);
  assert.equal(budget.left, 0);
  assert.throws(() => new SharedBudget('test-negative', -1), /expected a limit of 0 or more, got -1/);
});

test('threads have one budget together', async () => {
  const budget = new SharedBudget('test-threads', 1000);
  const program = `
    const { SharedBudget } = await import(${JSON.stringify(new URL('./shared-budget.ts', import.meta.url).href)});
    const budget = new SharedBudget('test-threads', 1000);
    let taken = 0;
    while (budget.take()) taken += 1;
    require('node:worker_threads').parentPort.postMessage(taken);`;
  const counts = await Promise.all(
    Array.from({ length: 3 }, async () => {
      const worker = new Worker(`(async () => {${program}})()`, { eval: true });
      const [taken] = await once(worker, 'message');
      return Number(taken);
    }),
  );
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    1000,
  );
  assert.equal(budget.left, 0);
});
