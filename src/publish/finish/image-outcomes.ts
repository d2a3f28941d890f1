import type { Variant } from '../../config/types.ts';
import { changeSince } from '../../image/image-change.ts';
import type { AssembledModel } from '../../image/types.ts';
import { refusalAt } from '../../plan/targets.ts';
import { tagsWithout } from '../target/immutable-tags.ts';
import type { Survey } from '../target/survey.ts';
import type { ImageJob } from '../target/target-state.ts';
import type { Failed, ImageOutcome, PublishTarget, RefusedTag, Unchanged } from '../types.ts';
import { ZERO_BYTES } from './byte-counts.ts';

/** Returns the fields that every outcome of an image has. */
export function outcomeStart({ planned, target, draft }: ImageJob, refused: readonly RefusedTag[]) {
  const { registry, store, inventory } = target;
  const previous = draft.tags.map(tag => inventory.tag(tag)).find(stored => stored !== undefined);
  const change = changeSince(previous, planned, draft);
  return {
    registry,
    variant: draft.variant,
    tags: tagsWithout(draft.tags, refused).map(tag => `${store.name}:${tag}`),
    ...(refused.length > 0 && { refusedTags: refused }),
    sizes: draft.sizes,
    ...(change && { change }),
  };
}

/**
 * Returns the outcome of an image that all of its tags name already. Throws TypeError for an image that is not known.
 */
export function unchangedOutcome(job: ImageJob, { seal, refusedTags }: Survey): Unchanged {
  const image = seal(job);
  if (image === undefined) throw new TypeError(`${job.target.store.name}: an unknown image is not unchanged`);
  const reused = job.draft.blobs.reduce((sum, blob) => sum + blob.sizeBytes, 0);
  const { digest } = image.top.descriptor;
  return {
    ...outcomeStart(job, refusedTags(job)),
    status: 'unchanged',
    digest,
    bytes: { ...ZERO_BYTES, reused },
  };
}

/**
 * Whether not all of an image is as it should be: it failed, could not be signed though it was to be, or a tag of it
 * stays with another image.
 */
export function isFailure(image: ImageOutcome): boolean {
  return (
    image.status === 'failed' ||
    image.refusedTags !== undefined ||
    ('signature' in image && image.signature?.status === 'failed')
  );
}

/** Returns the outcome of an image that may get none of its tags: nothing is moved for it. */
export function refusedOutcome(job: ImageJob, { refusedTags }: Survey): Failed {
  const refused = refusedTags(job);
  const error = refused[0]?.error;
  return { ...outcomeStart(job, refused), status: 'failed', error, bytes: ZERO_BYTES };
}

/**
 * Returns the outcomes of images that are never made: one that the policy refuses or a registry would not take is
 * skipped, one that could not be assembled has failed, at all targets alike.
 */
export function notBuilt(
  { planned, refused }: Pick<AssembledModel, 'planned' | 'refused'>,
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
