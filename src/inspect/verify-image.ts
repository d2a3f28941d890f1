import { holdsWeights } from '../config/variants.ts';
import type { Digest } from '../core/digest.ts';
import { RegistryError } from '../core/errors.ts';
import { mapPool } from '../core/pool.ts';
import type { Hub } from '../hub/types.ts';
import { readLayerDescriptor } from '../image/format/layer-annotations.ts';
import { baseOf, serveWordsOf } from '../image/image-facts.ts';
import {
  declaredFiles,
  modelFiles,
  type PublishedImage,
  readPlatforms,
  readTop,
} from '../image/published-image.ts';
import type { Resharding } from '../plan/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import { missingShards } from './missing-shards.ts';
import { compareWithRebuilt, type RebuildContext } from './rebuild-image.ts';
import { type Content, type ContentOptions, readContent } from './verify-content.ts';
import { compareFiles, type FileCheck } from './verify-files.ts';
import { indexProblems } from './verify-index.ts';
import { type ExpectedParts, expectParts } from './verify-sharded.ts';

/** How deep an image is verified, and with what. */
export interface VerifyOptions extends ContentOptions {
  readonly hub: Hub;
  /** Makes the image once more to compare it whole; without it files and blobs alone are compared. */
  readonly rebuild?: Omit<RebuildContext, 'hub' | 'repository' | 'signal'> | undefined;
}

/** One platform's image, compared with the Hub. */
export interface ImageCheck {
  readonly platform: string;
  readonly digest: Digest;
  readonly id: string;
  readonly revision: string;
  readonly variant: string;
  /** The base image that it says it is on, by digest. */
  readonly base?: string;
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
  const top = await readTop(store, reference, options.signal);
  const images = await readPlatforms(store, top, options.signal);
  for (const image of images) checks.push(await verifyOne(store, image, options));
  const [first, ...others] = checks;
  if (first === undefined || options.rebuild === undefined) return checks;
  const problems = [...indexProblems(top, images, store.name), ...first.problems];
  return [{ ...first, problems }, ...others];
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
  if (model === undefined) throw foreignError(store, digest);
  const { id, revision, variant } = model;
  const base = baseOf(image);
  const { hub, signal } = options;
  // What no image can have is not a file of this one.
  const snapshot = await hub.getModel(id, revision, signal, { mayLeaveOut: 'all' });
  const declared = new Set(modelFiles(model, declaredFiles(image)).map(file => file.path));
  const expected = await expectParts(image, declared, { hub, snapshot, signal });
  const content = await readContent(store, image, expected, options);
  const listed = holdsWeights(variant) ? modelFiles(model, content.files) : content.slimList.files;
  const adapters = await compareAdapters(image, content, { hub, signal });
  // A layer that could not be read has its files all the same.
  const names = new Set([...listed.map(file => file.path), ...declared]);
  for (const { places } of expected.shardings) names.add(places.file.source.path);
  const record = {
    serveArgs: content.entry.serveArgs ?? serveWordsOf(image),
    short: content.entry.short ?? /\/hf-([^/]+)$/.exec(store.name)?.[1],
    files: names,
    resharding: reshardingOf(expected),
    listed,
    signature: content.signature,
  };
  const rebuilt =
    options.rebuild === undefined
      ? []
      : await compareWithRebuilt(image, record, {
          ...options.rebuild,
          hub,
          signal,
          repository: store.name,
        });
  return {
    platform,
    digest,
    id,
    revision,
    variant,
    ...(base !== undefined && { base: `${base.name}@${base.digest}` }),
    files: [...compareFiles(listed, snapshot, expected, content.wrongSources), ...adapters],
    leftOut: snapshot.files.map(file => file.path).filter(path => !names.has(path)),
    problems: [...content.problems, ...diffIdProblems(image), ...missingShards(names), ...rebuilt],
    bytesRead: content.bytesRead,
  };
}

function foreignError(store: ImageStore, digest: Digest): RegistryError {
  return new RegistryError(
    `${store.name}@${digest} was not published by Weighbridge: it does not name a model`,
    {
      code: 'IMAGE_FOREIGN',
      subject: store.name,
      remedy: 'Only images with io.weighbridge labels can be compared with the Hub.',
    },
  );
}

function reshardingOf({ shardings, indexes }: ExpectedParts): Resharding | undefined {
  return shardings.length === 0 ? undefined : { files: shardings.map(({ places }) => places.file), indexes };
}

/** The files of adapters, by their names: `adapters/sql/adapter_config.json`. */
async function compareAdapters(
  image: PublishedImage,
  { files, slimList }: Pick<Content, 'files' | 'slimList'>,
  { hub, signal }: Pick<VerifyOptions, 'hub' | 'signal'>,
): Promise<FileCheck[]> {
  const checks = await mapPool(image.adapters, CONCURRENCY, async adapter => {
    const { name, id, revision } = adapter;
    const snapshot = await hub.getModel(id, revision, signal, { mayLeaveOut: 'all' });
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
