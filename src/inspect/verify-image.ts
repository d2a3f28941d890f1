import * as z from 'zod';
import { holdsWeights } from '../config/variants.ts';
import type { Digest } from '../core/digest.ts';
import { describeError, isAbort, RegistryError, WeighbridgeError } from '../core/errors.ts';
import { mapPool } from '../core/pool.ts';
import { plainLine } from '../core/safe-text.ts';
import { shellWords } from '../core/shell-words.ts';
import type { Hub } from '../hub/types.ts';
import { layerKindOf, readLayerDescriptor } from '../image/format/layer-annotations.ts';
import { MODEL_SIGNATURE } from '../image/format/model-signature.ts';
import { SLIM_LIST } from '../image/format/slim-list.ts';
import { type FoundEntries, type ReadOptions, readForDigest, readLayer } from '../image/image-content.ts';
import {
  asListed,
  declaredFiles,
  type ListedFile,
  modelFiles,
  type PublishedImage,
  parseSlimList,
  readImages,
  type SlimList,
  withoutSignature,
} from '../image/published-image.ts';
import type { Descriptor } from '../oci/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import { compareWithRebuilt, type RebuildContext } from './rebuild-image.ts';
import { compareFiles, type FileCheck } from './verify-files.ts';
import { type ExpectedParts, type ExpectedSharding, expectParts, readParts } from './verify-sharded.ts';

/** How deep an image is verified, and with what. */
export interface VerifyOptions {
  readonly hub: Hub;
  /** Reads and hashes every byte of the image; otherwise what the manifest says is compared with the Hub. */
  readonly isDeep: boolean;
  /**
   * Whether a deep check reads base layers too, which is the default. Otherwise the registry has to have them, and `rebuild`
   * compares their digests with the base image's: clients hash their bytes when they pull.
   */
  readonly readsBase?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Makes the image once more to compare it whole; without it files and blobs alone are compared. */
  readonly rebuild?: Omit<RebuildContext, 'hub' | 'repository' | 'signal'> | undefined;
  /** A layer's bytes as they are read; called with 0 when it begins. */
  readonly onRead?: (layer: Descriptor, name: string, count: number) => void;
  /** After a layer's last byte, or when it was found not to be right. */
  readonly onLayerEnd?: (layer: Descriptor, name: string) => void;
}

/** One platform's image, compared with the Hub. */
export interface ImageCheck {
  readonly platform: string;
  readonly digest: Digest;
  readonly id: string;
  readonly revision: string;
  readonly variant: string;
  /** The model's files that are in the image (fat) or in the list that it fetches (slim). */
  readonly files: readonly FileCheck[];
  /** Files of the repository at this commit that the image does not have; `models.yaml` decides which those are. */
  readonly leftOut: readonly string[];
  /** What is wrong with blobs, apart from the model's files. */
  readonly problems: readonly string[];
  readonly bytesRead: number;
}

const CONCURRENCY = 4;

/** Whether an image that was published is what the Hub has at the commit that it names. Throws if that cannot be told. */
export async function verifyImage(
  store: ImageStore,
  reference: string,
  options: VerifyOptions,
): Promise<ImageCheck[]> {
  const checks: ImageCheck[] = [];
  for (const image of await readImages(store, reference, options.signal)) {
    checks.push(await verifyOne(store, image, options));
  }
  return checks;
}

/** Returns whether nothing of an image differs from what it should be. */
export function isRight({ files, problems }: ImageCheck): boolean {
  return problems.length === 0 && files.length > 0 && files.every(file => file.status === 'same');
}

/** Returns what differs, a line each; nothing for images that are right. */
export function differencesOf(checks: readonly ImageCheck[]): string[] {
  return checks.flatMap(({ problems, files }) => [
    ...problems,
    ...files.filter(({ status }) => status !== 'same').map(({ path, detail }) => `${path}: ${detail}`),
  ]);
}

