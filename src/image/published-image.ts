import { holdsWeights } from '../config/variants.ts';
import { readAll } from '../core/byte-source.ts';
import { type Digest, digestOf } from '../core/digest.ts';
import { RegistryError } from '../core/errors.ts';
import { describeJson, isRecord, parseJson } from '../core/json-shape.ts';
import { parseImageConfig } from '../oci/image-config.ts';
import { parseManifest } from '../oci/parse.ts';
import { formatPlatform, isLocalName } from '../oci/reference.ts';
import type { Annotations, ContainerConfig, Descriptor, ImageConfig, Manifest } from '../oci/types.ts';
import { ADAPTERS_SUFFIX } from '../plan/model-dir.ts';
import type { ImageStore, StoredManifest } from '../store/image-store.ts';
import { type AdapterEntry, readLabels } from './format/labels.ts';
import { layerKindOf, type PublishedFile, readLayerDescriptor } from './format/layer-annotations.ts';
import type { ImageLayerKind } from './format/layer-kinds.ts';
import { signaturePath } from './format/model-signature.ts';
import { ModelPack } from './format/modelpack.ts';
import { SLIM_LIST } from './format/slim-list.ts';
import { type ReadOptions, readLayer } from './image-content.ts';

/** One platform's image as a store holds it. */
export interface PublishedImage {
  readonly digest: Digest;
  /** `linux/amd64` */
  readonly platform: string;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  readonly container: ContainerConfig;
  readonly labels: Annotations;
  /** What a Weighbridge image says of its model; undefined for somebody else's image. */
  readonly model: PublishedModel | undefined;
  /** What is served with the model. */
  readonly adapters: readonly PublishedAdapter[];
  readonly layers: readonly ImageLayer[];
}

/** The model that an image says it has. */
export interface PublishedModel {
  readonly id: string;
  readonly revision: string;
  readonly variant: string;
  /** Where the model is in the image or, for slim, in the volume; absolute. */
  readonly dir: string;
}

/** An adapter that an image has. */
export interface PublishedAdapter extends AdapterEntry {
  /** Where it is in the image or, for slim, in the volume; absolute. */
  readonly dir: string;
}

/** A layer of a published image. */
export interface ImageLayer {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly kind: ImageLayerKind;
  /** What made it, in the words of the image's history. */
  readonly createdBy: string;
  readonly files: readonly PublishedFile[];
}

/** A file as the image has it or lists it; one of the two hashes may be all that is known of a small file. */
export interface ListedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256?: string | undefined;
  readonly gitOid?: string | undefined;
  /** Of a part of a divided file, as its manifest has it; see `ContentId`. */
  readonly partId?: string | undefined;
}

/** There are fewer kinds of machines than that. */
const MAX_PLATFORMS = 64;
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

/** Returns all platforms of the image that `reference` (a tag or digest) names. Throws RegistryError. */
export async function readImages(
  store: ImageStore,
  reference: string,
  signal?: AbortSignal,
): Promise<PublishedImage[]> {
  return await readPlatforms(store, await readTop(store, reference, signal), signal);
}

/** Returns the manifest or index that `reference` names. Throws RegistryError REGISTRY_NOT_FOUND. */
export async function readTop(
  store: ImageStore,
  reference: string,
  signal?: AbortSignal,
): Promise<StoredManifest> {
  const top = await store.getManifest(reference, signal);
  if (top !== undefined) return top;
  throw new RegistryError(`${store.name} has no image ${reference}`, {
    code: 'REGISTRY_NOT_FOUND',
    subject: store.name,
    remedy: isLocalName(store.name)
      ? 'Check the tag: `weighbridge inspect` without one lists those that it has.'
      : 'Check the tag, and the login if the repository is private.',
  });
}

