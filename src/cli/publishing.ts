import type { Variant } from '../config/types.ts';
import { Limiter, mapPool } from '../core/pool.ts';
import type { Plan, PlannedModel } from '../plan/types.ts';
import { publishModel } from '../publish/publish-model.ts';
import { RunMemory } from '../publish/run-memory.ts';
import { easeOff } from '../publish/transfer/ease-off.ts';
import type { ImageOutcome, PublishOutcome, PublishTarget } from '../publish/types.ts';
import { interruptedReport } from '../report/text/interrupted-report.ts';
import type { ImageStore } from '../store/image-store.ts';
import { createBlobWorkers } from './blob-workers.ts';
import { chosenVariants } from './options.ts';
import { hasUnresolved } from './planning.ts';
import { ExitStatus, type Session } from './session.ts';

export interface PublishAllOptions {
  readonly variants: readonly Variant[];
  readonly isDryRun: boolean;
  readonly isForced: boolean;
  readonly targetsOf: (model: PlannedModel) => readonly PublishTarget[];
}

/** Models under way at once: most of them have nothing to do and only wait for answers. */
const MODELS_AT_ONCE = 16;
/** Blobs under way at once: enough to hide round trips, few enough to keep memory flat. */
const BLOBS_AT_ONCE = 4;

export async function publishAll(
  session: Session,
  plan: Plan,
  options: PublishAllOptions,
): Promise<PublishOutcome[]> {
  const { services, progress, signal } = session;
  const models = plan.models.filter(model => model.kind === 'planned');
  const blobSlots = new Limiter(BLOBS_AT_ONCE);
  const unlisten = session.listen(easeOff(blobSlots));
  const { bootstrap, layerIndex } = services;
  const workers = createBlobWorkers(session);
  const openBase = (name: string): ImageStore => services.openRepository(name, 'pull');
  const siblings = models.flatMap(({ targets, tags }) => {
    const tag = tags.slim[0] ?? tags.fat[0];
    return tag === undefined ? [] : targets.map(({ repository }) => ({ repository, tag }));
  });
  const memory = new RunMemory({ openBase, siblings, signal });
  const done: ImageOutcome[] = [];
  session.onInterrupt(() => interruptedReport(models, options.variants, done));
  const publishing = mapPool(models, MODELS_AT_ONCE, async planned => {
    const model = planned.model.short;
    progress.onEvent({ type: 'model-start', model, phase: 'publish' });
    const startMs = performance.now();
    const outcome = await publishModel(planned, options.targetsOf(planned), {
      ...options,
      hub: services.hub,
      openBase,
      memory,
      bootstrap,
      layerIndex,
      blobSlots,
      workers,
      onEvent: progress.onEvent,
      onImage: image => done.push(image),
      signal,
    });
    for (const image of outcome.images) {
      const { status, digest } = image;
      const reference = image.tags[0] ?? `${image.registry} ${image.variant}`;
      progress.onEvent({ type: 'image', model, reference, status, ...(digest && { digest }) });
    }
    const isFailed = outcome.images.some(image => image.status === 'failed');
    progress.onEvent({ type: 'model-end', model, status: isFailed ? 'failed' : 'done' });
    return { ...outcome, durationMs: Math.round(performance.now() - startMs) };
  });
  return await publishing.finally(() => {
    unlisten();
    return workers.close();
  });
}

/** To the targets of the plan, which are registries. */
export async function publishPlan(
  session: Session,
  plan: Plan,
  { variant, dryRun, force }: { variant?: Variant; dryRun?: boolean; force?: boolean },
): Promise<PublishOutcome[]> {
  return await publishAll(session, plan, {
    variants: chosenVariants(variant),
    isDryRun: dryRun === true,
    isForced: force === true,
    targetsOf: model =>
      model.targets.map(({ registry, repository }) => ({
        registry,
        store: session.services.openRepository(repository, 'push'),
      })),
  });
}

export function statusOf(plan: Plan, outcomes: readonly PublishOutcome[]): number {
  const isFailed = outcomes.some(({ images }) => images.some(image => image.status === 'failed'));
  return isFailed || hasUnresolved(plan) ? ExitStatus.failed : ExitStatus.done;
}