async function verifyOne(
  store: ImageStore,
  image: PublishedImage,
  options: VerifyOptions,
): Promise<ImageCheck> {
  const { model, digest, platform } = image;
  if (model === undefined) {
    throw new RegistryError(
      `${store.name}@${digest} was not published by Weighbridge: it does not name a model`,
      {
        code: 'IMAGE_FOREIGN',
        subject: store.name,
        remedy: 'Only images with io.weighbridge labels can be compared with the Hub.',
      },
    );
  }
  const { id, revision, variant } = model;
  const snapshot = await options.hub.getModel(id, revision, options.signal, {
    // What no image can have is not a file of this one.
    mayLeaveOut: () => true,
  });
  const declared = modelFiles(model, declaredFiles(image));
  const paths = new Set(declared.map(file => file.path));
  const { hub, signal } = options;
  const expected = await expectParts(image, paths, { hub, snapshot, signal });
  let bytesRead = 0;
  const content = await readContent(store, image, expected, {
    ...options,
    onRead: (layer, name, count) => {
      bytesRead += count;
      options.onRead?.(layer, name, count);
    },
  });
  const listed = holdsWeights(variant) ? modelFiles(model, content.files) : content.slimList.files;
  const adapters = await compareAdapters(image, content, { hub, signal });
  // A layer that could not be read has its files all the same.
  const names = new Set([...listed.map(file => file.path), ...paths]);
  for (const { places } of expected.shardings) names.add(places.file.source.path);
  const resharding = {
    files: expected.shardings.map(({ places }) => places.file),
    indexes: expected.indexes,
  };
  const record = {
    serveArgs: content.serveArgs ?? serveArgsIn(image),
    files: names,
    resharding: resharding.files.length === 0 ? undefined : resharding,
    listed,
    signature: content.signature,
  };
  const rebuilt =
    options.rebuild === undefined
      ? []
      : await compareWithRebuilt(image, record, {
          ...options.rebuild,
          ...{ hub, signal },
          repository: store.name,
        });
  return {
    platform,
    digest,
    id,
    revision,
    variant,
    files: [...compareFiles(listed, snapshot, expected, content.wrongSources), ...adapters],
    leftOut: snapshot.files.map(file => file.path).filter(path => !names.has(path)),
    problems: [...content.problems, ...diffIdProblems(image), ...missingShards(names), ...rebuilt],
    bytesRead,
  };
}

/** The files of adapters, by their names: `adapters/sql/adapter_config.json`. */
async function compareAdapters(
  image: PublishedImage,
  { files, slimList }: Pick<Content, 'files' | 'slimList'>,
  { hub, signal }: Pick<VerifyOptions, 'hub' | 'signal'>,
): Promise<FileCheck[]> {
  const checks = await mapPool(image.adapters, CONCURRENCY, async adapter => {
    const { name, id, revision } = adapter;
    const snapshot = await hub.getModel(id, revision, signal, { mayLeaveOut: () => true });
    const inList = slimList.adapters.find(
      one => one.name === name && one.id === id && one.revision === revision,
    );
    const own = holdsWeights(image.model?.variant ?? '') ? modelFiles(adapter, files) : (inList?.files ?? []);
    const absent = own.length === 0 ? [missingAdapter(name)] : [];
    return [...compareFiles(own, snapshot, NOTHING_SHARDED, new Set()), ...absent].map(check => ({
      ...check,
      path: `adapters/${name}/${check.path}`,
    }));
  });
  return checks.flat();
}

const NOTHING_SHARDED: ExpectedParts = { shardings: [], indexes: [] };

function missingAdapter(name: string): FileCheck {
  const detail = `the image names the adapter ${name} and does not have it`;
  return { path: 'adapter_config.json', sizeBytes: 0, status: 'different', detail };
}

