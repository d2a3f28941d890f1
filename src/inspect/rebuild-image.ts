import path from 'node:path';
import { parseConfig } from '../config/load-config.ts';
import type { Config, ModelConfig, Variant } from '../config/types.ts';
import { VARIANTS } from '../config/types.ts';
import { holdsWeights } from '../config/variants.ts';
import { type Digest, digestOf, isDigest } from '../core/digest.ts';
import { describeError, errorFromJson, isAbort, RegistryError, WeighbridgeError } from '../core/errors.ts';
import { plainLine } from '../core/safe-text.ts';
import type { Hub } from '../hub/types.ts';
import { layersKnownBefore } from '../image/assemble/known-layers.ts';
import { sharedLimit } from '../image/assemble/model-layers.ts';
import { CONFIG_LABELS, readLabels } from '../image/format/labels.ts';
import { layerKindOf, type ResolvedLayer, readLayerDescriptor } from '../image/format/layer-annotations.ts';
import { MODEL_SIGNATURE } from '../image/format/model-signature.ts';
import { ModelPack } from '../image/format/modelpack.ts';
import type { ListedFile, PublishedImage } from '../image/published-image.ts';
import { sealPlatform } from '../image/seal/seal-image.ts';
import type { BootstrapFile, ImagePlatform } from '../image/types.ts';
import { imageVariant } from '../image/variants/variants.ts';
import type { BaseImage } from '../oci/image.ts';
import { parseReference } from '../oci/reference.ts';
import type { Manifest } from '../oci/types.ts';
import { makePlan } from '../plan/make-plan.ts';
import { modelDirOf } from '../plan/model-dir.ts';
import type { PlannedModel, Resharding } from '../plan/types.ts';
import { documentDifferences } from './document-differences.ts';

/** What making an image once more needs. */
export interface RebuildContext {
  readonly hub: Hub;
  /** Of this version of Weighbridge. */
  readonly bootstrap: readonly BootstrapFile[];
  readonly readBase: (reference: string, platform: string, pinned: Digest) => Promise<BaseImage>;
  /** `models.yaml` that the image may have been published from: its settings go before what the image says of itself. */
  readonly config?: Config | undefined;
  /** Returns what the image's model signature, a file of it, says that its files are not. Without it no such file is accepted. */
  readonly checkSignature?: (signature: Buffer, files: readonly ListedFile[]) => string[];
  /** The repository that the image is in: of several entries that share a folder, it is that of one. */
  readonly repository: string;
  readonly signal?: AbortSignal | undefined;
}

/** What an image records of how it was made, for a model that no models.yaml lists. */
export interface ImageRecord {
  readonly serveArgs: readonly string[];
  /** Undefined if neither the image nor its repository tells: then it is the name of the model's folder. */
  readonly short: string | undefined;
  /** Paths in the repository. */
  readonly files: ReadonlySet<string>;
  /** Files that it has in parts; undefined if it has none. */
  readonly resharding: Resharding | undefined;
  /** The files of the model as they are in the image. */
  readonly listed: readonly ListedFile[];
  /** The model signature that it has as a file. */
  readonly signature: Buffer | undefined;
}

/**
 * Makes the image once more, from the Hub at its commit, its base by digest, and the bootstrap and texts of this version,
 * and compares manifest and config. Returns what differs, a sentence each; nothing if the image is byte for byte what
 * Weighbridge makes. The bytes of the layers are the caller's to check.
 * Throws InterruptedError.
 */
export async function compareWithRebuilt(
  image: PublishedImage,
  record: ImageRecord,
  context: RebuildContext,
): Promise<string[]> {
  const variant = VARIANTS.find(name => name === image.model?.variant);
  if (variant === undefined)
    return [`it calls itself ${plainLine(image.model?.variant ?? '')}, which is not a variant`];
  try {
    const { config, repository } = context;
    const foreign = config === undefined ? [] : differsFromEntry(image, repository, config);
    if (foreign.length > 0) return foreign;
    const { planned, base } = await replan(image, variant, record, context);
    const { platform } = image;
    const rebuilt = imageVariant(variant).assemble(planned, { platform, base, bootstrap: context.bootstrap });
    const isGated = planned.snapshot.gated !== false;
    return [...differences(image, rebuilt, isGated), ...signatureProblems(image, record, context)];
  } catch (error) {
    if (isAbort(error) || context.signal?.aborted || !(error instanceof WeighbridgeError)) throw error;
    return [`it could not be made once more to compare: ${describeError(error)}`];
  }
}

