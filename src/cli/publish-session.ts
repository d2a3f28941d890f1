import type { Variant } from '../config/types.ts';
import { createBlobWorkers } from '../engine/blob-workers.ts';
import { type Plan, type PlannedModel, plannedModels } from '../plan/types.ts';
import { isFailure } from '../publish/finish/image-outcomes.ts';
import { previewPlan } from '../publish/preview.ts';
import { outcomesOf, type PublishPlanOptions, publishModels } from '../publish/publish-plan.ts';
import {
  type ImageSigning,
  isPublishOutcome,
  type ModelOutcome,
  type ModelQueue,
  type PublishTarget,
} from '../publish/types.ts';
import { RunJournal } from '../report/text/interrupted-report.ts';
import { keepHeapSmall } from './keep-heap-small.ts';
import { chosenVariants } from './options.ts';
import { createRunCache } from './run-cache.ts';
import { ExitStatus, type Session } from './session.ts';

/** What is published of a queue of models, and where to. */
export interface PublishAllOptions {
  readonly variants: readonly Variant[];
  readonly isForced: boolean;
  readonly phase?: PublishPlanOptions['phase'];
  /** Moves tags too that stay with their image. */
  readonly movesTags?: boolean;
  readonly targetsOf: PublishPlanOptions['targetsOf'];
  /** Absent if nothing is signed. */
  readonly signing?: ImageSigning | undefined;
  /** Absent if images do not have their model signature as a file. */
  readonly modelSigner?: PublishPlanOptions['modelSigner'];
  /** Looks at a model before anything of it is published. */
  readonly admit?: ((planned: PlannedModel) => Promise<void>) | undefined;
}

/**
 * Publishes with the session's servers, logins, threads, progress display and Ctrl-C. Returns the models' outcomes in
 * the order of the plan.
 */
export async function publishAll(
  session: Session,
  queue: ModelQueue,
  options: PublishAllOptions,
): Promise<ModelOutcome[]> {
  const { services, progress, signal, listen } = session;
  const workers = createBlobWorkers({ env: session.env, services, onEvent: progress.onEvent });
  const journal = new RunJournal(queue.models.length, options.variants);
  session.onInterrupt(() => journal.report());
  const endCollecting = keepHeapSmall();
  try {
    return await publishModels(journal.follow(queue), {
      ...options,
      hub: services.hub,
      openBase: name => services.openRepository(name, 'pull'),
      cache: createRunCache(session),
      bootstrap: services.bootstrap,
      layerIndex: services.layerIndex,
      workers,
      onEvent: progress.onEvent,
      onPlanned: (planned, targets) => journal.notePlanned(planned, targets),
      onImage: image => journal.noteEnd(image),
      listen,
      signal,
    });
  } finally {
    endCollecting();
    await workers.close();
  }
}

/** The options of `publish` that choose images. */
export interface PublishFlags {
  readonly variant?: Variant;
  readonly force?: boolean;
  readonly moveTags?: boolean;
  readonly signing?: PublishAllOptions['signing'];
  readonly modelSigner?: PublishAllOptions['modelSigner'];
  readonly admit?: PublishAllOptions['admit'];
}

/** Publishes to the registries that each model is planned for. Returns the models' outcomes. */
export async function publishToRegistries(
  session: Session,
  queue: ModelQueue,
  { variant, force, moveTags, signing, modelSigner, admit }: PublishFlags,
): Promise<ModelOutcome[]> {
  return await publishAll(session, queue, {
    signing,
    modelSigner,
    admit,
    variants: chosenVariants(
      variant,
      queue.models.map(model => ({ model })),
    ),
    isForced: force === true,
    movesTags: moveTags === true,
    targetsOf: registriesOf(session, 'push'),
  });
}

/** Returns the outcomes that `publishToRegistries` would have; writes nothing. */
export async function previewPublish(
  session: Session,
  plan: Plan,
  { variant, force, moveTags }: Pick<PublishFlags, 'variant' | 'force' | 'moveTags'>,
): Promise<ModelOutcome[]> {
  const { services, progress, signal } = session;
  const previews = await previewPlan(plannedModels(plan), {
    variants: chosenVariants(variant, plan.models),
    isForced: force === true,
    movesTags: moveTags === true,
    targetsOf: registriesOf(session, 'push'),
    cache: createRunCache(session),
    bootstrap: services.bootstrap,
    layerIndex: services.layerIndex,
    onEvent: progress.onEvent,
    signal,
  });
  return outcomesOf(plan, previews);
}

/** Returns a function that opens the repositories that a planned model is for. */
export function registriesOf(
  { services }: Session,
  access: 'pull' | 'push',
): (model: PlannedModel) => readonly PublishTarget[] {
  return model =>
    model.targets.map(({ registry, repository }) => ({
      registry,
      store: services.openRepository(repository, access),
    }));
}

/** Returns the exit status of a publish: 1 if a model was not resolved or an image failed. */
export function statusOf(outcomes: readonly ModelOutcome[]): number {
  const isFailed = outcomes.some(outcome => !isPublishOutcome(outcome) || outcome.images.some(isFailure));
  return isFailed ? ExitStatus.failed : ExitStatus.done;
}