/** `Entrypoint` of a fat image: `vllm serve <folder>` and what was given besides; one of weights says it in a variable. */
function serveArgsIn({ container }: PublishedImage): string[] {
  if (container.Entrypoint) return container.Entrypoint.slice(3);
  const text = container.Env?.find(entry => entry.startsWith('SERVE_ARGS='));
  return shellWords(text?.slice('SERVE_ARGS='.length) ?? '');
}

const SHARD = /^(.*-)(\d{5})-of-(\d{5})(\.\w+)$/;

/** A set of shards is whole, or vLLM does not start: the name of each tells how many there are. */
function missingShards(names: ReadonlySet<string>): string[] {
  const problems = new Set<string>();
  for (const name of names) {
    const [, before = '', , count = '', after = ''] = SHARD.exec(name) ?? [];
    for (let index = 1; index <= Number(count); index++) {
      const shard = `${before}${String(index).padStart(5, '0')}-of-${count}${after}`;
      if (!names.has(shard)) problems.add(`the shard ${shard} is missing`);
    }
  }
  return [...problems];
}

interface Content {
  /** As the list of a slim image has them; undefined without such a list. */
  readonly serveArgs: readonly string[] | undefined;
  readonly files: readonly ListedFile[];
  readonly slimList: SlimList;
  /** Files of the repository whose parts are not right, though each may be what its manifest says. */
  readonly wrongSources: ReadonlySet<string>;
  readonly problems: readonly string[];
  /** The model signature that the image has as a file. */
  readonly signature: Buffer | undefined;
}

async function readContent(
  store: ImageStore,
  { manifest, layers, model }: PublishedImage,
  { shardings }: ExpectedParts,
  options: VerifyOptions,
): Promise<Content> {
  const files: ListedFile[] = [];
  const problems: string[] = [];
  const wrongSources = new Set<string>();
  let slimList: SlimList = { files: [], adapters: [] };
  let serveArgs: readonly string[] | undefined;
  let signature: Buffer | undefined;
  const { signal } = options;
  const filesOf = (layer: Descriptor) => layers[manifest.layers.indexOf(layer)]?.files ?? [];
  const readOptions = (layer: Descriptor): ReadOptions & { readonly onEnd: () => void } => {
    const name = layerName(layer, filesOf(layer));
    options.onRead?.(layer, name, 0);
    return {
      signal,
      onBytes: count => options.onRead?.(layer, name, count),
      onEnd: () => options.onLayerEnd?.(layer, name),
    };
  };
  const tolerate = (error: unknown): void => {
    if (isAbort(error) || signal?.aborted || !(error instanceof WeighbridgeError)) throw error;
    problems.push(describeError(error));
  };

  const readOne = async (layer: Descriptor): Promise<void> => {
    const known = filesOf(layer);
    const kind = layerKindOf(layer) ?? 'base';
    const hasList = known.some(file => file.path === SLIM_LIST);
    const isRead =
      options.isDeep && (options.readsBase !== false || readLayerDescriptor(layer) !== undefined);
    if (!isRead && !hasList && kind !== 'signature') {
      problems.push(...(await presence(store, layer, signal)));
      files.push(...known.map(asListed));
      return;
    }
    const { onEnd, ...read } = readOptions(layer);
    try {
      if (known.length === 0) {
        await readForDigest(store, layer, read);
        return;
      }
      const isSignature = (path: string): boolean =>
        kind === 'signature' && path.endsWith(`/${MODEL_SIGNATURE}`);
      const keep = (path: string): boolean => path === SLIM_LIST || isSignature(path);
      const found = await readLayer(store, layer, { ...read, keep });
      // A layer of somebody else's may have more files than a call can have arguments.
      for (const file of withoutSignature(kind, found.files, model)) files.push(file);
      for (const [path, bytes] of found.kept) if (isSignature(path)) signature = bytes;
      problems.push(...strangeEntries(layer, known, found));
      const list = found.kept.get(SLIM_LIST);
      if (list !== undefined) {
        slimList = parseSlimList(list, store.name);
        serveArgs = parseServeArgs(list);
      }
    } finally {
      onEnd();
    }
  };
  const readResharding = async (resharding: ExpectedSharding): Promise<void> => {
    const folder = model?.dir.slice(1) ?? '';
    try {
      files.push(...(await readParts(store, resharding, folder, readOptions)));
    } catch (error) {
      wrongSources.add(resharding.places.file.source.path);
      // They are in the image all the same.
      files.push(
        ...resharding.layers.flatMap(filesOf).map(file => ({ ...asListed(file), partId: undefined })),
      );
      throw error;
    }
  };

  const sharded = options.isDeep ? shardings : [];
  const inParts = new Set(sharded.flatMap(resharding => resharding.layers));
  const work = [
    ...sharded.map(resharding => () => readResharding(resharding)),
    ...manifest.layers.filter(layer => !inParts.has(layer)).map(layer => () => readOne(layer)),
  ];
  await mapPool(work, CONCURRENCY, one => one().catch(tolerate));
  return { files, slimList, serveArgs, wrongSources, problems, signature };
}