/**
 * Returns in what an image is not the one that models.yaml publishes to its repository: another model, folder or base, a
 * sentence each. An older base of the same repository is not another one. What an image says of these itself, anyone can
 * have chosen who can write to the repository.
 */
export function differsFromEntry(
  { model, labels }: Pick<PublishedImage, 'model' | 'labels'>,
  repository: string,
  { models, file }: Config,
): string[] {
  const name = path.posix.basename(repository);
  const entry = models.find(({ short }) => name === `hf-${short}`);
  if (entry === undefined || model === undefined) return [];
  const dir = modelDirOf({ model: entry });
  const base = readLabels(labels).base?.name;
  const isBase = base === undefined || repositoryOf(base) === repositoryOf(entry.baseImage);
  return [
    ...(model.id === entry.id ? [] : [`it is of ${plainLine(model.id)}, and ${file} has ${entry.id} here`]),
    ...(model.dir === dir ? [] : [`it has the model in ${model.dir}, and ${file} in ${dir}`]),
    ...(isBase ? [] : [`it is on ${plainLine(base)}, and ${file} names ${entry.baseImage}`]),
  ];
}

function repositoryOf(reference: string): string {
  const { registry, repository } = parseReference(reference);
  return `${registry}/${repository}`;
}

/** The layer of the signature is taken as it is: what it says of the files has to be so. */
function signatureProblems(
  { layers }: PublishedImage,
  { listed, signature }: ImageRecord,
  { checkSignature }: RebuildContext,
): string[] {
  if (!layers.some(({ kind }) => kind === 'signature')) return [];
  if (signature === undefined || checkSignature === undefined)
    return ['its model signature could not be checked'];
  return checkSignature(signature, listed).map(problem => `${MODEL_SIGNATURE}: ${problem}`);
}

async function replan(
  image: PublishedImage,
  variant: Variant,
  record: ImageRecord,
  { hub, readBase, config, repository, signal }: RebuildContext,
): Promise<{ readonly planned: PlannedModel; readonly base: BaseImage | undefined }> {
  const { model, labels, platform } = image;
  const { base: stated } = readLabels(labels);
  const listed = listedModel(image, repository, config);
  const own = listed ?? recordedModel(image, record);
  const { short } = own;
  const adapters = Object.fromEntries(image.adapters.map(({ name, revision }) => [name, revision]));
  const { signatureFile: _, ...others } = own;
  const settings: ModelConfig = {
    ...others,
    // Keys change, and with them whether there is such a file: it is the image's to say too.
    ...(image.layers.some(({ kind }) => kind === 'signature') && { signatureFile: true as const }),
    // Where the layers are is the image's to say: what was published before stays what it was.
    layerOrder: isOurs(image.manifest.layers[0]) ? 'weights-first' : 'base-first',
    arch: [platform],
    ...(stated === undefined ? {} : { baseImage: stated.name }),
  };
  const plan = await makePlan(config ?? parseConfig(MINIMAL, 'image'), [settings], {
    hub,
    targets: 'none',
    overrides: {},
    env: {},
    pins: new Map([[short, { revision: model?.revision ?? '', adapters }]]),
    ...(record.resharding && { reshardings: new Map([[short, record.resharding]]) }),
    ...(signal && { signal }),
  });
  const [entry] = plan.models;
  if (entry === undefined) throw new TypeError('a plan of one model has none');
  if (entry.kind === 'unresolved') throw errorFromJson(entry.error);
  // Which files were chosen is the record's to say; whether any is missing is checked apart.
  const files = entry.snapshot.files.filter(file => record.files.has(file.path));
  const chosen = listed === undefined ? { ...entry, files } : entry;
  const planned = asStated({ ...chosen, ...recordedLimit(image) }, image, listed !== undefined);
  const needsBase = imageVariant(variant).needsBase;
  if (!needsBase) return { planned, base: undefined };
  if (stated === undefined || !isDigest(stated.digest))
    throw new RegistryError('its labels do not name its base image by digest', {
      code: 'REGISTRY_BAD_ANSWER',
      subject: repository,
    });
  return { planned, base: await readBase(stated.name, platform, stated.digest) };
}

/**
 * What the image's labels say of a moment: a gate may have been put up since, and with it a reason against a fat image. Nor
 * can a policy be repeated whose models.yaml is not here. The license that an image with weights claims is always compared.
 */
