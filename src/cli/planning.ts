import type { Config, ModelConfig } from '../config/types.ts';
import { ConfigError, describeError, errorFromJson } from '../core/errors.ts';
import { ownValue } from '../core/table.ts';
import { applyLock, applyLockTo, choosePin, goneFrom, type Lock } from '../plan/lock/lock.ts';
import { createPlanner, makePlan, type PlanOptions } from '../plan/make-plan.ts';
import type { PlanReaders } from '../plan/plan-model.ts';
import type { ModelPin, Plan } from '../plan/types.ts';
import { queueOf } from '../publish/publish-plan.ts';
import type { ModelQueue } from '../publish/types.ts';
import { counted } from '../report/layout/text-layout.ts';
import { lockOfFile, lockPath, writeLock } from './lock-file.ts';
import { type AdHocOptions, type CommonOptions, chooseModels } from './options.ts';
import { readPlan } from './plan-file.ts';
import type { Session } from './session.ts';

/** Whether targets are needed: as `PlanOptions.targets`. */
type Targets = 'required' | 'optional' | 'none';

/**
 * Returns the plan of the file, the same for every command that needs one: with the lock beside the file, of what the lock
 * pins. Notes what differs; with `--locked` a model that differs is unresolved.
 */
export async function planFor(
  session: Session,
  config: Config,
  options: CommonOptions & AdHocOptions & { readonly writesLock?: boolean; readonly looksAtNewer?: boolean },
  targets: Targets,
): Promise<Plan> {
  const models = chooseModels(config, options.model, options.shard);
  const isWhole = options.model === undefined && options.shard === undefined;
  const lock = await lockFor(config, options);
  const plan = await planModels(session, config, models, {
    targets,
    overrides: options.registry ?? {},
    ...(options.looksAtNewer && { looksAtNewer: true }),
    ...(lock && { pins: pinsOf(models, lock) }),
  });
  const { plan: locked, notes } =
    lock === undefined || options.writesLock
      ? { plan, notes: [] }
      : applyLock(plan, lock, { isStrict: options.locked === true, isWhole });
  if (options.writesLock) {
    const written = await writeLock(session, config, plan, { before: lock, isWhole });
    session.note(lockWritten(config, lock, written));
  }
  return noted(session, locked, [...plan.warnings, ...notes]);
}

/**
 * Returns the models of the file as a publish takes them: each is planned when its turn comes, as `planFor` would, and
 * what there is to tell of it is noted then.
 */
export async function queueFor(
  session: Session,
  config: Config,
  options: CommonOptions & AdHocOptions,
  targets: Targets,
): Promise<ModelQueue> {
  const models = chooseModels(config, options.model, options.shard);
  const isWhole = options.model === undefined && options.shard === undefined;
  const lock = await lockFor(config, options);
  const planner = createPlanner(config, models, {
    ...surroundingsOf(session),
    targets,
    overrides: options.registry ?? {},
    ...(lock && { pins: pinsOf(models, lock) }),
  });
  const note = (texts: readonly string[]): void => texts.forEach(session.note);
  note([...planner.warnings, ...(lock && isWhole ? goneFrom(models, lock) : [])]);
  return {
    models,
    siblings: planner.expected,
    async plan(model) {
      const planned = await planner.plan(model);
      const locked = lock && applyLockTo(planned.entry, lock, { isStrict: options.locked === true });
      note([...planned.warnings, ...(locked?.note === undefined ? [] : [locked.note])]);
      return locked?.entry ?? planned.entry;
    },
  };
}

/** Returns the models of a plan that `plan --out` wrote, else those of `queueFor`. */
export async function queueOrRead(
  session: Session,
  config: Config,
  options: CommonOptions & { readonly plan?: string },
): Promise<ModelQueue> {
  return options.plan === undefined
    ? await queueFor(session, config, options, 'required')
    : queueOf(await planOrRead(session, config, options));
}

