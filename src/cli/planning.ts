import type { Config } from '../config/types.ts';
import { describeError } from '../core/errors.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { Plan } from '../plan/types.ts';
import { heedLock } from './lock-file.ts';
import { type AdHocOptions, type CommonOptions, chooseModels } from './options.ts';
import type { Session } from './session.ts';

/** From the file to a plan, the same for every command that needs one. */
export async function planFor(
  session: Session,
  config: Config,
  options: CommonOptions & AdHocOptions,
  targets: 'required' | 'optional' | 'none',
): Promise<Plan> {
  const plan = await makePlan(config, chooseModels(config, options.model, options.shard), {
    hub: session.services.hub,
    targets,
    overrides: options.registry ?? {},
    env: session.env,
    signal: session.signal,
    onEvent: session.progress.onEvent,
  });
  const differences = await heedLock(config, plan, options);
  const warnings = [...plan.warnings, ...differences];
  for (const warning of warnings) session.note(warning);
  return { ...plan, warnings };
}

export function hasUnresolved(plan: Plan): boolean {
  return plan.models.some(model => model.kind === 'unresolved');
}

/** Where the output has no place for it: why a model could not be resolved. */
export function noteUnresolved(session: Session, plan: Plan): void {
  for (const entry of plan.models) {
    if (entry.kind === 'unresolved') session.note(`${entry.model.short}: ${describeError(entry.error)}`);
  }
}