function asStated(planned: PlannedModel, { labels, model }: PublishedImage, isListed: boolean): PlannedModel {
  const { access, modelLicense = null, ...stated } = readLabels(labels);
  const { snapshot, outcome } = planned;
  // One that has the weights does not say why there may be none.
  const fatRefusal = holdsWeights(model?.variant ?? '') ? undefined : stated.fatRefusal;
  const fat = { ...outcome.decisions.fat, build: fatRefusal === undefined, ...fatRefusal };
  const known = outcome.license.spdx === null ? { declared: modelLicense } : { spdx: modelLicense };
  const isCompared = isListed || holdsWeights(model?.variant ?? '');
  const license = isCompared ? outcome.license : { ...outcome.license, ...known };
  return {
    ...planned,
    snapshot: { ...snapshot, isPrivate: access === 'private' },
    outcome: { ...outcome, isGated: access === 'gated', license, decisions: { ...outcome.decisions, fat } },
  };
}

/**
 * What its shared layers kept to. Limits may have been others when it was published: the fullest of them tells of one that
 * divides the files alike, since what went into a layer then fits in below it, and what did not is too much for it.
 */
function recordedLimit({ layers, manifest }: PublishedImage): Pick<PlannedModel, 'layerLimit'> {
  const weights = layers.filter((_, index) => {
    const descriptor = manifest.layers[index];
    return descriptor !== undefined && layerKindOf(descriptor) === 'weights';
  });
  const shared = weights.filter(({ files }) => files.length > 1);
  if (shared.length === 0) return {};
  const fullest = Math.max(
    ...shared.map(({ files }) => files.reduce((sum, file) => sum + file.sizeBytes, 0)),
  );
  return { layerLimit: sharedLimit(fullest) };
}

/** The entry of models.yaml that the image was published from. */
function listedModel(
  { model }: PublishedImage,
  repository: string,
  config: Config | undefined,
): ModelConfig | undefined {
  const own = config?.models.filter(one => one.id === model?.id && modelDirOf({ model: one }) === model.dir);
  const name = path.posix.basename(repository);
  return own?.find(({ short }) => name === `hf-${short}`) ?? own?.[0];
}

const MINIMAL = 'models: [{id: a/b, short: b}]';

/** The settings that an image itself records. */
function recordedModel(
  { model, labels, container, manifest }: PublishedImage,
  record: ImageRecord,
): ModelConfig {
  const facts = readLabels(labels);
  const home = container.Env?.find(entry => entry.startsWith('HF_HOME='))?.slice('HF_HOME='.length);
  const dir = model?.dir ?? '';
  const text = {
    defaults: {
      download_root: path.posix.dirname(dir),
      ...(home === undefined ? {} : { hf_cache_dir: home }),
    },
    models: [
      {
        id: model?.id,
        short: record.short ?? path.posix.basename(dir),
        folder: path.posix.basename(dir),
        serve_args: record.serveArgs,
        ...(isArtifact(manifest) && { modelpack: manifest.layers.some(isRaw) ? 'raw' : 'tar' }),
        adapters: facts.adapters.map(({ name, id }) => ({ name, id })),
        oci: { title: facts.title, description: facts.description, url: facts.url },
      },
    ],
  };
  // JSON is YAML: what an image says of itself is checked as a file is.
  const [parsed] = parseConfig(JSON.stringify(text), 'the record of the image').models;
  if (parsed === undefined) throw new TypeError('a file of one model has none');
  return parsed;
}

