import type { Config, ModelConfig, Variant } from '../config/types.ts';
import { byVariant } from '../config/variants.ts';
import { errorToJson, isAbort, WeighbridgeError } from '../core/errors.ts';
import type { ModelDocuments } from '../fit/types.ts';
import { fileFindings } from '../hub/file-findings.ts';
import type { Hub, HubFile, ModelSnapshot } from '../hub/types.ts';
import { licenseTrees } from '../licenses/license-entries.ts';
import type { LicensedRepository } from '../licenses/types.ts';
import { decide } from '../policy/decide.ts';
import type { LineageClaims } from '../policy/facts.ts';
import { NOT_CHOSEN, type PolicyDecision, type PolicyOutcome } from '../policy/types.ts';
import { withAdapters } from '../policy/with-adapters.ts';
import { licenseParts, loadSpdxTexts } from '../spdx/spdx-texts.ts';
import { planAdapters, type ReadAdapter } from './adapters/plan-adapters.ts';
import { checkPlaces } from './check-places.ts';
import { chooseFiles, type LeftOutFile, notWanted } from './choose-files.ts';
import { fitModel, withoutUnfit } from './fit-model.ts';
import type { LegalReader, ReadAncestor, RepositoryRead } from './legal/legal-reader.ts';
import { couldBeFat, doesLineageMatter } from './legal/lineage-need.ts';
import { lookAtWeights, type WeightsLook } from './look-at-weights.ts';
import { adapterDirOf, modelDirOf } from './model-dir.ts';
import { readDocuments } from './read-documents.ts';
import type { FindSharing } from './sharing.ts';
import type { SmallFiles } from './small-files.ts';
import { fitLayers, type LayerFit, shardedNames, withFit } from './split/fit-layers.ts';
import { packResharding } from './split/resharding-json.ts';
import { tagsFor } from './tags.ts';
import { chooseTargets, type TargetChoice } from './targets.ts';
import type { ModelPin, PlannedModel, Resharding, Target, UnresolvedModel } from './types.ts';

/** What one model is planned with. */
export interface ModelPlanOptions extends TargetChoice {
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
  readonly signal?: AbortSignal;
}

/** Files and ancestors of models, each read once. */
export interface PlanReaders {
  readonly legal: LegalReader;
  readonly smallFiles: SmallFiles;
}

/** What all models of a plan have in common. */
export interface ModelPlanContext {
  readonly config: Config;
  readonly readers: PlanReaders;
  readonly sharingOf: FindSharing;
}

/**
 * Reads a model, decides and returns what would be published; a model that cannot be resolved has its error in place of
 * that. Throws what `signal` aborts with, and what is not a WeighbridgeError.
 */
export async function planModel(
  model: ModelConfig,
  { config, readers, sharingOf }: ModelPlanContext,
  options: ModelPlanOptions,
): Promise<PlannedModel | UnresolvedModel> {
  try {
    const pin = options.pins?.get(model.short);
    const read = await readModel(model, pin, readers, options);
    const allowed = decideModel(model, read);
    const targets = options.targets === 'none' ? [] : chooseTargets(config, model, options).targets;
    const fatTargets = allowed.decisions.fat.build ? targets : [];
    const layers = await layersOf(read, fatTargets, { ...config, model }, options);
    const { fit, facts } = fitOf(model, read, allowed, options);
    const outcome = withoutUnfit(withChosenVariants(withFit(allowed, layers), model), fit);
    const { snapshot, files, leftOut, adapters } = read;
    const sharing = sharingOf(model);
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
      ...(sharing.length > 0 && { sharing }),
      ...(pin && { pin }),
      ...(layers.limit && { layerLimit: layers.limit }),
      ...(layers.registryLimit && { registryLimit: layers.registryLimit }),
      ...(layers.resharding && { resharding: packResharding(layers.resharding) }),
      ...(layers.refusals.length > 0 && { fatRefusals: layers.refusals }),
      tags: byVariant(tags),
      licenses: await licensesOf(model, read, outcome, layers.resharding),
    };
  } catch (error) {
    if (isAbort(error) || !(error instanceof WeighbridgeError)) throw error;
    return { kind: 'unresolved', model, error: errorToJson(error) };
  }
}

