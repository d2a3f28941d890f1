import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { outcomesOf } from '../../publish/publish-plan.ts';
import { widthOf } from '../layout/text-layout.ts';
import { samplePlan } from '../plan.fixtures.ts';
import { FAT_DIGEST, SLIM_DIGEST, sampleOutcomes } from '../publish.fixtures.ts';
import { publishErrors, publishedReferences, publishSummary } from './publish-summary.ts';

test('every image with what became of it, every error once with its remedy, then the sum', async () => {
  const plan = await samplePlan();
  assert.equal(
    publishSummary(outcomesOf(plan, sampleOutcomes(plan)), { columns: 80, isColor: false }),
    `open
  unchanged  ghcr slim  ${SLIM_DIGEST.slice(0, 19)}
             12 GiB already there
             ghcr.io/acme/hf-open:v0.6.0-slim
  published  ghcr fat  ${FAT_DIGEST.slice(0, 19)}
             4.0 GiB uploaded, 3.0 GiB downloaded, 12 GiB mounted
             ghcr.io/acme/hf-open:v0.6.0-fat
             ghcr.io/acme/hf-open:latest-fat
  failed     lab slim  [1]
             localhost:5000/models/hf-open:v0.6.0-slim
  failed     lab fat  [1]
             localhost:5000/models/hf-open:v0.6.0-fat

gated
  skipped    ghcr, lab fat
             The Hub gates this model.

[1] localhost:5000 refused the connection
    Start it, or leave it out with --registry ghcr.
    in open lab slim, open lab fat
[2] the Hub knows no model acme/absent
    Check the spelling of \`id\`, or set HF_TOKEN if it is private.
    in absent

1 published, 1 unchanged, 2 skipped, 2 failed, 1 model not resolved`,
  );
});

test('40 columns hold all but references, which stay whole to be copied', async () => {
  const plan = await samplePlan();
  const lines = publishSummary(outcomesOf(plan, sampleOutcomes(plan)), { columns: 40, isColor: false }).split(
    '\n',
  );
  const long = lines.filter(line => widthOf(line) > 40).map(line => line.trim());
  assert.ok(long.length > 0);
  for (const line of long) assert.match(line, /^\S+\/hf-open:\S+$/);
});

test('color changes nothing but color', async () => {
  const plan = await samplePlan();
  const colored = publishSummary(outcomesOf(plan, sampleOutcomes(plan)), { columns: 80, isColor: true });
  assert.ok(colored.includes('\u001b[32mpublished'));
  assert.equal(
    stripVTControlCharacters(colored),
    publishSummary(outcomesOf(plan, sampleOutcomes(plan)), { columns: 80, isColor: false }),
  );
});

test('nothing at all is said in words', () => {
  assert.equal(publishSummary([], { columns: 80, isColor: false }), 'nothing to publish');
});

test('a quiet publish: references by digest of what is at its registry, and the errors apart', async () => {
  const plan = await samplePlan();
  const outcomes = outcomesOf(plan, sampleOutcomes(plan));
  assert.deepEqual(publishedReferences(outcomes), [
    `ghcr.io/acme/hf-open@${SLIM_DIGEST}`,
    `ghcr.io/acme/hf-open@${FAT_DIGEST}`,
  ]);
  const errors = publishErrors(outcomes, { columns: 80, isColor: false });
  assert.match(errors, /^\[1\] localhost:5000 refused the connection\n/);
  assert.match(errors, /\n\[2\] the Hub knows no model acme\/absent\n/);
  assert.equal(publishErrors([], { columns: 80, isColor: false }), '');
});

test('what is built into a folder is neither published nor uploaded', async () => {
  const plan = await samplePlan();
  const text = publishSummary(outcomesOf(plan, sampleOutcomes(plan)), {
    columns: 80,
    isColor: false,
    isBuild: true,
  });
  assert.doesNotMatch(text, /publish|upload/);
  assert.match(text, /^ {2}built {6}ghcr fat[\s\S]*4\.0 GiB written[\s\S]*1 built, 1 unchanged/m);
});