/** Returns the images under a manifest or an index that has been read already. Throws RegistryError. */
export async function readPlatforms(
  store: ImageStore,
  top: StoredManifest,
  signal?: AbortSignal,
): Promise<PublishedImage[]> {
  const parsed = parseManifest(top.bytes, top.mediaType, store.name);
  if (parsed.kind === 'manifest') return [await readImage(store, top.digest, parsed.manifest, signal)];
  // Build tools put their attestations among the platforms.
  const listed = parsed.index.manifests.filter(({ platform }) => platform?.os !== 'unknown');
  const digests = new Set(listed.map(({ digest }) => digest));
  if (digests.size > MAX_PLATFORMS) throw badAnswer(store, `lists ${digests.size} images in an index`);
  const images: PublishedImage[] = [];
  for (const digest of digests) {
    const child = await store.getManifest(digest, signal);
    const read = child && parseManifest(child.bytes, child.mediaType, store.name);
    if (read?.kind !== 'manifest') throw badAnswer(store, `names ${digest}, which is not an image`);
    images.push(await readImage(store, digest, read.manifest, signal));
  }
  return images;
}

/** Returns the model's files in the image (fat) or in the list that it fetches (slim), by path in the repository. */
export async function readModelFiles(
  store: ImageStore,
  image: PublishedImage,
  options: ReadOptions = {},
): Promise<readonly ListedFile[]> {
  const { model, layers, manifest } = image;
  if (model === undefined) return [];
  if (holdsWeights(model.variant)) return modelFiles(model, declaredFiles(image));
  const index = layers.findIndex(layer => layer.files.some(file => file.path === SLIM_LIST));
  const descriptor = manifest.layers[index];
  if (descriptor === undefined) return [];
  const { kept } = await readLayer(store, descriptor, { ...options, keep: path => path === SLIM_LIST });
  const list = kept.get(SLIM_LIST);
  return list === undefined ? [] : parseSlimList(list, store.name).files;
}

/** Returns a layer's files, but for the publisher's model signature: it is in the model's folder, and no file of the model. */
export function withoutSignature<T extends { readonly path: string }>(
  kind: ImageLayerKind,
  files: readonly T[],
  model: Pick<PublishedModel, 'dir'> | undefined,
): readonly T[] {
  if (kind !== 'signature' || model === undefined) return files;
  return files.filter(({ path }) => path !== signaturePath(model.dir));
}

/** Returns the files that an image's layers declare, without its model signature. */
export function declaredFiles({ model, layers }: Pick<PublishedImage, 'model' | 'layers'>): ListedFile[] {
  return layers.flatMap(({ kind, files }) => withoutSignature(kind, files, model)).map(asListed);
}

/** Returns those of an image's files that are in the folder of the model, or of an adapter, named as in the repository. */
export function modelFiles({ dir }: Pick<PublishedModel, 'dir'>, files: readonly ListedFile[]): ListedFile[] {
  const prefix = `${dir.slice(1)}/`;
  return files
    .filter(file => file.path.startsWith(prefix))
    .map(file => ({ ...file, path: file.path.slice(prefix.length) }));
}

/** Returns the list in a slim image. Throws RegistryError if it is not such a list: anybody can publish an image. */
export function parseSlimList(bytes: Buffer, subject: string): SlimList {
  let json: unknown;
  try {
    json = parseJson(bytes.toString('utf8'));
  } catch (cause) {
    throw badList(subject, 'is not JSON', cause);
  }
  const { files, adapters = [] } = isRecord(json) ? json : {};
  if (!Array.isArray(adapters)) throw badList(subject, 'has adapters that are not a list');
  return {
    files: parseFiles(files, subject),
    adapters: adapters.map((entry: unknown) => {
      const { name, id, revision, files: own } = isRecord(entry) ? entry : {};
      if (typeof name !== 'string' || typeof id !== 'string' || typeof revision !== 'string')
        throw badList(subject, 'has an adapter without name, id or revision');
      return { name, id, revision, files: parseFiles(own, subject) };
    }),
  };
}

/** What a slim image fetches. */
export interface SlimList {
  readonly files: readonly ListedFile[];
  readonly adapters: readonly {
    readonly name: string;
    readonly id: string;
    readonly revision: string;
    readonly files: readonly ListedFile[];
  }[];
}

function parseFiles(files: unknown, subject: string): ListedFile[] {
  if (!Array.isArray(files)) throw badList(subject, 'has no list of files');
  return files.map((entry: unknown) => {
    const { path, size, sha256, gitOid } = isRecord(entry) ? entry : {};
    const isText = (value: unknown): value is string | undefined =>
      value === undefined || typeof value === 'string';
    if (typeof path !== 'string' || !Number.isSafeInteger(size) || !isText(sha256) || !isText(gitOid))
      throw badList(subject, `has an entry that is not a file: ${describeJson(path)}`);
    return { path, sizeBytes: size as number, sha256, gitOid };
  });
}

