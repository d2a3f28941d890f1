import type { Config, ModelConfig, Variant } from '../config/types.ts';
import { byVariant } from '../config/variants.ts';
import { errorToJson, isAbort, WeighbridgeError } from '../core/errors.ts';
import type { OnEvent } from '../core/events.ts';
import { Limiter, mapPool } from '../core/pool.ts';
import { plainLine } from '../core/safe-text.ts';
import { fileFindings } from '../hub/file-findings.ts';
import type { Hub, ModelSnapshot } from '../hub/types.ts';
import { licenseTrees } from '../licenses/license-entries.ts';
import type { LicensedRepository } from '../licenses/types.ts';
import { decide } from '../policy/decide.ts';
import type { LineageClaims } from '../policy/facts.ts';
import { NOT_CHOSEN, type PolicyDecision, type PolicyOutcome } from '../policy/types.ts';
import { withAdapters } from '../policy/with-adapters.ts';
import { licenseParts, loadSpdxTexts } from '../spdx/spdx-texts.ts';
import { planAdapters, type ReadAdapter } from './adapters/plan-adapters.ts';
import { checkPlaces } from './check-places.ts';
import { chooseFiles, isNotWanted } from './choose-files.ts';
import { fitModel, withoutUnfit } from './fit-model.ts';
import { createLegalReader, type LegalReader, type ReadAncestor } from './legal/legal-reader.ts';
import { couldBeFat, doesLineageMatter } from './legal/lineage-need.ts';
import { MAX_CARD_BYTES } from './legal/text-reader.ts';
import { findDisguised } from './look-at-weights.ts';
import { adapterDirOf, modelDirOf } from './model-dir.ts';
import { readDocuments } from './read-documents.ts';
import { createSmallFiles, type SmallFiles } from './small-files.ts';
import { fitLayers, shardedNames, withFit } from './split/fit-layers.ts';
import { packResharding } from './split/resharding-json.ts';
import { tagsFor } from './tags.ts';
import { chooseTargets, expectedImages, missingPrefixError, type TargetChoice } from './targets.ts';
import {
  type ModelPin,
  PLAN_SCHEMA_VERSION,
  type Plan,
  type PlannedModel,
  type Resharding,
  type UnresolvedModel,
} from './types.ts';

