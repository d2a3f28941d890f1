import type { Variant } from '../config/types.ts';
import { needsOf, sizesOf } from '../image/assemble/blob-needs.ts';
import type { Draft, FinishedImage } from '../image/assemble/draft.ts';
import { changeSince } from '../image/image-change.ts';
import { refusalAt } from '../plan/targets.ts';
import type { PlannedModel } from '../plan/types.ts';
import type { TargetState } from './target/target-state.ts';
import { sizeBeforehand, ZERO_BYTES } from './transfer/byte-counts.ts';
import type { ImageOutcome, PublishContext, PublishTarget } from './types.ts';

/** One image on its way to one target. */
export interface Job {
  readonly planned: PlannedModel;
  readonly target: TargetState;
  readonly draft: Draft;
  readonly tags: readonly string[];
}

export function outcomeStart({ planned, target, draft, tags }: Job) {
  const { registry, store, published } = target;
  const previous = tags.map(tag => published.tag(tag)).find(stored => stored !== undefined);
  const change = changeSince(previous, planned, draft);
  return {
    registry,
    variant: draft.variant,
    tags: tags.map(tag => `${store.name}:${tag}`),
    sizes: sizesOf(draft),
    ...(change && { change }),
  };
}

export function unchangedOutcome(
  job: Job,
  finish: (draft: Draft) => FinishedImage | undefined,
): ImageOutcome {
  const digest = finish(job.draft)?.top.descriptor.digest;
  const reused = needsOf(job.draft).reduce((sum, need) => sum + need.sizeBytes, 0);
  return {
    ...outcomeStart(job),
    status: 'unchanged',
    ...(digest && { digest }),
    bytes: { ...ZERO_BYTES, reused },
  };
}

export function dryOutcomes(jobs: readonly Job[]): ImageOutcome[] {
  const counted = new Map<TargetState, Set<string>>();
  return jobs.map(job => {
    const seen = counted.get(job.target) ?? new Set();
    counted.set(job.target, seen);
    return dryOutcome(job, seen);
  });
}

function dryOutcome(job: Job, counted: Set<string>): ImageOutcome {
  const { dead } = job.target;
  if (dead !== undefined) return { ...outcomeStart(job), status: 'failed', error: dead, bytes: ZERO_BYTES };
  const { reason, bytes } = sizeBeforehand(needsOf(job.draft), job.target, counted);
  return { ...outcomeStart(job), status: 'skipped', reason: `dry run: ${reason}`, bytes };
}

/** What the policy does not let be built, or a registry would not take: an outcome like any other. */
export function skippedImages(
  planned: PlannedModel,
  targets: readonly PublishTarget[],
  context: PublishContext,
): ImageOutcome[] {
  return context.variants.flatMap(variant =>
    targets.flatMap(({ registry }): ImageOutcome[] => {
      const refusal = refusalAt(planned, variant, registry);
      if (refusal === undefined) return [];
      const { reason } = refusal;
      return [{ registry, variant, tags: [], status: 'skipped', reason, bytes: ZERO_BYTES }];
    }),
  );
}

/** `repository` is the full name: `ghcr.io/acme/hf-x`. */
export function failedImages(
  planned: PlannedModel,
  places: readonly { readonly registry: string; readonly repository: string }[],
  variants: readonly Variant[],
  error: unknown,
): ImageOutcome[] {
  return variants.flatMap(variant =>
    places
      .filter(({ registry }) => refusalAt(planned, variant, registry) === undefined)
      .map(
        ({ registry, repository }): ImageOutcome => ({
          registry,
          variant,
          tags: planned.tags[variant].map(tag => `${repository}:${tag}`),
          status: 'failed',
          error,
          bytes: ZERO_BYTES,
        }),
      ),
  );
}
