import type { Variant } from '../config/types.ts';
import { createBlobWorkers } from '../engine/blob-workers.ts';
import { type Plan, type PlannedModel, plannedModels } from '../plan/types.ts';
import { previewPlan } from '../publish/preview.ts';
import { publishPlan } from '../publish/publish-plan.ts';
import type { ImageOutcome, ImageSigning, PublishOutcome, PublishTarget } from '../publish/types.ts';
import { interruptedReport } from '../report/text/interrupted-report.ts';
import { chosenVariants } from './options.ts';
import { hasUnresolved } from './planning.ts';
import { createRunCache } from './run-cache.ts';
import { ExitStatus, type Session } from './session.ts';

export interface PublishAllOptions {
  readonly variants: readonly Variant[];
  readonly isForced: boolean;
  readonly targetsOf: (model: PlannedModel) => readonly PublishTarget[];
  /** Absent if nothing is signed. */
  readonly signing?: ImageSigning | undefined;
  /** Looks at a model before anything of it is published. */
  readonly admit?: ((planned: PlannedModel) => Promise<void>) | undefined;
}

/** Publishes with what the session has: its servers and logins, threads, progress and Ctrl-C. */
export async function publishAll(
  session: Session,
  plan: Plan,
  options: PublishAllOptions,
): Promise<PublishOutcome[]> {
  const { services, progress, signal, listen } = session;
  const models = plannedModels(plan);
  const workers = createBlobWorkers({ env: session.env, services, onEvent: progress.onEvent });
  const done: ImageOutcome[] = [];
  session.onInterrupt(() => interruptedReport(models, options, done));
  try {
    return await publishPlan(models, {
      ...options,
      hub: services.hub,
      openBase: name => services.openRepository(name, 'pull'),
      cache: createRunCache(session),
      bootstrap: services.bootstrap,
      layerIndex: services.layerIndex,
      workers,
      onEvent: progress.onEvent,
      onImage: image => done.push(image),
      listen,
      signal,
    });
  } finally {
    await workers.close();
  }
}

export interface PublishChoice {
  readonly variant?: Variant;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly signing?: PublishAllOptions['signing'];
  readonly admit?: PublishAllOptions['admit'];
}

/** To the registries that the plan names. */
export async function publishToRegistries(
  session: Session,
  plan: Plan,
  { variant, dryRun, force, signing, admit }: PublishChoice,
): Promise<readonly PublishOutcome[]> {
  const options = {
    signing,
    admit,
    variants: chosenVariants(variant, plan.models),
    isForced: force === true,
    targetsOf: registriesOf(session, 'push'),
  };
  if (dryRun !== true) return await publishAll(session, plan, options);
  const { services, progress, signal } = session;
  const models = plannedModels(plan);
  return await previewPlan(models, {
    ...options,
    cache: createRunCache(session),
    bootstrap: services.bootstrap,
    layerIndex: services.layerIndex,
    onEvent: progress.onEvent,
    signal,
  });
}

/** Opens the repositories that a planned model is for. */
export function registriesOf({ services }: Session, access: 'pull' | 'push'): PublishAllOptions['targetsOf'] {
  return model =>
    model.targets.map(({ registry, repository }) => ({
      registry,
      store: services.openRepository(repository, access),
    }));
}

export function statusOf(plan: Plan, outcomes: readonly PublishOutcome[]): number {
  const isFailed = outcomes.some(({ images }) => images.some(isFailure));
  return isFailed || hasUnresolved(plan) ? ExitStatus.failed : ExitStatus.done;
}

/** An image that is there and could not be signed, though it was to be, has failed too. */
function isFailure(image: ImageOutcome): boolean {
  return image.status === 'failed' || ('signature' in image && image.signature?.status === 'failed');
}
