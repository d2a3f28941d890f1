import type { Config, ModelConfig } from '../config/types.ts';
import type { OnEvent } from '../core/events.ts';
import { Limiter, mapPool } from '../core/pool.ts';
import { plainLine } from '../core/safe-text.ts';
import type { Hub } from '../hub/types.ts';
import { createLegalReader } from './legal/legal-reader.ts';
import { MAX_CARD_BYTES } from './legal/text-reader.ts';
import { type ModelPlanOptions, type PlanReaders, planModel } from './plan-model.ts';
import { sharingIn } from './sharing.ts';
import { createSmallFiles } from './small-files.ts';
import { chooseTargets, expectedImages, missingPrefixError } from './targets.ts';
import { PLAN_SCHEMA_VERSION, type Plan, type PlannedModel, type UnresolvedModel } from './types.ts';

/** What a plan is made with. */
export interface PlanOptions extends ModelPlanOptions {
  /** What several plans of a run share, so that nothing is read twice. Default: the plan's own. */
  readonly readers?: PlanReaders;
  readonly onEvent?: OnEvent;
}

/** File names may be as long as paths. */
const MAX_WARNING = 1000;

/** Models asked about at once. The Hub limits requests per five minutes, not at once, so this is about politeness. */
const CONCURRENCY = 8;

/** Plans models one at a time, as a publish needs them: what they have in common is asked for once. */
export interface Planner {
  /** What is known before the first question to the Hub. */
  readonly warnings: readonly string[];
  /** Images that there will be, or that are there: what one repository holds, another may mount. */
  readonly expected: readonly { readonly repository: string; readonly tag: string }[];
  /** Asks the Hub about one model and decides; only so many models are under way at once. */
  plan(model: ModelConfig): Promise<ModelPlan>;
}

/** One model's part of a plan, with its warnings. */
export interface ModelPlan {
  readonly entry: PlannedModel | UnresolvedModel;
  readonly warnings: readonly string[];
}

/** Returns readers for one or more plans. */
export function createPlanReaders(hub: Hub, signal: AbortSignal | undefined): PlanReaders {
  const smallFiles = createSmallFiles(hub, MAX_CARD_BYTES, signal);
  return { smallFiles, legal: createLegalReader(hub, smallFiles, signal) };
}

/**
 * Returns a planner. Throws ConfigError CONFIG_INVALID for targets of any of the models, before the Hub is asked about
 * one.
 */
export function createPlanner(config: Config, models: readonly ModelConfig[], options: PlanOptions): Planner {
  const warnings = checkTargets(config, models, options);
  const readers = options.readers ?? createPlanReaders(options.hub, options.signal);
  const context = { config, readers, sharingOf: sharingIn(config.models) };
  const slots = new Limiter(CONCURRENCY);
  return {
    warnings,
    expected: options.targets === 'none' ? [] : expectedImages(config, models, options),
    plan: model =>
      slots.run(async () => {
        options.onEvent?.({ type: 'model-start', model: model.short, phase: 'resolve' });
        const entry = await planModel(model, context, options);
        const isPlanned = entry.kind === 'planned';
        options.onEvent?.({ type: 'model-end', model: model.short, status: isPlanned ? 'done' : 'failed' });
        return { entry, warnings: findingWarnings(entry) };
      }),
  };
}

/**
 * Asks the Hub about every model and decides. Returns the plan; a model that cannot be resolved does not stop the
 * others.
 */
export async function makePlan(
  config: Config,
  models: readonly ModelConfig[],
  options: PlanOptions,
): Promise<Plan> {
  const planner = createPlanner(config, models, options);
  const planned = await mapPool(models, CONCURRENCY, model => planner.plan(model));
  return {
    schemaVersion: PLAN_SCHEMA_VERSION,
    models: planned.map(({ entry }) => entry),
    warnings: [...planner.warnings, ...planned.flatMap(({ warnings }) => warnings)],
  };
}

/** What keeps a server from starting is said before anything is published. */
function findingWarnings(entry: PlannedModel | UnresolvedModel): string[] {
  if (entry.kind === 'unresolved') return [];
  return entry.fit.findings.map(({ message, remedy }) =>
    plainLine(`${entry.model.short}: ${message}${remedy === undefined ? '' : ` ${remedy}`}`, MAX_WARNING),
  );
}

/** Every model's targets are looked at before the first question to the Hub: a wrong file is known at once. */
function checkTargets(config: Config, models: readonly ModelConfig[], options: PlanOptions): string[] {
  const warnings = new Set<string>();
  if (options.targets === 'none') return [];
  for (const model of models) {
    const { withoutPrefix } = chooseTargets(config, model, options);
    if (withoutPrefix.length === 0) continue;
    const error = missingPrefixError(model, withoutPrefix);
    if (options.targets === 'required') throw error;
    const skipped = withoutPrefix.length === 1 ? 'it' : 'them';
    warnings.add(`${error.message}; skipping ${skipped}. ${error.remedy ?? ''}`);
  }
  return [...warnings];
}
