import { VARIANTS } from '../config/types.ts';
import { RegistryError, WeighbridgeError } from '../core/errors.ts';
import { Limiter, mapPool } from '../core/pool.ts';
import type { Plan, PlannedModel, Target } from '../plan/types.ts';
import { failedImages } from '../publish/image-outcomes.ts';
import { publishModel } from '../publish/publish-model.ts';
import { RunMemory } from '../publish/run-memory.ts';
import type { ImageOutcome, PublishOutcome } from '../publish/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import { withManifestCache } from '../store/manifest-cache.ts';
import type { Session } from './session.ts';

const MODELS_AT_ONCE = 8;
/** A registry that has not answered by then is not going to, and a plan is of use without it. */
const PATIENCE_MS = 15_000;

/**
 * What a publish of the plan would do, as far as registries tell: the outcomes of a dry run. Reading is all it takes, and
 * where that is refused the images say so. A registry that could not be asked is not asked again for the next model.
 */
export async function lookAtRegistries(session: Session, plan: Plan): Promise<PublishOutcome[]> {
  const bases = new Map<string, ImageStore>();
  const openBase = (name: string): ImageStore => {
    const store = bases.get(name) ?? withManifestCache(session.services.openRepository(name, 'pull'));
    bases.set(name, store);
    return store;
  };
  const failures = new Map<string, WeighbridgeError>();
  const models = plan.models.filter(model => model.kind === 'planned');
  return await mapPool(models, MODELS_AT_ONCE, async planned => {
    const perTarget = await Promise.all(
      planned.targets.map(async target => {
        const known = failures.get(hostOf(target));
        if (known !== undefined) return failedImages(planned, [target], VARIANTS, known);
        const images = await lookAtTarget(session, planned, target, openBase);
        const failure = images.find(image => image.status === 'failed')?.error;
        if (failure instanceof WeighbridgeError) failures.set(hostOf(target), failure);
        return images;
      }),
    );
    return { planned, images: perTarget.flat() };
  });
}

async function lookAtTarget(
  { services, signal }: Session,
  planned: PlannedModel,
  target: Target,
  openBase: (name: string) => ImageStore,
): Promise<readonly ImageOutcome[]> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    const store = services.openRepository(target.repository, 'pull');
    const outcome = await publishModel(planned, [{ registry: target.registry, store }], {
      hub: services.hub,
      openBase,
      bootstrap: services.bootstrap,
      variants: VARIANTS,
      isDryRun: true,
      isForced: false,
      blobSlots: new Limiter(1),
      memory: new RunMemory({ openBase, signal }),
      onEvent: () => undefined,
      signal: AbortSignal.any([signal, patience]),
    });
    return outcome.images;
  } catch (cause) {
    if (signal.aborted || !patience.aborted) throw cause;
    const slow = `${hostOf(target)} has not answered in ${PATIENCE_MS / 1000} seconds`;
    const error = new RegistryError(slow, { code: 'REGISTRY_UNREACHABLE', subject: hostOf(target), cause });
    return failedImages(planned, [target], VARIANTS, error);
  }
}

function hostOf({ repository }: Target): string {
  return repository.slice(0, repository.indexOf('/'));
}