/** What a plan is made with. */
export interface PlanOptions extends TargetChoice {
  readonly hub: Hub;
  /**
   * Whether a registry without a configured prefix is an error (publish) or a warning (plan), or targets do not
   * matter at all (build).
   */
  readonly targets: 'required' | 'optional' | 'none';
  /** What the lock pins models to, by short. */
  readonly pins?: ReadonlyMap<string, ModelPin>;
  /** Models whose files are already published in parts, by short: they are divided in the same places, whatever the limits. */
  readonly reshardings?: ReadonlyMap<string, Resharding>;
  /** Whether to tell on which newer releases of vLLM a model would run, too. */
  readonly looksAtNewer?: boolean;
  /** What several plans of a run share, so that nothing is read twice. Default: the plan's own. */
  readonly readers?: PlanReaders;
  readonly signal?: AbortSignal;
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

/** Files and ancestors of models, each read once. */
export interface PlanReaders {
  readonly legal: LegalReader;
  readonly smallFiles: SmallFiles;
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
  const slots = new Limiter(CONCURRENCY);
  return {
    warnings,
    expected: options.targets === 'none' ? [] : expectedImages(config, models, options),
    plan: model =>
      slots.run(async () => {
        options.onEvent?.({ type: 'model-start', model: model.short, phase: 'resolve' });
        const entry = await planModel(config, model, readers, options);
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
  return await planAll(createPlanner(config, models, options), models);
}

/** Plans models, several at once, and returns the plan; those that cannot be resolved have their error in it. */
export async function planAll(planner: Planner, models: readonly ModelConfig[]): Promise<Plan> {
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
    warnings.add(`${error.message}; skipping it. ${error.remedy ?? ''}`);
  }
  return [...warnings];
}

async function planModel(
  config: Config,
  model: ModelConfig,
  { legal, smallFiles }: PlanReaders,
  options: PlanOptions,
): Promise<PlannedModel | UnresolvedModel> {
  try {
    const pin = options.pins?.get(model.short);
    const revision = pin?.revision ?? model.revision;
    const snapshot = await options.hub.getModel(model.id, revision, options.signal, {
      mayLeaveOut: isNotWanted(model.files),
    });
    const { files, leftOut } = chooseFiles(snapshot, model);
    if (files.length === 0) throw noFilesError(model);
    checkPlaces(model, files);
    const adapterContext = { hub: options.hub, legal, smallFiles, pin, signal: options.signal };
    const [disguised, documents, { texts, read, claims }, adapters] = await Promise.all([
      findDisguised(options.hub, snapshot, files, options.signal),
      readDocuments(smallFiles, snapshot),
      legal.read(snapshot, files, couldBeFat(model, snapshot)),
      planAdapters(model, snapshot, adapterContext),
    ]);
    const ancestors = doesLineageMatter(model, snapshot) ? await legal.ancestorsOf(snapshot, claims) : [];
    const own = decide(model, {
      snapshot,
      texts,
      claims,
      ancestors: ancestors.map(({ ancestor }) => ancestor),
      files,
    });
    const judged = adapters.map(({ planned: { adapter, outcome } }) => ({ ...adapter, outcome }));
    const allowed = withAdapters(own, judged);
    const targets = options.targets === 'none' ? [] : chooseTargets(config, model, options).targets;
    const context = { hub: options.hub, snapshot, signal: options.signal };
    const published = options.reshardings?.get(model.short);
    const fitted = await fitLayers(
      files,
      allowed.decisions.fat.build ? targets : [],
      { ...config, model },
      context,
    );
    const layers = published === undefined ? fitted : { ...fitted, resharding: published };
    const found = fileFindings({
      ...{ files, all: snapshot.files, serveArgs: model.serveArgs, disguised },
      ...{ id: snapshot.id, bases: namedBases(snapshot, claims) },
    });
    const { fit, facts } = fitModel({
      model,
      snapshot,
      files,
      fileFindings: found,
      documents,
      outcome: allowed,
      adapters: adapters.map(({ facts }) => facts),
      looksAtNewer: options.looksAtNewer,
    });
    const outcome = withoutUnfit(withChosenVariants(withFit(allowed, layers), model), fit);
    const tags = (variant: Variant): string[] =>
      outcome.decisions[variant].build ? tagsFor(model, variant, snapshot.revision) : [];
    return {
      kind: 'planned',
      model,
      snapshot,
      outcome,
      files,
      leftOut,
      fit,
      facts,
      targets,
      ...(adapters.length > 0 && { adapters: adapters.map(({ planned }) => planned) }),
      ...sharingOf(config, model),
      ...(pin && { pin }),
      ...(layers.limit && { layerLimit: layers.limit }),
      ...(layers.registryLimit && { registryLimit: layers.registryLimit }),
      ...(layers.resharding && { resharding: packResharding(layers.resharding) }),
      ...(layers.refusals.length > 0 && { fatRefusals: layers.refusals }),
      tags: byVariant(tags),
      licenses: await licensesOf(
        { snapshot, license: outcome.license, read },
        { model, ancestors, outcome, resharding: layers.resharding, adapters },
      ),
    };
  } catch (error) {
    if (isAbort(error) || !(error instanceof WeighbridgeError)) throw error;
    return { kind: 'unresolved', model, error: errorToJson(error) };
  }
}

/** What card and configuration name as the model that this one was made from. */
function namedBases({ baseModels }: ModelSnapshot, { bases }: LineageClaims): readonly string[] {
  return [...baseModels, ...bases.filter(({ isHint }) => !isHint).map(({ id }) => id)];
}

/** Entries that have layers of this one: of the same model, in the same folder. */
function sharingOf({ models }: Config, model: ModelConfig): Pick<PlannedModel, 'sharing'> {
  const dir = modelDirOf({ model });
  const others = models.filter(
    one => one.short !== model.short && one.id === model.id && modelDirOf({ model: one }) === dir,
  );
  return others.length === 0 ? {} : { sharing: others.map(({ short }) => short) };
}

/** A variant that `variants` does not list is not built, whatever the policy says. */
function withChosenVariants(outcome: PolicyOutcome, { variants }: ModelConfig): PolicyOutcome {
  const { decisions } = outcome;
  const decisionOf = (variant: Variant): PolicyDecision =>
    variants.includes(variant)
      ? decisions[variant]
      : { build: false, rule: NOT_CHOSEN, reason: '`variants` does not list it', evidence: [] };
  return { ...outcome, decisions: byVariant(decisionOf) };
}

async function licensesOf(
  own: LicensedRepository,
  about: {
    readonly model: ModelConfig;
    readonly ancestors: readonly ReadAncestor[];
    readonly outcome: PolicyOutcome;
    readonly resharding: Resharding | undefined;
    readonly adapters: readonly ReadAdapter[];
  },
): Promise<PlannedModel['licenses']> {
  const { model, outcome, resharding } = about;
  const above = licensedAncestors(about.ancestors, outcome);
  const known = new Set(above.map(({ snapshot }) => snapshot.id));
  const ofAdapters = about.adapters
    .flatMap(({ ancestors, planned }) => licensedAncestors(ancestors, planned.outcome))
    .filter(({ snapshot: { id } }) => !known.has(id) && known.add(id));
  const ancestors = [...above, ...ofAdapters];
  const adapters = about.adapters.map(({ planned, read }) => ({
    name: planned.adapter.name,
    dir: adapterDirOf({ model }, planned.adapter.name),
    isGated: planned.outcome.isGated,
    ...{ snapshot: planned.snapshot, license: planned.outcome.license, read },
  }));
  const parts = [own, ...ancestors, ...adapters].flatMap(({ license }) => licenseParts(license.spdx));
  const texts = await loadSpdxTexts(
    parts.flatMap(({ id, exception }) => (exception ? [id, exception] : [id])),
  );
  const context = { modelDir: modelDirOf({ model }), ancestors, adapters, sharded: shardedNames(resharding) };
  return licenseTrees(own, outcome, context, texts);
}

/** Those whose texts are there to be harvested. */
function licensedAncestors(
  ancestors: readonly ReadAncestor[],
  { lineage }: PolicyOutcome,
): LicensedRepository[] {
  return ancestors.flatMap(({ ancestor, read }) => {
    if (ancestor.kind === 'missing') return [];
    const { snapshot } = ancestor;
    const license = lineage.find(({ id }) => id === snapshot.id);
    return [{ snapshot, read, license: license ?? { spdx: null, declared: null } }];
  });
}

function noFilesError(model: ModelConfig): WeighbridgeError {
  return new WeighbridgeError(`${model.id} has no file that would go into an image`, {
    code: 'MODEL_NO_FILES',
    subject: model.id,
    remedy: 'Check `files.include` and `files.exclude` in models.yaml.',
  });
}
