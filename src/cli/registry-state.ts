import { VARIANTS } from '../config/types.ts';
import { type Plan, plannedModels } from '../plan/types.ts';
import { type Preview, previewPlan } from '../publish/preview.ts';
import { registriesOf } from './publish-session.ts';
import { createRunCache } from './run-cache.ts';
import type { Session } from './session.ts';

/** A registry that has not answered by then is not going to, and a plan is of use without it. */
const PATIENCE_MS = 15_000;

/**
 * Returns what a publish of the plan would do, as far as registries tell. Reading is all it takes, and if that is
 * refused the images say so. A registry that could not be asked is not asked again for the next model.
 */
export async function lookAtRegistries(
  session: Session,
  plan: Plan,
  { isDetailed = false } = {},
): Promise<Preview[]> {
  return await previewPlan(plannedModels(plan), {
    variants: VARIANTS,
    isForced: false,
    targetsOf: registriesOf(session, 'pull'),
    cache: createRunCache(session, PATIENCE_MS),
    bootstrap: session.services.bootstrap,
    isDetailed,
    patience: { ms: PATIENCE_MS, failures: new Map() },
    onEvent: () => undefined,
    signal: session.signal,
  });
}

/** Returns what the plan's images are made of: base images are read, and no registry that the images go to. */
export async function lookAtBases(session: Session, plan: Plan): Promise<Preview[]> {
  return await previewPlan(plannedModels(plan), {
    variants: VARIANTS,
    isForced: false,
    targetsOf: () => [],
    cache: createRunCache(session, PATIENCE_MS),
    bootstrap: session.services.bootstrap,
    isDetailed: true,
    onEvent: () => undefined,
    signal: session.signal,
  });
}
