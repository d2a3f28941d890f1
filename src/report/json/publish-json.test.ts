import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GIB } from '../../core/units.ts';
import { outcomesOf } from '../../publish/publish-plan.ts';
import {
  ABSENT_ERROR,
  ABSENT_HEAD,
  headOf,
  plannedOf,
  samplePlan,
  usualDecisions,
} from '../plan.fixtures.ts';
import { NO_BYTES, PUBLISHED_FAT, SLIM_DIGEST, sampleOutcomes } from '../publish.fixtures.ts';
import { publishToJson } from './publish-json.ts';

const ERROR = {
  code: 'REGISTRY_UNREACHABLE',
  message: 'localhost:5000 refused the connection',
  subject: 'localhost:5000/models/hf-open',
  remedy: 'Start it, or leave it out with --registry ghcr.',
};

test('outcomes as JSON: in the order of the plan, with what failed and what could not be resolved', async () => {
  const plan = await samplePlan();
  const skipped = { variant: 'fat', tags: [], status: 'skipped', bytes: NO_BYTES };
  const reason = 'The Hub gates this model.';

  assert.deepEqual(publishToJson(outcomesOf(plan, sampleOutcomes(plan))), {
    schemaVersion: 1,
    models: [
      {
        ...headOf('open'),
        serve: { port: 8000, dir: '/models/open', modelBytes: 3 * GIB + 700 },
        decisions: usualDecisions(plannedOf(plan, 'open')),
        images: [
          {
            registry: 'ghcr',
            variant: 'slim',
            tags: ['ghcr.io/acme/hf-open:v0.6.0-slim'],
            digest: SLIM_DIGEST,
            status: 'unchanged',
            bytes: { downloaded: 0, uploaded: 0, mounted: 0, reused: 12 * GIB },
          },
          PUBLISHED_FAT,
          {
            registry: 'lab',
            variant: 'slim',
            tags: ['localhost:5000/models/hf-open:v0.6.0-slim'],
            status: 'failed',
            error: ERROR,
            bytes: NO_BYTES,
          },
          {
            registry: 'lab',
            variant: 'fat',
            tags: ['localhost:5000/models/hf-open:v0.6.0-fat'],
            status: 'failed',
            error: ERROR,
            bytes: NO_BYTES,
          },
        ],
      },
      {
        ...headOf('gated'),
        serve: { port: 8000, dir: '/models/gated', modelBytes: 3 * GIB + 700 },
        decisions: usualDecisions(plannedOf(plan, 'gated')),
        images: [
          { registry: 'ghcr', ...skipped, reason },
          { registry: 'lab', ...skipped, reason },
        ],
      },
      {
        ...ABSENT_HEAD,
        error: ABSENT_ERROR,
      },
    ],
  });
});

test('a model without an outcome is listed, with no image', async () => {
  const plan = await samplePlan();
  assert.deepEqual(
    publishToJson(outcomesOf(plan, [])).models.map(({ short, images }) => [short, images.length]),
    [
      ['open', 0],
      ['gated', 0],
      ['absent', 0],
    ],
  );
});
