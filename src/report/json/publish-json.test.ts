import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlannedModel } from '../../plan/types.ts';
import { outcomesOf } from '../../publish/publish-plan.ts';
import { plannedOf, REVISION, samplePlan } from '../plan.fixtures.ts';
import { FAT_DIGEST, NO_BYTES, SLIM_DIGEST, sampleOutcomes } from '../publish.fixtures.ts';
import { publishToJson } from './publish-json.ts';

const GIB = 1024 ** 3;
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
        id: 'acme/open',
        short: 'open',
        revision: REVISION,
        license: 'Apache-2.0',
        serve: { port: 8000, dir: '/models/open', modelBytes: 3 * GIB + 700 },
        decisions: usual(plannedOf(plan, 'open')),
        images: [
          {
            registry: 'ghcr',
            variant: 'slim',
            tags: ['ghcr.io/acme/hf-open:v0.6.0-slim'],
            digest: SLIM_DIGEST,
            status: 'unchanged',
            bytes: { downloaded: 0, uploaded: 0, mounted: 0, reused: 12 * GIB },
          },
          {
            registry: 'ghcr',
            variant: 'fat',
            tags: ['ghcr.io/acme/hf-open:v0.6.0-fat', 'ghcr.io/acme/hf-open:latest-fat'],
            digest: FAT_DIGEST,
            status: 'published',
            bytes: { downloaded: 3 * GIB, uploaded: 4 * GIB, mounted: 12 * GIB, reused: 0 },
          },
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
        id: 'meta/gated',
        short: 'gated',
        revision: REVISION,
        license: 'LicenseRef-llama3.1',
        serve: { port: 8000, dir: '/models/gated', modelBytes: 3 * GIB + 700 },
        decisions: usual(plannedOf(plan, 'gated')),
        images: [
          { registry: 'ghcr', ...skipped, reason },
          { registry: 'lab', ...skipped, reason },
        ],
      },
      {
        id: 'acme/absent',
        short: 'absent',
        revision: null,
        decisions: null,
        images: [],
        error: {
          code: 'HUB_NOT_FOUND',
          message: 'the Hub knows no model acme/absent',
          subject: 'acme/absent',
          remedy: 'Check the spelling of `id`, or set HF_TOKEN if it is private.',
        },
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

/** Of a model that lists no other variants. */
function usual({ outcome }: PlannedModel) {
  const { slim, fat } = outcome.decisions;
  return { slim, fat };
}
