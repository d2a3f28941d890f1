import type { Digest } from '../../core/digest.ts';
import { isAbort, WeighbridgeError } from '../../core/errors.ts';
import type { Survey } from '../target/survey.ts';
import type { ImageJob } from '../target/target-state.ts';
import type { ImageOutcome, PublishContext, SignatureOutcome } from '../types.ts';
import { ZERO_BYTES } from './byte-counts.ts';
import { outcomeStart, unchangedOutcome } from './image-outcomes.ts';

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
