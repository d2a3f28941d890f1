import type { Digest } from '../core/digest.ts';
import { isAbort, WeighbridgeError } from '../core/errors.ts';
import { mapPool } from '../core/pool.ts';
import { outcomeStart, unchangedOutcome } from './image-outcomes.ts';
import type { Survey } from './target/survey.ts';
import type { ImageJob } from './target/target-state.ts';
import { ZERO_BYTES } from './transfer/byte-counts.ts';
import type { ImageOutcome, PublishContext, SignatureOutcome } from './types.ts';

const UNCHANGED_AT_ONCE = 4;

/** Signs an image by its digest. Returns undefined if nothing signs. Throws WeighbridgeError if a signature is required. */
export async function signPublished(
  { target, planned }: Pick<ImageJob, 'target' | 'planned'>,
  digest: Digest,
  { signing, signal }: PublishContext,
): Promise<SignatureOutcome | undefined> {
  if (signing === undefined) return undefined;
  try {
    await signing.sign(target.store, digest, planned);
    return { status: 'signed' };
  } catch (error) {
    const isTolerated = !signing.isRequired && error instanceof WeighbridgeError && !isAbort(error);
    if (!isTolerated || signal?.aborted) throw error;
    return { status: 'failed', error };
  }
}

/** Returns the outcomes of images that are there already: their statements may have to be made, or made again. */
export async function finishUnchanged(survey: Survey, context: PublishContext): Promise<ImageOutcome[]> {
  return await mapPool(survey.unchanged, UNCHANGED_AT_ONCE, async job => {
    const outcome = await signUnchanged(job, survey, context);
    context.onImage?.(outcome);
    return outcome;
  });
}

/** Returns the outcome of an image that is there already. Throws InterruptedError. */
export async function signUnchanged(
  job: ImageJob,
  survey: Survey,
  context: PublishContext,
): Promise<ImageOutcome> {
  const unchanged = unchangedOutcome(job, survey);
  try {
    const signature = await signPublished(job, unchanged.digest, context);
    return { ...unchanged, ...(signature && { signature }) };
  } catch (error) {
    if (context.signal?.aborted || !(error instanceof WeighbridgeError)) throw error;
    return { ...outcomeStart(job, survey.refusedTags(job)), status: 'failed', error, bytes: ZERO_BYTES };
  }
}
