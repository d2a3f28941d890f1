import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plan, PlannedModel } from '../../plan/types.ts';
import { plannedOf, REVISION, samplePlan } from '../plan.fixtures.ts';
import { githubMatrix } from './github-matrix.ts';

test('a job matrix has one job for each model that can be published', async () => {
  const common = { revision: REVISION, slim: true };
  assert.deepEqual(githubMatrix(await samplePlan()), {
    include: [
      { name: 'open', models: 'open', id: 'acme/open', short: 'open', ...common, fat: true },
      { name: 'gated', models: 'gated', id: 'meta/gated', short: 'gated', ...common, fat: false },
    ],
  });
  assert.deepEqual(githubMatrix({ schemaVersion: 1, models: [], warnings: [] }), { include: [] });
});

test('256 models are 256 jobs; a thousand are 256 jobs too, of about the same size, with every model once', async () => {
  assert.equal(githubMatrix(await planOf(256)).include.length, 256);
  const plan = await planOf(1000);
  const { include } = githubMatrix(plan);
  assert.equal(include.length, 256);
  const jobs = include.map(job => job.models.split(','));
  assert.deepEqual(jobs.flat().sort(), plan.models.map(({ model }) => model.short).sort());
  const bytes = jobs.map(names => names.reduce((sum, name) => sum + sizeOf(Number(name.slice(1))), 0));
  const average = bytes.reduce((a, b) => a + b) / bytes.length;
  assert.ok(Math.max(...bytes) < 1.2 * average, `${Math.max(...bytes)} at most, ${average} on average`);
  assert.deepEqual(githubMatrix(plan), { include });
  assert.match(include[0]?.name ?? '', /^part-1-of-256$/);
});

/** The output of a step may have 1 MiB. */
test('the matrix of a thousand models with long names fits into a job output', async () => {
  const json = JSON.stringify(githubMatrix(await planOf(1000, 'x'.repeat(90))));
  assert.ok(json.length < 512 * 1024, `${json.length}`);
});

async function planOf(count: number, suffix = ''): Promise<Plan> {
  const open = plannedOf(await samplePlan(), 'open');
  const models = Array.from({ length: count }, (_, i): PlannedModel => {
    const short = `m${i}${suffix}`;
    const file = { path: 'model.safetensors', sizeBytes: sizeOf(i), gitOid: 'ab'.repeat(20) };
    return { ...open, model: { ...open.model, id: `acme/${short}`, short }, files: [file] };
  });
  return { schemaVersion: 1, models, warnings: [] };
}

function sizeOf(index: number): number {
  return 1_000_000_000 * (1 + ((index * 7919) % 40));
}