function differences(image: PublishedImage, rebuilt: ImagePlatform, isGated: boolean): readonly string[] {
  const claimed = new Map<string, ResolvedLayer>();
  for (const layer of image.manifest.layers) {
    const ours = readLayerDescriptor(layer);
    if (ours !== undefined) claimed.set(ours.key, ours);
  }
  const known = new Map(layersKnownBefore([{ platforms: [rebuilt] }]).map(layer => [layer.key, layer]));
  const layerOf = (key: string): ResolvedLayer | undefined => known.get(key) ?? claimed.get(key);
  const problems: string[] = [];
  for (const { key, recipe } of rebuilt.layers) {
    const isExpected = claimed.has(key);
    if (!isExpected) problems.push(missing(recipe.kind, recipe.name));
    else if (claimed.get(key)?.digest !== layerOf(key)?.digest)
      problems.push(`the layer ${recipe.name} has other bytes than it should`);
  }
  const { signature } = rebuilt;
  const expected = new Set(rebuilt.layers.map(({ key }) => key));
  if (signature !== undefined) expected.add(signature.key);
  const bases = new Set(rebuilt.base?.layers.map(({ digest }) => digest));
  for (const layer of image.manifest.layers) {
    const ours = readLayerDescriptor(layer);
    if (ours === undefined ? bases.has(layer.digest) : expected.has(ours.key)) continue;
    problems.push(`it has a layer that neither the base image nor this model has: ${layer.digest}`);
  }
  if (problems.length > 0) return problems;
  const sealed = sealPlatform(rebuilt, layerOf);
  if (sealed === undefined) return [`the layer ${MODEL_SIGNATURE} is missing, or another one`];
  const { manifest, config } = sealed.image;
  if (manifest.descriptor.digest === image.digest) return [];
  const made = JSON.parse(manifest.bytes.toString('utf8'));
  // An artifact's config is not one of an image: its digest tells.
  if (isArtifact(image.manifest)) return orBytes(documentDifferences('manifest', made, image.manifest));
  const sealedDocuments = { config: JSON.parse(config.bytes.toString('utf8')), manifest: made };
  return factProblems(sealedDocuments, image, isGated) ?? orBytes(documentProblems(sealedDocuments, image));
}

/** Values tell what differs, and bytes whether anything does: clients may read what our values do not show. */
function orBytes(problems: readonly string[]): readonly string[] {
  return problems.length > 0 ? problems : [OTHER_BYTES];
}

const OTHER_BYTES = 'its manifest or config has other bytes than Weighbridge writes for the same values';

/** An image's config and manifest, as JSON values. */
interface Documents {
  readonly config: unknown;
  readonly manifest: Pick<Manifest, 'config'>;
}

function documentProblems(expected: Documents, actual: Documents): string[] {
  return [
    ...documentDifferences('config', expected.config, actual.config),
    ...documentDifferences('manifest', expected.manifest, actual.manifest, ['config']),
    ...documentDifferences('manifest.config', expected.manifest.config, actual.manifest.config, ADDRESS),
  ];
}

/** The config itself is compared. */
const ADDRESS = ['digest', 'size'];

/**
 * Who published an image of a gated model, and who verifies it, may have had another access to its config.json. Returns
 * no problem if the image states nothing of it and is right otherwise; one if it does and cannot be compared; undefined if
 * this is not what differs.
 */
function factProblems(
  expected: Documents,
  image: PublishedImage,
  isGated: boolean,
): readonly string[] | undefined {
  if (!isGated || documentProblems(withoutFacts(expected), withoutFacts(image)).length > 0) return undefined;
  if (!hasFacts(image)) return digestWithoutFacts(expected) === image.digest ? [] : [OTHER_BYTES];
  if (hasFacts(expected)) return undefined;
  return [
    'its labels of what config.json says (parameters, precision, …) could not be compared: the Hub gives that file only to those with access to the model. Set HF_TOKEN and verify again',
  ];
}

function hasFacts({ config, manifest }: Documents): boolean {
  return JSON.stringify({ config, manifest }) !== JSON.stringify(withoutFacts({ config, manifest }));
}

function withoutFacts({ config, manifest }: Documents): Documents {
  const text = JSON.stringify({ config, manifest }, (key, value) =>
    CONFIG_LABELS.has(key) ? undefined : value,
  );
  return JSON.parse(text);
}

function digestWithoutFacts(documents: Documents): Digest {
  const { config, manifest } = withoutFacts(documents);
  const bytes = Buffer.from(JSON.stringify(config));
  const descriptor = { ...manifest.config, digest: digestOf(bytes), size: bytes.length };
  return digestOf(JSON.stringify({ ...manifest, config: descriptor }));
}

function isArtifact({ config }: PublishedImage['manifest']): boolean {
  return config.mediaType === ModelPack.config;
}

function isRaw({ mediaType }: PublishedImage['manifest']['layers'][number]): boolean {
  return mediaType.endsWith('.raw');
}

function missing(kind: string, name: string): string {
  if (kind === 'bootstrap')
    return 'its bootstrap is not the one of this version of Weighbridge: verify it with the version that published it, or publish it again';
  if (kind === 'licenses')
    return 'its license texts are not those of the Hub and of this version of Weighbridge';
  return `the layer ${name} is missing, or another one`;
}

function isOurs(layer: PublishedImage['manifest']['layers'][number] | undefined): boolean {
  return layer !== undefined && readLayerDescriptor(layer) !== undefined;
}
