import { mapPool } from '../core/pool.ts';
import type { AssembledModel } from '../image/types.ts';
import { finishTarget } from './finish/finish-target.ts';
import { notBuilt, refusedOutcome } from './finish/image-outcomes.ts';
import { signUnchanged } from './finish/sign-published.ts';
import { surveyTargets } from './target/survey.ts';
import { placeBlobs } from './transfer/place-blobs.ts';
import type { ImageOutcome, PublishContext, PublishOutcome, PublishTarget } from './types.ts';

const UNCHANGED_AT_ONCE = 4;

/**
 * Publishes one model: reads what is there, moves what is missing, and then sets the tags. An image that needs no blob goes
 * from the survey to its end at once. Returns the model's outcome.
 */
export async function publishModel(
  assembled: AssembledModel,
  targets: readonly PublishTarget[],
  context: PublishContext,
): Promise<PublishOutcome> {
  const report = <Outcome extends ImageOutcome>(outcome: Outcome): Outcome => {
    context.onImage?.(outcome);
    return outcome;
  };
  const survey = await surveyTargets(assembled, targets, context);
  const unchanged = await mapPool(survey.unchanged, UNCHANGED_AT_ONCE, async job =>
    report(await signUnchanged(job, survey, context)),
  );
  const refused = survey.refused.map(job => report(refusedOutcome(job, survey)));
  await placeBlobs(survey.pending, survey, context);
  const finished = await Promise.all(survey.targets.map(target => finishTarget(target, survey, context)));
  const images = [
    ...unchanged,
    ...refused,
    ...finished.flat(),
    ...notBuilt(assembled, targets, context.variants),
  ];
  return { planned: assembled.planned, images };
}
