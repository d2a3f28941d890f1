import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlannedModel } from '../../plan/types.ts';
import { modelConfig } from '../../policy/decide.fixtures.ts';
import { RunJournal } from './interrupted-report.ts';

const TAGS = { slim: ['v1-slim', 'r1-slim'], fat: ['v1-fat', 'r1-fat'] } as unknown as PlannedModel['tags'];
const at = (short: string) => [{ store: { name: `lab/hf-${short}` } }];

test('what is done and what is not, each by its first tag; models that had no turn are counted', () => {
  const journal = new RunJournal(3, ['slim', 'fat']);
  journal.notePlanned({ tags: TAGS }, at('x'));
  journal.noteEnd({ status: 'published', tags: ['lab/hf-x:v1-slim', 'lab/hf-x:r1-slim'] });
  journal.noteEnd({ status: 'failed', tags: ['lab/hf-x:v1-fat'] });
  assert.equal(
    journal.report(),
    '  done:\n    lab/hf-x:v1-slim\n  not done:\n    lab/hf-x:v1-fat\n  not begun: 2 models',
  );
});

test('a model that could not be planned is not among those that had no turn', async () => {
  const journal = new RunJournal(1, ['slim']);
  const model = modelConfig({ short: 'x' });
  const queue = journal.follow({
    models: [model],
    siblings: [],
    plan: async () => ({ kind: 'unresolved', model, error: { code: 'HUB_NOT_FOUND', message: 'x' } }),
  });
  await queue.plan(model);
  assert.equal(journal.report(), '');
});

test('of many, the first ten and a number', () => {
  const journal = new RunJournal(12, ['slim']);
  for (let index = 0; index < 12; index++) journal.notePlanned({ tags: TAGS }, at(`m${index}`));
  const lines = journal.report().split('\n');
  assert.deepEqual([lines[0], lines.length, lines.at(-1)], ['  not done:', 12, '    and 2 more']);
});
