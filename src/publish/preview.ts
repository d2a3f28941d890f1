import type { OnEvent } from '../core/events.ts';
import { mapPool } from '../core/pool.ts';
import { formatBytes } from '../core/text.ts';
import { type AssembleContext, assembleModel } from '../image/assemble-model.ts';
import { type AssemblyFacts, assemblyFacts } from '../image/assembly-facts.ts';
import type { PlannedModel } from '../plan/types.ts';
import { Estimate, type ExpectedImage, expectedImage } from './estimate.ts';
import { ZERO_BYTES } from './finish/byte-counts.ts';
import { notBuilt, outcomeStart, refusedOutcome, unchangedOutcome } from './finish/image-outcomes.ts';
import { reportOutcome } from './publish-plan.ts';
import type { RunCache } from './run-cache.ts';
import { surveyTargets } from './target/survey.ts';
import type { ImageJob } from './target/target-state.ts';
import type { ByteCounts, ImageOutcome, PublishOutcome, PublishTarget, SurveyContext } from './types.ts';

/** What a dry run looks at. */
export interface PreviewOptions extends SurveyContext, Pick<AssembleContext, 'bootstrap'> {
  readonly cache: RunCache;
  readonly targetsOf: (model: PlannedModel) => readonly PublishTarget[];
  readonly onEvent: OnEvent;
  /** Whether what images are made of is told too. */
  readonly isDetailed?: boolean;
}

/** What a publish would do with a model's images, and what they are made of. */
export interface Preview extends PublishOutcome {
  readonly assembly?: AssemblyFacts;
}

const MODELS_AT_ONCE = 8;

/** Returns what a publish would do: the same journey up to the first blob that would move. Reads only. */
export async function previewPlan(
  models: readonly PlannedModel[],
  options: PreviewOptions,
): Promise<Preview[]> {
  const looks = await mapPool(models, MODELS_AT_ONCE, planned => look(planned, options));
  // In the order of the plan, which is about that of a publish: what one model brings, a later one finds.
  const estimate = new Estimate();
  return looks.map(one => {
    const preview = toPreview(one, estimate);
    reportOutcome(preview, options.onEvent);
    return preview;
  });
}

/** What one model's targets have shown. Inventories and drafts are not kept: there may be thousands of models. */
interface Look extends Preview {
  readonly pending: readonly {
    readonly common: ReturnType<typeof outcomeStart>;
    readonly expected: ExpectedImage;
  }[];
}

async function look(planned: PlannedModel, options: PreviewOptions): Promise<Look> {
  const { cache, targetsOf, variants, isForced } = options;
  options.onEvent({ type: 'model-start', model: planned.model.short, phase: 'publish' });
  const assembled = await assembleModel(planned, {
    ...options,
    baseImage: cache.baseImage,
    pathOver: cache.pathOver,
  });
  const targets = targetsOf(planned);
  const survey = await surveyTargets(assembled, targets, options);
  const isOut = ({ target }: ImageJob): boolean => target.unavailable !== undefined;
  return {
    planned,
    ...(options.isDetailed && { assembly: assemblyFacts(assembled) }),
    images: [
      ...survey.unchanged.map(job => unchangedOutcome(job, survey)),
      ...survey.refused.map(job => refusedOutcome(job, survey)),
      ...survey.pending.filter(isOut).map(unavailableOutcome),
      ...notBuilt(assembled, targets, variants),
    ],
    pending: survey.pending
      .filter(job => !isOut(job))
      .map(job => ({
        common: outcomeStart(job, survey.refusedTags(job)),
        expected: expectedImage(job, survey.targets, isForced),
      })),
  };
}

function unavailableOutcome(job: ImageJob): ImageOutcome {
  return { ...outcomeStart(job, []), status: 'failed', error: job.target.unavailable, bytes: ZERO_BYTES };
}

function toPreview({ pending, images, ...rest }: Look, estimate: Estimate): Preview {
  const sizes = estimate.of(pending.map(one => one.expected));
  const wanted = pending.map(({ common }, index): ImageOutcome => {
    const bytes = sizes[index] ?? ZERO_BYTES;
    return { ...common, status: 'skipped', reason: `dry run: ${reasonOf(bytes)}`, bytes };
  });
  return { ...rest, images: [...images, ...wanted] };
}

function reasonOf({ uploaded, reused, mounted }: ByteCounts): string {
  const there = reused === 0 ? '' : `, ${formatBytes(reused)} already there`;
  const more = mounted === 0 ? '' : `, ${formatBytes(mounted)} can be mounted`;
  return `would move up to ${formatBytes(uploaded)}${there}${more}`;
}