/** Returns the plan of a file that `plan --out` wrote, else that of `planFor`. `--locked` is kept for either. */
export async function planOrRead(
  session: Session,
  config: Config,
  options: CommonOptions & { readonly plan?: string },
): Promise<Plan> {
  if (options.plan === undefined) return await planFor(session, config, options, 'required');
  const plan = await readPlan(session, options.plan, config, options);
  const lock = options.locked === true ? await lockFor(config, options) : undefined;
  const { plan: locked, notes } =
    lock === undefined ? { plan, notes: [] } : applyLock(plan, lock, { isStrict: true, isWhole: false });
  return noted(session, locked, [...plan.warnings, ...notes]);
}

/** Returns the plan with what there is to tell of it, which people are told too. */
function noted(session: Session, plan: Plan, warnings: readonly string[]): Plan {
  warnings.forEach(session.note);
  return { ...plan, warnings };
}

/** Returns the plan of these models, with the servers and the display of the session. */
export async function planModels(
  session: Session,
  config: Config,
  models: readonly ModelConfig[],
  options: {
    readonly targets: Targets;
    readonly overrides: Readonly<Record<string, string>>;
    readonly pins?: ReadonlyMap<string, ModelPin>;
    readonly looksAtNewer?: boolean;
    readonly readers?: PlanReaders;
  },
): Promise<Plan> {
  return await makePlan(config, models, { ...options, ...surroundingsOf(session) });
}

function surroundingsOf({
  services,
  env,
  signal,
  progress,
}: Session): Pick<PlanOptions, 'hub' | 'env' | 'signal' | 'onEvent'> {
  return { hub: services.hub, env, signal, onEvent: progress.onEvent };
}

/** A model of the command line has no file, and so no lock. */
async function lockFor(
  config: Config,
  { id, lock, locked }: CommonOptions & AdHocOptions,
): Promise<Lock | undefined> {
  if (locked === true && lock === false) {
    throw new ConfigError('--locked and --no-lock exclude each other', {
      code: 'USAGE',
      remedy: 'Leave out one of them.',
    });
  }
  if (id !== undefined || lock === false) return undefined;
  const found = await lockOfFile(config);
  if (found === undefined && locked) {
    throw new ConfigError(`--locked needs ${lockPath(config)}, which does not exist`, {
      code: 'USAGE',
      subject: lockPath(config),
      remedy: 'Write it with: weighbridge plan --lock.',
    });
  }
  return found;
}

/** Returns what a lock pins of models, by short. */
export function pinsOf(models: readonly ModelConfig[], lock: Lock): ReadonlyMap<string, ModelPin> {
  return new Map(
    models.flatMap((model): [string, ModelPin][] => {
      const { pin } = choosePin(model, lock);
      return pin === undefined ? [] : [[model.short, pin]];
    }),
  );
}

function lockWritten(config: Config, before: Lock | undefined, after: Lock): string {
  const old = before?.models ?? {};
  const names = Object.keys(after.models);
  const added = names.filter(short => ownValue(old, short) === undefined);
  const changed = names.filter(
    short =>
      ownValue(old, short) !== undefined &&
      JSON.stringify(ownValue(old, short)) !== JSON.stringify(ownValue(after.models, short)),
  );
  const gone = Object.keys(old).filter(short => ownValue(after.models, short) === undefined);
  const list = (what: string, shorts: readonly string[]): string[] =>
    shorts.length === 0 ? [] : [`${what} ${shorts.slice(0, 5).join(', ')}${shorts.length > 5 ? ', …' : ''}`];
  const parts = [...list('added', added), ...list('changed', changed), ...list('removed', gone)];
  const file = lockPath(config);
  return parts.length === 0
    ? `${file} is up to date: ${counted(names.length, 'model')}`
    : `wrote ${file}: ${counted(names.length, 'model')}, ${parts.join('; ')}`;
}

/** Returns whether a model of the plan could not be resolved. */
export function hasUnresolved(plan: Plan): boolean {
  return plan.models.some(model => model.kind === 'unresolved');
}

/** Notes why models could not be resolved, for an output that has no place for it. */
export function noteUnresolved(session: Session, plan: Plan): void {
  for (const entry of plan.models) {
    if (entry.kind === 'unresolved')
      session.note(`${entry.model.short}: ${describeError(errorFromJson(entry.error))}`);
  }
}