/** What the Hub says of a model: all that its decisions rest on. */
interface ModelRead extends RepositoryRead {
  readonly snapshot: ModelSnapshot;
  /** The files that the image gets. */
  readonly files: readonly HubFile[];
  readonly leftOut: readonly LeftOutFile[];
  readonly look: WeightsLook;
  readonly documents: ModelDocuments;
  /** None if the policy decides without them. */
  readonly ancestors: readonly ReadAncestor[];
  readonly adapters: readonly ReadAdapter[];
}

async function readModel(
  model: ModelConfig,
  pin: ModelPin | undefined,
  { legal, smallFiles }: PlanReaders,
  { hub, signal }: ModelPlanOptions,
): Promise<ModelRead> {
  const revision = pin?.revision ?? model.revision;
  const snapshot = await hub.getModel(model.id, revision, signal, {
    mayLeaveOut: paths => notWanted(model.files, paths),
  });
  const { files, leftOut } = chooseFiles(snapshot, model);
  if (files.length === 0) throw noFilesError(model);
  checkPlaces(model, files);
  const [look, documents, repository, adapters] = await Promise.all([
    lookAtWeights(hub, snapshot, files, signal),
    readDocuments(smallFiles, snapshot),
    legal.read(snapshot, files, couldBeFat(model, snapshot)),
    planAdapters(model, snapshot, { hub, legal, smallFiles, pin, signal }),
  ]);
  const ancestors = doesLineageMatter(model, snapshot)
    ? await legal.ancestorsOf(snapshot, repository.claims)
    : [];
  return { ...repository, snapshot, files, leftOut, look, documents, ancestors, adapters };
}

function noFilesError(model: ModelConfig): WeighbridgeError {
  return new WeighbridgeError(`${model.id} has no file that would go into an image`, {
    code: 'MODEL_NO_FILES',
    subject: model.id,
    remedy: 'Check `files.include` and `files.exclude` in models.yaml.',
  });
}

/** What the policy allows of the model together with its adapters. */
function decideModel(
  model: ModelConfig,
  { snapshot, texts, claims, ancestors, files, adapters }: ModelRead,
): PolicyOutcome {
  const own = decide(model, {
    snapshot,
    texts,
    claims,
    files,
    ancestors: ancestors.map(({ ancestor }) => ancestor),
  });
  const judged = adapters.map(({ planned: { adapter, outcome } }) => ({ ...adapter, outcome }));
  return withAdapters(own, judged);
}

/** How the fat image fits its registries; what is already published in parts stays divided as it is. */
async function layersOf(
  { files, snapshot }: ModelRead,
  targets: readonly Target[],
  config: Config & { readonly model: ModelConfig },
  { hub, reshardings, signal }: ModelPlanOptions,
): Promise<LayerFit> {
  const fitted = await fitLayers(files, targets, config, { hub, snapshot, signal });
  const published = reshardings?.get(config.model.short);
  return published === undefined ? fitted : { ...fitted, resharding: published };
}

/** Whether it will run, and what people choose it by. */
function fitOf(
  model: ModelConfig,
  { snapshot, files, look, documents, claims, adapters }: ModelRead,
  outcome: PolicyOutcome,
  { looksAtNewer }: ModelPlanOptions,
): ReturnType<typeof fitModel> {
  const findings = fileFindings({
    files,
    all: snapshot.files,
    serveArgs: model.serveArgs,
    ...look,
    id: snapshot.id,
    bases: namedBases(snapshot, claims),
  });
  return fitModel({
    model,
    snapshot,
    files,
    fileFindings: findings,
    documents,
    outcome,
    looksAtNewer,
    adapters: adapters.map(({ facts }) => facts),
  });
}

/** What card and configuration name as the model that this one was made from. */
function namedBases({ baseModels }: ModelSnapshot, { bases }: LineageClaims): readonly string[] {
  return [...baseModels, ...bases.filter(({ isHint }) => !isHint).map(({ id }) => id)];
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

/** The `/licenses` tree of each variant: of the model, of what it was made from, and of its adapters. */
async function licensesOf(
  model: ModelConfig,
  about: ModelRead,
  outcome: PolicyOutcome,
  resharding: Resharding | undefined,
): Promise<PlannedModel['licenses']> {
  const own = { snapshot: about.snapshot, license: outcome.license, read: about.read };
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
    snapshot: planned.snapshot,
    license: planned.outcome.license,
    read,
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
