import { isAbort, SigningError, WeighbridgeError } from '../core/errors.ts';
import type { OnEvent } from '../core/events.ts';
import { Limiter, mapPool } from '../core/pool.ts';
import { hasSignatureFile } from '../image/assemble/model-signature.ts';
import { type AssembleContext, assembleModel } from '../image/assemble-model.ts';
import { type Plan, type PlannedModel, plannedModels } from '../plan/types.ts';
import { isFailure, notBuilt } from './finish/image-outcomes.ts';
import { publishModel } from './publish-model.ts';
import type { Sibling } from './run-cache.ts';
import { backOffAtRateLimits } from './transfer/rate-limit-backoff.ts';
import type {
  ModelOutcome,
  ModelQueue,
  PublishContext,
  PublishOutcome,
  PublishTarget,
  ReportedModel,
} from './types.ts';

/** What a plan is published with. */
export interface PublishPlanOptions
  extends Omit<PublishContext, 'blobSlots'>,
    Pick<AssembleContext, 'bootstrap' | 'modelSigner'> {
  readonly targetsOf: (model: PlannedModel) => readonly PublishTarget[] | Promise<readonly PublishTarget[]>;
  /** Has every event of the run told to `listener` too, until what it returns is called. */
  readonly listen: (listener: OnEvent) => () => void;
  /** Told of a model and where it goes, before anything of it is published. */
  readonly onPlanned?: ((planned: PlannedModel, targets: readonly PublishTarget[]) => void) | undefined;
  /** Looks at a model before anything of it is published. One that it throws a WeighbridgeError for is not. */
  readonly admit?: ((planned: PlannedModel) => Promise<void>) | undefined;
}

/** Models under way at once: most of them have nothing to do and only wait for answers. */
const MODELS_AT_ONCE = 16;
/** Models that are planned, or wait for their turn, while others are published: a slow one does not hold up the others. */
const PLANNED_AHEAD = 8;
/** Blobs under way at once: enough to hide round trips, few enough to keep memory flat. */
const BLOBS_AT_ONCE = 4;

/**
 * Publishes each model to its targets as soon as it is planned; one that fails does not stop the others. Returns outcomes
 * in the models' order. Of a model that is done only what reports tell is kept.
 */
export async function publishModels(queue: ModelQueue, options: PublishPlanOptions): Promise<ModelOutcome[]> {
  options.cache.noteSiblings(queue.siblings);
  options.onEvent({ type: 'run', models: queue.models.length });
  const turns = new Limiter(MODELS_AT_ONCE);
  return await withBlobSlots(options, context =>
    mapPool(queue.models, MODELS_AT_ONCE + PLANNED_AHEAD, async model => {
      const planned = await queue.plan(model);
      if (planned.kind === 'unresolved') return planned;
      return brief(await turns.run(() => publishOne(planned, context)));
    }),
  );
}

/** Publishes a plan that its caller keeps. Returns what `publishModels` does, with all of each model in its outcome. */
export async function publishPlan(
  models: readonly PlannedModel[],
  options: PublishPlanOptions,
): Promise<PublishOutcome[]> {
  options.cache.noteSiblings(models.flatMap(siblingsOf));
  return await withBlobSlots(options, context =>
    mapPool(models, MODELS_AT_ONCE, planned => publishOne(planned, context)),
  );
}

/** Returns the models of a plan as a queue, nothing of which has to be asked for. */
export function queueOf({ models }: Pick<Plan, 'models'>): ModelQueue {
  const entries = new Map(models.map(entry => [entry.model, entry]));
  return {
    models: models.map(({ model }) => model),
    siblings: plannedModels({ models }).flatMap(siblingsOf),
    async plan(model) {
      const entry = entries.get(model);
      if (entry === undefined) throw new TypeError(`${model.short} is not in the plan`);
      return entry;
    },
  };
}

