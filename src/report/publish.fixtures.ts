import { type Digest, digestOf } from '../core/digest.ts';
import { RegistryError } from '../core/errors.ts';
import { GIB } from '../core/units.ts';
import type { Plan } from '../plan/types.ts';
import type { ByteCounts, PublishOutcome } from '../publish/types.ts';
import { plannedOf } from './plan.fixtures.ts';

export const FAT_DIGEST: Digest = digestOf('fat');
export const SLIM_DIGEST: Digest = digestOf('slim');
export const NO_BYTES: ByteCounts = { downloaded: 0, uploaded: 0, mounted: 0, reused: 0 };

export const DOWN = new RegistryError('localhost:5000 refused the connection', {
  code: 'REGISTRY_UNREACHABLE',
  subject: 'localhost:5000/models/hf-open',
  remedy: 'Start it, or leave it out with --registry ghcr.',
});

/** An image that has just been published; its JSON is the same. */
export const PUBLISHED_FAT = {
  registry: 'ghcr',
  variant: 'fat',
  tags: ['ghcr.io/acme/hf-open:v0.6.0-fat', 'ghcr.io/acme/hf-open:latest-fat'],
  digest: FAT_DIGEST,
  status: 'published',
  bytes: { downloaded: 3 * GIB, uploaded: 4 * GIB, mounted: 12 * GIB, reused: 0 },
} as const;

/** Of `samplePlan`: one of each status, not in the order of the plan; one registry is down. */
export function sampleOutcomes(plan: Plan): PublishOutcome[] {
  const gated = plannedOf(plan, 'gated');
  const failed = (variant: 'slim' | 'fat') => ({
    registry: 'lab',
    variant,
    tags: [`localhost:5000/models/hf-open:v0.6.0-${variant}`],
    status: 'failed' as const,
    error: DOWN,
    bytes: NO_BYTES,
  });
  return [
    {
      planned: plannedOf(plan, 'open'),
      images: [
        failed('fat'),
        failed('slim'),
        PUBLISHED_FAT,
        {
          registry: 'ghcr',
          variant: 'slim',
          tags: ['ghcr.io/acme/hf-open:v0.6.0-slim'],
          digest: SLIM_DIGEST,
          status: 'unchanged',
          bytes: { ...NO_BYTES, reused: 12 * GIB },
        },
      ],
    },
    {
      planned: gated,
      images: ['ghcr', 'lab'].map(registry => ({
        registry,
        variant: 'fat',
        tags: [],
        status: 'skipped',
        reason: 'The Hub gates this model.',
        bytes: NO_BYTES,
      })),
    },
  ];
}