function parseServeArgs(bytes: Buffer): string[] | undefined {
  const parsed = z.object({ serveArgs: z.array(z.string()) }).safeParse(JSON.parse(bytes.toString('utf8')));
  return parsed.data?.serveArgs;
}

/** One of our layers has the files that its manifest lists, folders, and in a layer of links nothing but links. */
function strangeEntries(
  { digest, annotations }: Descriptor,
  known: readonly { readonly path: string; readonly sha256: string }[],
  { files, others }: FoundEntries,
): string[] {
  const listed = new Map(known.map(file => [file.path, file.sha256]));
  const isOfLinks = layerKindOf({ digest, annotations } as Descriptor) === 'links';
  const strange = [
    ...files.filter(file => listed.get(file.path) !== file.sha256).map(file => file.path),
    ...others.filter(({ type }) => !(isOfLinks && type === 'symlink')).map(({ path }) => path),
  ];
  const found = new Set(files.map(file => file.path));
  const absent = known.filter(file => !found.has(file.path)).map(file => file.path);
  const name = (paths: readonly string[]): string => plainLine(paths.slice(0, 3).join(', '), 200);
  return [
    ...(strange.length === 0
      ? []
      : [`the layer ${digest} has what its manifest does not list: ${name(strange)}`]),
    ...(absent.length === 0 ? [] : [`the layer ${digest} lacks what its manifest lists: ${name(absent)}`]),
  ];
}

function layerName({ digest }: Descriptor, files: readonly { readonly path: string }[]): string {
  const [first] = files;
  if (first === undefined) return `base layer ${digest.slice(7, 19)}`;
  const name = first.path.slice(first.path.lastIndexOf('/') + 1);
  return files.length === 1 ? name : `${name} and ${files.length - 1} more`;
}

async function presence(
  store: ImageStore,
  { digest, size }: Descriptor,
  signal?: AbortSignal,
): Promise<string[]> {
  const stored = await store.statBlob(digest, signal);
  if (stored === size) return [];
  return [
    `${store.name} ${stored === undefined ? 'does not have' : `has ${stored} of ${size} bytes of`} ${digest}`,
  ];
}

/** An uncompressed layer's diff id is its digest: what a runtime will check after pulling. */
function diffIdProblems({ manifest: { layers }, config: { rootfs } }: PublishedImage): string[] {
  if (layers.length !== rootfs.diff_ids.length)
    return [`the manifest has ${layers.length} layers and the config ${rootfs.diff_ids.length}`];
  return layers.flatMap((layer, index) => {
    const isOurs = readLayerDescriptor(layer) !== undefined;
    return isOurs && rootfs.diff_ids[index] !== layer.digest
      ? [`layer ${layer.digest} has another diff id`]
      : [];
  });
}
