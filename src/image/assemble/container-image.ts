import { bringsAdapters, holdsWeights } from '../../config/variants.ts';
import { digestOf } from '../../core/digest.ts';
import { plainLine } from '../../core/safe-text.ts';
import { type LayerSpec, toSpec } from '../../layer/layer-spec.ts';
import type { LayerRecipe } from '../../layer/recipe.ts';
import { hubPage } from '../../licenses/hub-page.ts';
import { type BaseImage, createdOf } from '../../oci/image.ts';
import type { Annotations } from '../../oci/types.ts';
import { modelDirOf } from '../../plan/model-dir.ts';
import { versionOf } from '../../plan/tags.ts';
import type { PlannedModel } from '../../plan/types.ts';
import { NOT_CHOSEN } from '../../policy/types.ts';
import {
  type AdapterEntry,
  type FatRefusalLabels,
  type ModelAccess,
  type ModelLabels,
  writeLabels,
} from '../format/labels.ts';
import { imageSealer } from '../seal/sealers.ts';
import type { ImagePlatform, SignatureSpec } from '../types.ts';
import { imageLicense } from './image-license.ts';
import { servePort } from './serve-command.ts';

/** What an image that serves a model is made of. */
export interface ContainerContent {
  readonly variant: string;
  readonly base: BaseImage;
  /** What the image adds to its base, in order. */
  readonly recipes: readonly LayerRecipe[];
  /** How many of them are below the base; none if absent. */
  readonly countBelow?: number;
  readonly entrypoint: readonly string[];
  /** Absent if the image does not have it as a file. */
  readonly signature?: SignatureSpec | undefined;
  /** Set besides what every image of the model sets. */
  readonly env: Readonly<Record<string, string>>;
}

/** Returns an image that serves the model when it is run. */
export function containerImage(planned: PlannedModel, content: ContainerContent): ImagePlatform {
  const { base, recipes, entrypoint, variant, countBelow = 0, signature } = content;
  const serve = {
    base,
    env: { ...environment(planned), ...content.env, ...planned.model.env },
    entrypoint,
    exposedPorts: [`${servePort(planned.model)}/tcp`],
    ...(countBelow > 0 && { countBelow }),
  };
  const layers = recipes.map(toSpec);
  const labels = labelsOf(planned, { variant, base, layers, signature, serve });
  return {
    base,
    platform: base.platform,
    layers,
    labels,
    ...(signature && { signature }),
    seal: imageSealer({ ...serve, labels }, countBelow),
  };
}

/** Where the model is, for whatever runs in the image. */
function environment(planned: PlannedModel): Record<string, string> {
  const { model } = planned;
  return {
    HF_HOME: model.hfCacheDir,
    HF_HUB_CACHE: `${model.hfCacheDir}/hub`,
    MODEL_ID: model.id,
    MODEL_DIR: modelDirOf(planned),
  };
}

/** What the labels of an image are made from. */
export interface LabeledImage {
  readonly variant: string;
  /** Undefined for an image without a base. */
  readonly base: BaseImage | undefined;
  readonly layers: readonly Pick<LayerSpec, 'key'>[];
  readonly signature?: SignatureSpec | undefined;
  /** What the image runs; the digest of the plan is of this too. */
  readonly serve: object;
}

/**
 * Returns the labels of an image. The digest of the plan is the same if and only if the image is, but for the key of a model
 * signature that it has as a file.
 */
export function labelsOf(
  planned: PlannedModel,
  { variant, base, layers, signature, serve }: LabeledImage,
): Annotations {
  const { model, snapshot, outcome } = planned;
  const { revision } = snapshot;
  const access = holdsWeights(variant) ? undefined : accessOf(planned);
  // The order of the keys is part of the digest.
  const made = {
    ...serve,
    base: base?.digest,
    revision,
    variant,
    layers: [...layers, ...(signature === undefined ? [] : [signature])].map(layer => layer.key),
    oci: model.oci,
    ...(Object.keys(model.labels).length === 0 ? {} : { labels: model.labels }),
    ...(access !== undefined && { access }),
  };
  const own = writeLabels({
    ...model.oci,
    source: `${hubPage(snapshot.id)}/tree/${revision}`,
    version: base === undefined ? undefined : versionOf(model),
    revision,
    license: imageLicense(planned, variant, base),
    base: base && { name: base.reference, digest: base.digest },
    created: base === undefined ? NO_TIME : createdOf(base),
    modelId: model.id,
    modelLicense: outcome.license.spdx ?? outcome.license.declared,
    lineage: outcome.lineage.map(({ id, spdx, declared }) => ({ id, license: spdx ?? declared })),
    adapters: bringsAdapters(variant) ? adapterEntries(planned) : [],
    model: modelLabels(planned),
    fatRefusal: fatRefusal(planned),
    variant,
    access,
    planDigest: digestOf(JSON.stringify(made)),
  });
  // A person's may replace the source alone; the file's check keeps them from the rest.
  return { ...own, ...model.labels };
}

/** Returns the files of a model's adapters, as entries of a layer. */
function adapterEntries({ adapters = [] }: PlannedModel): AdapterEntry[] {
  return adapters.map(({ adapter: { name }, snapshot: { id, revision }, outcome: { license } }) => ({
    name,
    id,
    revision,
    license: license.spdx ?? license.declared,
  }));
}

/** Who starts the image needs a token for all that it fetches. */
function accessOf({ outcome, snapshot, adapters = [] }: PlannedModel): ModelAccess | undefined {
  if (outcome.isGated || adapters.some(adapter => adapter.outcome.isGated)) return 'gated';
  return snapshot.isPrivate || adapters.some(adapter => adapter.snapshot.isPrivate) ? 'private' : undefined;
}

/** Returns what the files alone decide: what the Hub counts may be known tomorrow, and would change the digest of the image. */
export function modelLabels({ facts }: PlannedModel): ModelLabels {
  const known = (text: string): string | undefined => (text === 'unknown' ? undefined : text);
  return {
    parameters: facts.quantization === null ? (facts.parameters ?? undefined) : undefined,
    precision: known(facts.precision),
    quantization: facts.quantization ?? undefined,
    contextLength: facts.contextLength ?? undefined,
    task: known(facts.task),
    languages: facts.languages,
    architecture: facts.architecture,
    attentionHeads: facts.attentionHeads,
    kvCache: facts.kvCache,
  };
}

const MAX_REASON = 600;

function fatRefusal({ outcome }: PlannedModel): FatRefusalLabels | undefined {
  const { build, rule, reason } = outcome.decisions.fat;
  // Which variants people list says nothing of the model, and one image must not depend on the others.
  return build || rule === NOT_CHOSEN ? undefined : { rule, reason: plainLine(reason, MAX_REASON) };
}

/** The time of an image without a base. It has none of its own: a clock would give every run another digest. */
export const NO_TIME = '1970-01-01T00:00:00Z';
