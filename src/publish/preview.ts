import type { OnEvent } from '../core/events.ts';
import { mapPool } from '../core/pool.ts';
import { type AssembleContext, assembleModel } from '../image/assemble/assemble-model.ts';
import { type AssemblyFacts, assemblyFacts } from '../image/assembly-facts.ts';
import type { PlannedModel } from '../plan/types.ts';
import { notBuilt, outcomeStart, unchangedOutcome } from './image-outcomes.ts';
import { reportOutcome } from './publish-plan.ts';
import type { RunCache } from './run-cache.ts';
import { type ImageJob, surveyTargets } from './target/survey.ts';
import type { TargetState } from './target/target-state.ts';
import { ZERO_BYTES } from './transfer/byte-counts.ts';
import { Estimate } from './transfer/estimate.ts';
import type { ImageOutcome, PublishOutcome, PublishTarget, SurveyContext } from './types.ts';

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

/** Says what a publish would do: the same journey up to the first blob that would move. Reading is all it takes. */
export async function previewPlan(
  models: readonly PlannedModel[],
  options: PreviewOptions,
): Promise<Preview[]> {
  const pending = await mapPool(models, MODELS_AT_ONCE, planned => look(planned, options));
  // In the order of the plan, which is about that of a publish: what one model brings, a later one finds.
  const estimate = new Estimate();
  return pending.map(finish => {
    const preview = finish(estimate);
    reportOutcome(preview, options.onEvent);
    return preview;
  });
}

async function look(
  planned: PlannedModel,
  options: PreviewOptions,
): Promise<(estimate: Estimate) => Preview> {
  const { cache, targetsOf, variants } = options;
  options.onEvent({ type: 'model-start', model: planned.model.short, phase: 'publish' });
  const assembled = await assembleModel(planned, { ...options, baseImage: cache.baseImage });
  const targets = targetsOf(planned);
  const survey = await surveyTargets(assembled, targets, options);
  const unchanged = survey.unchanged.map(job => unchangedOutcome(job, survey));
  const detail = options.isDetailed ? { assembly: assemblyFacts(assembled) } : {};
  return estimate => ({
    planned,
    ...detail,
    images: [
      ...unchanged,
      ...survey.pending.map(job => expected(job, survey.targets, { estimate, isForced: options.isForced })),
      ...notBuilt(assembled, targets, variants),
    ],
  });
}

function expected(
  job: ImageJob,
  allTargets: readonly TargetState[],
  { estimate, isForced }: { readonly estimate: Estimate; readonly isForced: boolean },
): ImageOutcome {
  const { unavailable } = job.target;
  const common = outcomeStart(job);
  if (unavailable !== undefined)
    return { ...common, status: 'failed', error: unavailable, bytes: ZERO_BYTES };
  const { bytes, reason } = estimate.of(job, allTargets, isForced);
  return { ...common, status: 'skipped', reason: `dry run: ${reason}`, bytes };
}
