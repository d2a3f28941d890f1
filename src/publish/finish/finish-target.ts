import type { Digest } from '../../core/digest.ts';
import { WeighbridgeError } from '../../core/errors.ts';
import { refusedTagsNow, tagsWithout } from '../target/immutable-tags.ts';
import type { Survey } from '../target/survey.ts';
import type { ImageJob, TargetState } from '../target/target-state.ts';
import { placeBlobs } from '../transfer/place-blobs.ts';
import type { ImageOutcome, PublishContext, RefusedTag, SignatureOutcome } from '../types.ts';
import { countBytes } from './byte-counts.ts';
import { outcomeStart } from './image-outcomes.ts';
import { pushImage } from './push-image.ts';
import { signPublished, signUnchanged } from './sign-published.ts';

/**
 * Does the last steps at one target, one variant after the other. Returns the outcomes of the images that were pending.
 * Throws InterruptedError.
 */
export async function finishTarget(
  target: TargetState,
  survey: Survey,
  context: PublishContext,
): Promise<ImageOutcome[]> {
  const outcomes: ImageOutcome[] = [];
  const counted = new Set<string>();
  for (const job of survey.pending.filter(candidate => candidate.target === target)) {
    if (isThere(job, survey)) {
      const outcome = await signUnchanged(job, survey, context);
      outcomes.push(outcome);
      context.onImage?.(outcome);
      continue;
    }
    const count = () => countBytes(job.draft.blobs, target, counted);
    let outcome: ImageOutcome;
    try {
      const { digest, documentBytes, signature, refused } = await finishImage(job, survey, context);
      const bytes = count();
      const uploaded = bytes.uploaded + documentBytes;
      const signed = signature && { signature };
      const common = outcomeStart(job, refused);
      outcome = { ...common, status: 'published', digest, bytes: { ...bytes, uploaded }, ...signed };
    } catch (error) {
      if (context.signal?.aborted || !(error instanceof WeighbridgeError)) throw error;
      outcome = { ...outcomeStart(job, []), status: 'failed', error, bytes: count() };
    }
    outcomes.push(outcome);
    context.onImage?.(outcome);
  }
  return outcomes;
}

interface FinishedImage {
  readonly digest: Digest;
  readonly documentBytes: number;
  readonly signature: SignatureOutcome | undefined;
  readonly refused: readonly RefusedTag[];
}

/** Whether all that was missing of an image was proof that its layers are what they were said to be. */
function isThere(job: ImageJob, { isUnchanged }: Survey): boolean {
  const isReused = job.draft.blobs.every(({ id }) => job.target.blobs.get(id)?.how === 'reused');
  return isReused && isUnchanged(job);
}

async function finishImage(job: ImageJob, survey: Survey, context: PublishContext): Promise<FinishedImage> {
  const { target, draft } = job;
  for (let isAgain = false; ; isAgain = true) {
    const failure = target.unavailable ?? firstFailure(job);
    if (failure !== undefined) throw failure;
    await replaceDisproved(job, survey, context);
    const image = survey.seal(job);
    if (image === undefined) throw new TypeError(`${target.store.name}: a layer was placed but is not known`);
    try {
      const { digest } = image.top.descriptor;
      const refused = await refusedTagsNow(job, digest, context);
      const tags = tagsWithout(draft.tags, refused);
      if (tags.length === 0 && refused[0] !== undefined) throw refused[0].error;
      let signature: SignatureOutcome | undefined;
      const documentBytes = await pushImage(target.store, image, tags, {
        signal: context.signal,
        beforeTags: async () => {
          signature = await signPublished(job, digest, context);
        },
      });
      return { digest, documentBytes, signature, refused };
    } catch (error) {
      const isLost = error instanceof WeighbridgeError && error.code === 'REGISTRY_BLOB_UNKNOWN';
      if (!isLost || isAgain) throw error;
      // Its manifests name blobs that it has lost since: each one is asked for now, and moved if it is missing.
      target.inventory.invalidate();
      await placeBlobs([job], survey, context);
    }
  }
}

/** A layer that the target's manifests claimed, and that turned out to be a different one in this run, is brought again. */
async function replaceDisproved(job: ImageJob, survey: Survey, context: PublishContext): Promise<void> {
  const { target, draft } = job;
  const isDisproved = draft.blobs.some(({ kind, id }) => {
    const result = target.blobs.get(id);
    const digest = survey.known.get(id)?.digest;
    if (kind !== 'own' || result === undefined || digest === undefined || !('digest' in result)) return false;
    return result.digest !== digest;
  });
  if (!isDisproved) return;
  target.inventory.invalidate();
  await placeBlobs([job], survey, context);
  const failure = target.unavailable ?? firstFailure(job);
  if (failure !== undefined) throw failure;
}

function firstFailure({ target, draft }: ImageJob): unknown {
  for (const { id } of draft.blobs) {
    const result = target.blobs.get(id);
    if (result?.how === 'failed') return result.error;
  }
  return undefined;
}
