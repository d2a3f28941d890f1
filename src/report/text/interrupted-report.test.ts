import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlannedModel } from '../../plan/types.ts';
import type { ImageOutcome } from '../../publish/types.ts';
import { interruptedReport } from './interrupted-report.ts';

const model = (short: string) =>
  ({
    model: { short },
    tags: { slim: ['v1-slim', 'r1-slim'], fat: ['v1-fat', 'r1-fat'] },
  }) as unknown as PlannedModel;
const targetsOf = ({ model: { short } }: PlannedModel) => [{ store: { name: `lab/hf-${short}` } }];
const image = (tag: string, status: ImageOutcome['status']) =>
  ({ tags: [tag], status }) as unknown as ImageOutcome;

test('what is done and what is not, each by its first tag', () => {
  const done = [image('lab/hf-x:v1-slim', 'published'), image('lab/hf-x:v1-fat', 'failed')];
  assert.equal(
    interruptedReport([model('x')], { variants: ['slim', 'fat'], targetsOf }, done),
    '  done:\n    lab/hf-x:v1-slim\n  not done:\n    lab/hf-x:v1-fat',
  );
});

test('of many, the first ten and a number', () => {
  const models = Array.from({ length: 12 }, (_, index) => model(`m${index}`));
  const lines = interruptedReport(models, { variants: ['slim'], targetsOf }, []).split('\n');
  assert.deepEqual([lines[0], lines.length, lines.at(-1)], ['  not done:', 12, '    and 2 more']);
});
