import type { Variant } from '../config/types.ts';
import { sizesOf } from '../image/assemble/required-blobs.ts';
import type { AssembledModel } from '../image/assemble/types.ts';
import { changeSince } from '../image/image-change.ts';
import { refusalAt } from '../plan/targets.ts';
import type { ImageJob, Survey } from './target/survey.ts';
import { ZERO_BYTES } from './transfer/byte-counts.ts';
import type { ImageOutcome, PublishTarget, Unchanged } from './types.ts';

/** What every outcome of an image says. */
export function outcomeStart({ planned, target, draft }: ImageJob) {
  const { registry, store, inventory } = target;
  const previous = draft.tags.map(tag => inventory.tag(tag)).find(stored => stored !== undefined);
  const change = changeSince(previous, planned, draft);
  return {
    registry,
    variant: draft.variant,
    tags: draft.tags.map(tag => `${store.name}:${tag}`),
    sizes: sizesOf(draft),
    ...(change && { change }),
  };
}

export function unchangedOutcome(job: ImageJob, { seal }: Survey): Unchanged {
  const image = seal(job);
  if (image === undefined) throw new TypeError(`${job.target.store.name}: an unknown image is not unchanged`);
  const reused = job.draft.blobs.reduce((sum, blob) => sum + blob.sizeBytes, 0);
  const { digest } = image.top.descriptor;
  return { ...outcomeStart(job), status: 'unchanged', digest, bytes: { ...ZERO_BYTES, reused } };
}

/**
 * Images that are never made: what the policy does not let be built or a registry would not take is skipped, what could
 * not be assembled has failed, at all targets alike.
 */
export function notBuilt(
  { planned, refused }: AssembledModel,
  targets: readonly PublishTarget[],
  variants: readonly Variant[],
): ImageOutcome[] {
  const chosen = variants.filter(variant => planned.model.variants.includes(variant));
  return chosen.flatMap(variant =>
    targets.flatMap(({ registry, store }): ImageOutcome[] => {
      const common = { registry, variant, bytes: ZERO_BYTES };
      const decision = refusalAt(planned, variant, registry);
      if (decision !== undefined)
        return [{ ...common, tags: [], status: 'skipped', reason: decision.reason }];
      const refusal = refused.find(one => one.variant === variant);
      if (refusal === undefined) return [];
      const tags = planned.tags[variant].map(tag => `${store.name}:${tag}`);
      return [{ ...common, tags, status: 'failed', error: refusal.error, isUnassembled: true }];
    }),
  );
}