/** Returns an outcome for each model of a plan: those that were not planned have none of `outcomes`. */
export function outcomesOf(
  { models }: Pick<Plan, 'models'>,
  outcomes: readonly PublishOutcome[],
): ModelOutcome[] {
  const byModel = new Map(outcomes.map(outcome => [outcome.planned, outcome]));
  return models.map(entry =>
    entry.kind === 'unresolved' ? entry : (byModel.get(entry) ?? { planned: entry, images: [] }),
  );
}

type RunContext = PublishPlanOptions & Pick<PublishContext, 'blobSlots'>;

async function withBlobSlots<T>(
  options: PublishPlanOptions,
  work: (context: RunContext) => Promise<T>,
): Promise<T> {
  const blobSlots = new Limiter(BLOBS_AT_ONCE);
  const unlisten = options.listen(backOffAtRateLimits(blobSlots));
  try {
    return await work({ ...options, blobSlots });
  } finally {
    unlisten();
  }
}

async function publishOne(planned: PlannedModel, context: RunContext): Promise<PublishOutcome> {
  const { onEvent, signal, cache, onPlanned } = context;
  signal?.throwIfAborted();
  const model = planned.model.short;
  onEvent({ type: 'model-start', model, phase: context.phase ?? 'publish' });
  const startMs = performance.now();
  const targets = await context.targetsOf(planned);
  onPlanned?.(planned, targets);
  cache.noteSiblings(siblingsOf(planned));
  const outcome = await publishAdmitted(planned, targets, context);
  reportOutcome(outcome, onEvent);
  return { ...outcome, durationMs: Math.round(performance.now() - startMs) };
}

async function publishAdmitted(
  planned: PlannedModel,
  targets: readonly PublishTarget[],
  context: RunContext,
): Promise<PublishOutcome> {
  // Nothing of it goes anywhere, so its base image need not be there either.
  if (targets.length === 0) return { planned, images: [] };
  const { admit, cache, variants, signal } = context;
  try {
    await admit?.(planned);
    if (hasSignatureFile(planned) && context.modelSigner === undefined) throw unsignedFile(planned);
  } catch (error) {
    if (isAbort(error) || signal?.aborted || !(error instanceof WeighbridgeError)) throw error;
    const refused = variants.map(variant => ({ variant, error }));
    const images = notBuilt({ planned, refused }, targets, variants);
    for (const image of images) context.onImage?.(image);
    return { planned, images };
  }
  const { baseImage, pathOver } = cache;
  const assembled = await assembleModel(planned, { ...context, baseImage, pathOver });
  return await publishModel(assembled, targets, context);
}

/** A plan may be published with another file than it was made from. */
function unsignedFile({ model }: PlannedModel): SigningError {
  return new SigningError(
    `${model.short} needs its model signature as a file, and signing is not configured`,
    {
      code: 'SIGNING_KEY',
      subject: model.short,
      remedy: 'Publish with the models.yaml that the plan is from, or plan again.',
    },
  );
}

/** Tells of each image, and that the model is done. */
export function reportOutcome({ planned, images }: PublishOutcome, onEvent: OnEvent): void {
  const model = planned.model.short;
  for (const image of images) {
    const { status } = image;
    const reference = image.tags[0] ?? `${image.registry} ${image.variant}`;
    const digest = 'digest' in image ? { digest: image.digest } : {};
    onEvent({ type: 'image', model, reference, status, ...digest });
  }
  onEvent({ type: 'model-end', model, status: images.some(isFailure) ? 'failed' : 'done' });
}

function brief({ planned, ...rest }: PublishOutcome): PublishOutcome<ReportedModel> {
  const { model, snapshot, outcome, targets, files } = planned;
  return {
    ...rest,
    planned: {
      model,
      snapshot: { revision: snapshot.revision },
      outcome: { license: outcome.license, decisions: outcome.decisions },
      targets,
      files: files.map(({ sizeBytes }) => ({ sizeBytes })),
    },
  };
}

/** An image of the model at each target: what one repository holds, another may mount. */
function siblingsOf({ tags, targets }: PlannedModel): Sibling[] {
  const tag = Object.values(tags).flat()[0];
  return tag === undefined ? [] : targets.map(({ repository }) => ({ repository, tag }));
}
