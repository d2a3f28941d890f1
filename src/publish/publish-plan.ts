import { isAbort, WeighbridgeError } from '../core/errors.ts';
import type { OnEvent } from '../core/events.ts';
import { Limiter, mapPool } from '../core/pool.ts';
import { type AssembleContext, assembleModel } from '../image/assemble/assemble-model.ts';
import type { PlannedModel } from '../plan/types.ts';
import { notBuilt } from './image-outcomes.ts';
import { publishModel } from './publish-model.ts';
import type { Sibling } from './run-cache.ts';
import { backOffAtRateLimits } from './transfer/rate-limit-backoff.ts';
import type { PublishContext, PublishOutcome, PublishTarget } from './types.ts';

export interface PublishPlanOptions
  extends Omit<PublishContext, 'blobSlots'>,
    Pick<AssembleContext, 'bootstrap'> {
  readonly targetsOf: (model: PlannedModel) => readonly PublishTarget[];
  /** Has every event of the run told to `listener` too, until what it returns is called. */
  readonly listen: (listener: OnEvent) => () => void;
  /** Looks at a model before anything of it is published. One that it throws a WeighbridgeError for is not. */
  readonly admit?: ((planned: PlannedModel) => Promise<void>) | undefined;
}

/** Models under way at once: most of them have nothing to do and only wait for answers. */
const MODELS_AT_ONCE = 16;
/** Blobs under way at once: enough to hide round trips, few enough to keep memory flat. */
const BLOBS_AT_ONCE = 4;

/** Publishes every model to its targets; one that fails does not stop the others. Returns outcomes in the models' order. */
export async function publishPlan(
  models: readonly PlannedModel[],
  options: PublishPlanOptions,
): Promise<PublishOutcome[]> {
  const { targetsOf, cache, onEvent } = options;
  const blobSlots = new Limiter(BLOBS_AT_ONCE);
  const unlisten = options.listen(backOffAtRateLimits(blobSlots));
  cache.noteSiblings(siblingsOf(models, targetsOf));
  try {
    return await mapPool(models, MODELS_AT_ONCE, async planned => {
      const model = planned.model.short;
      onEvent({ type: 'model-start', model, phase: 'publish' });
      const startMs = performance.now();
      const outcome = await publishAdmitted(planned, { ...options, blobSlots });
      reportOutcome(outcome, onEvent);
      return { ...outcome, durationMs: Math.round(performance.now() - startMs) };
    });
  } finally {
    unlisten();
  }
}

async function publishAdmitted(
  planned: PlannedModel,
  options: PublishPlanOptions & Pick<PublishContext, 'blobSlots'>,
): Promise<PublishOutcome> {
  const { admit, targetsOf, cache, variants, signal } = options;
  try {
    await admit?.(planned);
  } catch (error) {
    if (isAbort(error) || signal?.aborted || !(error instanceof WeighbridgeError)) throw error;
    const refused = variants.map(variant => ({ variant, error }));
    const images = notBuilt({ planned, drafts: [], refused }, targetsOf(planned), variants);
    for (const image of images) options.onImage?.(image);
    return { planned, images };
  }
  const assembled = await assembleModel(planned, { ...options, baseImage: cache.baseImage });
  return await publishModel(assembled, targetsOf(planned), options);
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
  const isFailed = images.some(image => image.status === 'failed');
  onEvent({ type: 'model-end', model, status: isFailed ? 'failed' : 'done' });
}

/** An image of each model at each target: what one repository holds, another may mount. */
function siblingsOf(models: readonly PlannedModel[], targetsOf: PublishPlanOptions['targetsOf']): Sibling[] {
  return models.flatMap(planned => {
    const tag = Object.values(planned.tags).flat()[0];
    return tag === undefined ? [] : targetsOf(planned).map(({ store }) => ({ repository: store.name, tag }));
  });
}
