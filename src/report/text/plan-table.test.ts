import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { widthOf } from '../layout/text-layout.ts';
import { samplePlan } from '../plan.fixtures.ts';
import { planTable } from './plan-table.ts';

test('80 columns: an overview, then why and where to', async () => {
  const text = planTable(await samplePlan(), { columns: 80, isColor: false });
  assert.equal(
    text.split('\n\n').slice(0, 2).join('\n\n'),
    `MODEL   REVISION  LICENSE              GATED  SLIM  FAT  FITS  WEIGHTS
open    01234567  Apache-2.0           no     yes   yes  -     3.0 GiB, 2 files
gated   01234567  LicenseRef-llama3.1  yes    yes   no   -     3.0 GiB, 2 files
absent  error     -                    -      -     -    -     -

open
  model     acme/open
  revision  0123456789abcdef0123456789abcdef01234567
  fat       yes. The license Apache-2.0 is permitted by the whitelist: the Hub
            says apache-2.0.
  to        ghcr: ghcr.io/acme/hf-open
            v0.6.0-slim r0123456789abcdef0123456789abcdef01234567-slim
            v0.6.0-r01234567-slim
            v0.6.0-fat r0123456789abcdef0123456789abcdef01234567-fat
            v0.6.0-r01234567-fat
  to        lab: localhost:5000/models/hf-open
            v0.6.0-slim r0123456789abcdef0123456789abcdef01234567-slim
            v0.6.0-r01234567-slim
            v0.6.0-fat r0123456789abcdef0123456789abcdef01234567-fat
            v0.6.0-r01234567-fat`,
  );
});

test('an unresolved model says why and what to do, and is counted', async () => {
  const text = planTable(await samplePlan(), { columns: 100, isColor: false });
  assert.match(
    text,
    /\nabsent\n {2}model {5}acme\/absent\n {2}error {5}the Hub knows no model acme\/absent\n {2}remedy {4}Check the spelling/,
  );
  assert.match(text, /3 models: 2 slim and 1 fat to build; 1 model could not be resolved\.$/);
});

test('a column has a title of its own, also beside the variant weights', async () => {
  const plan = await samplePlan();
  const variants = ['slim', 'fat', 'weights', 'modelpack'] as const;
  const models = plan.models.map(entry => {
    if (entry.kind === 'unresolved') return entry;
    const { decisions } = entry.outcome;
    const all = { ...decisions, weights: decisions.fat, modelpack: decisions.fat };
    return {
      ...entry,
      model: { ...entry.model, variants },
      outcome: { ...entry.outcome, decisions: all },
    };
  });
  const text = planTable({ ...plan, models }, { columns: 120, isColor: false });
  const titles = (text.split('\n')[0] ?? '').trim().split(/ {2,}/);
  assert.deepEqual(titles, [...new Set(titles)]);
  assert.match(text, /3 models: 2 slim, 1 fat, 1 weights and 1 modelpack to build;/);
});

test('a refused variant says so with its reason', async () => {
  const text = planTable(await samplePlan(), { columns: 120, isColor: false });
  const gated = text.split('\n\n').find(block => block.startsWith('gated\n'));
  assert.match(gated ?? '', / fat {7}no\. The Hub gates this model/);
  assert.doesNotMatch(gated ?? '', /v0\.6\.0-fat/);
});

for (const columns of [40, 80, 120]) {
  test(`${columns} columns hold it: only a word that is longer than a line is`, async () => {
    const text = planTable(await samplePlan(), { columns, isColor: false });
    const long = text.split('\n').filter(line => widthOf(line) > columns);
    assert.deepEqual(
      long.filter(line => line.trim().includes(' ')),
      [],
    );
    for (const fact of ['Apache-2.0', '01234567', '3.0 GiB, 2 files', 'LicenseRef-llama3.1'])
      assert.ok(text.includes(fact), `${fact} is missing at ${columns} columns`);
  });
}

test('color changes nothing but color', async () => {
  const plan = await samplePlan();
  const colored = planTable(plan, { columns: 80, isColor: true });
  assert.ok(colored.includes('\u001b[31m'));
  assert.equal(stripVTControlCharacters(colored), planTable(plan, { columns: 80, isColor: false }));
});

test('words from outside cannot move the cursor or command a CI runner', async () => {
  const plan = await samplePlan({
    license: {
      license: 'other',
      licenseName: 'a\u001b[2Jb\u009b1m ::stop-commands::x ##[error]y\u202e\nz',
      licenseLink: null,
    },
  });
  const text = planTable(plan, { columns: 40, isColor: false });
  assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{C}]/u);
  assert.doesNotMatch(text, /^\s*::|##\[/m);
});

test('an empty plan says so', () => {
  assert.equal(
    planTable({ schemaVersion: 1, models: [], warnings: [] }, { columns: 80, isColor: false }),
    'There is no model to plan.',
  );
});

test('many models are a table; what is wrong is told, and --reasons tells it all', async () => {
  const plan = await samplePlan();
  const many = { ...plan, models: [...plan.models, ...plan.models, ...plan.models] };
  const short = planTable(many, { columns: 80, isColor: false });
  assert.ok(!short.includes('The license'), short);
  assert.equal(short.split('the Hub knows no model').length - 1, 3);
  assert.match(short, /\nReasons: weighbridge plan --explain <short>, or --reasons for all models\.$/);
  assert.ok(planTable(many, { columns: 80, isColor: false, hasReasons: true }).includes('The license'));
  // Without room for the table the sections are all there is.
  assert.ok(planTable(many, { columns: 30, isColor: false }).includes('whitelist'));
});