function badList(subject: string, what: string, cause?: unknown): RegistryError {
  return new RegistryError(`the list of files in ${subject} ${what}`, {
    code: 'REGISTRY_BAD_ANSWER',
    subject,
    cause,
  });
}

/** Returns a file as a slim image lists it. */
export function asListed({ path, sizeBytes, sha256, contentId }: PublishedFile): ListedFile {
  const gitOid = contentId.startsWith('git:') ? contentId.slice('git:'.length) : undefined;
  const partId = contentId.startsWith('part:') ? contentId : undefined;
  return { path, sizeBytes, sha256, gitOid, partId };
}

async function readImage(
  store: ImageStore,
  digest: Digest,
  manifest: Manifest,
  signal: AbortSignal | undefined,
): Promise<PublishedImage> {
  const bytes = await readAll(store.openBlob(manifest.config), MAX_CONFIG_BYTES, signal);
  if (digestOf(bytes) !== manifest.config.digest)
    throw badAnswer(store, 'has a config that is not the one its manifest names');
  const config =
    manifest.config.mediaType === ModelPack.config
      ? artifactConfig(manifest)
      : parseImageConfig(bytes, store.name);
  const container = config.config ?? {};
  const labels = container.Labels ?? {};
  const steps = (config.history ?? []).filter(entry => entry.empty_layer !== true);
  return {
    digest,
    platform: formatPlatform({ os: config.os, architecture: config.architecture }),
    manifest,
    config,
    container,
    labels,
    ...modelAndAdapters(labels, container),
    layers: manifest.layers.map((layer, index) => describeLayer(layer, steps[index]?.created_by ?? '')),
  };
}

/** The platform of an artifact, which has none. */
export const ANY_PLATFORM = 'unknown/unknown';

/** What an image's config would say, as far as an artifact does: its manifest has the labels. */
function artifactConfig({ annotations = {}, layers }: Manifest): ImageConfig {
  const dir = readLabels(annotations).modelDir;
  return {
    os: 'unknown',
    architecture: 'unknown',
    config: { Labels: annotations, Env: dir === undefined ? [] : [`MODEL_DIR=${dir}`] },
    rootfs: { type: 'layers', diff_ids: layers.map(layer => layer.digest) },
  };
}

function modelOf(labels: Annotations, { Env = [] }: ContainerConfig): PublishedModel | undefined {
  const { modelId: id, modelRevision: revision, variant } = readLabels(labels);
  const dir = Env.find(entry => entry.startsWith('MODEL_DIR='))?.slice('MODEL_DIR='.length);
  // The folder goes into commands that people copy.
  const isPath = dir !== undefined && /^(\/[\w.@+-]+)+$/.test(dir);
  if (id === undefined || revision === undefined || variant === undefined || !isPath) return undefined;
  return { id, revision, variant, dir };
}

function modelAndAdapters(
  labels: Annotations,
  container: ContainerConfig,
): Pick<PublishedImage, 'model' | 'adapters'> {
  const model = modelOf(labels, container);
  const adapters = model === undefined ? [] : readLabels(labels).adapters;
  return { model, adapters: adapters.map(adapter => ({ ...adapter, dir: adapterDir(model, adapter) })) };
}

/** A slim image brings them into the model's folder, which is where its volume is. */
function adapterDir(model: PublishedModel | undefined, { name, id }: AdapterEntry): string {
  const { dir, variant } = model ?? { dir: '', variant: 'slim' };
  return holdsWeights(variant) ? `${dir}${ADAPTERS_SUFFIX}/${name}` : `${dir}/.weighbridge/adapters/${id}`;
}

function describeLayer(layer: Descriptor, createdBy: string): ImageLayer {
  return {
    digest: layer.digest,
    sizeBytes: layer.size,
    kind: layerKindOf(layer) ?? 'base',
    createdBy,
    files: readLayerDescriptor(layer)?.files ?? [],
  };
}

function badAnswer(store: ImageStore, what: string): RegistryError {
  return new RegistryError(`${store.name} ${what}`, { code: 'REGISTRY_BAD_ANSWER', subject: store.name });
}
