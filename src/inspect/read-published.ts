import type { Digest } from '../core/digest.ts';
import { describeError, isAbort, WeighbridgeError } from '../core/errors.ts';
import { mapPool } from '../core/pool.ts';
import { readLabels } from '../image/format/labels.ts';
import {
  type ListedFile,
  type PublishedImage,
  readModelFiles,
  readPlatforms,
} from '../image/published-image.ts';
import type { Descriptor } from '../oci/types.ts';
import type { Target } from '../plan/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import { isReferrersTag, listReferrers } from '../store/referrers.ts';

/** A model whose repositories are to be looked through. */
export interface ModelPlaces {
  readonly id: string;
  readonly short: string;
  readonly targets: readonly Target[];
}

/** What registries hold of one model. */
export interface FoundModel {
  readonly id: string;
  readonly short: string;
  /** The newest first. */
  readonly images: readonly FoundImage[];
  /** Repositories that could not be read, in words. */
  readonly problems: readonly string[];
}

/** One image, in as many places as have it under the same digest. */
export interface FoundImage {
  /** What tags name: a manifest, or an index over platforms. */
  readonly digest: Digest;
  readonly platforms: readonly PublishedImage[];
  readonly places: readonly ImagePlace[];
  /** The model's files; read for the newest image of each variant only. */
  readonly files: readonly ListedFile[] | undefined;
  /** What is attached to the image (scans, signatures); read for the newest image of each variant only. */
  readonly referrers: readonly Descriptor[];
}

/** A repository that holds an image, and the tags that name it there. */
export interface ImagePlace extends Target {
  readonly tags: readonly string[];
}

/** How much of what is published is read. */
export interface ReadPublishedOptions {
  /** Whether what refers to an image is read for every image, or for the newest of each variant. Default newest. */
  readonly referrersOf?: 'all' | 'newest';
  /** A repository by its full name. */
  readonly open: (repository: string) => ImageStore;
  readonly signal?: AbortSignal;
  readonly onModel?: (model: FoundModel) => void;
}

const MODELS_AT_ONCE = 8;
const TAGS_AT_ONCE = 4;
const MAX_TAGS = 1000;

/**
 * Returns everything that registries hold of these models. A repository that cannot be read is a problem of its model
 * and stops nothing. A tag costs one HEAD, which registries do not count as a pull; each image is read once, wherever
 * it is.
 */
export async function readPublished(
  models: readonly ModelPlaces[],
  options: ReadPublishedOptions,
): Promise<FoundModel[]> {
  return await mapPool(models, MODELS_AT_ONCE, async model => {
    const found = await readModel(model, options);
    options.onModel?.(found);
    return found;
  });
}

async function readModel(
  { id, short, targets }: ModelPlaces,
  { open, signal, referrersOf = 'newest' }: ReadPublishedOptions,
): Promise<FoundModel> {
  const problems: string[] = [];
  const places = new Map<Digest, { readonly store: ImageStore; readonly places: ImagePlace[] }>();
  for (const target of targets) {
    try {
      const store = open(target.repository);
      for (const [digest, tags] of await readTags(store, signal)) {
        const known = places.get(digest) ?? { store, places: [] };
        known.places.push({ ...target, tags });
        places.set(digest, known);
      }
    } catch (error) {
      problems.push(toleratedProblem(error, signal));
    }
  }

  const read = await mapPool([...places], TAGS_AT_ONCE, async ([digest, found]) => {
    try {
      const platforms = await readOurs(digest, found.store, signal);
      return platforms.length === 0
        ? []
        : [{ digest, platforms, places: found.places, files: undefined, referrers: [] }];
    } catch (error) {
      problems.push(toleratedProblem(error, signal));
      return [];
    }
  });
  const images = inOrder(read.flat());
  const withFiles = await mapPool(images, TAGS_AT_ONCE, async (image): Promise<FoundImage> => {
    const [first] = image.platforms;
    const variant = first?.model?.variant;
    const isNewest = images.find(other => other.platforms[0]?.model?.variant === variant) === image;
    const store = places.get(image.digest)?.store;
    if (first === undefined || store === undefined || !(isNewest || referrersOf === 'all')) return image;
    try {
      const files = isNewest ? await readModelFiles(store, first, { signal }) : undefined;
      const referrers = await mapPool(image.platforms, 1, ({ digest }) =>
        listReferrers(store, digest, { signal }),
      );
      return { ...image, files, referrers: referrers.flat() };
    } catch (error) {
      problems.push(toleratedProblem(error, signal));
      return image;
    }
  });
  return { id, short, images: withFiles, problems };
}

/** Lists of referrers and cosign's older signatures (`sha256-….sig`) are under tags too. */
function isImageTag(tag: string): boolean {
  return !isReferrersTag(tag.replace(/\.\w+$/, ''));
}

/** Tags by the digest that they name. */
async function readTags(store: ImageStore, signal?: AbortSignal): Promise<Map<Digest, string[]>> {
  const tags = (await store.listTags(MAX_TAGS, signal)).filter(isImageTag).sort();
  const digests = await mapPool(tags, TAGS_AT_ONCE, tag => store.resolveTag(tag, signal));
  const byDigest = new Map<Digest, string[]>();
  for (const [index, digest] of digests.entries()) {
    if (digest === undefined) continue;
    byDigest.set(digest, [...(byDigest.get(digest) ?? []), tags[index] as string]);
  }
  return byDigest;
}

/** Empty for an image that Weighbridge has not published. */
async function readOurs(
  digest: Digest,
  store: ImageStore | undefined,
  signal: AbortSignal | undefined,
): Promise<readonly PublishedImage[]> {
  const top = await store?.getManifest(digest, signal);
  if (store === undefined || top === undefined) return [];
  const platforms = await readPlatforms(store, top, signal);
  return platforms.every(image => image.model !== undefined) ? platforms : [];
}

/** The newest base first; of one base the image first that still has a tag which does not name a revision. */
function inOrder(images: readonly FoundImage[]): FoundImage[] {
  const created = (image: FoundImage): string => image.platforms[0]?.config.created ?? '';
  const version = (image: FoundImage): string => readLabels(image.platforms[0]?.labels).version ?? '';
  return images.toSorted(
    (a, b) =>
      created(b).localeCompare(created(a)) ||
      version(b).localeCompare(version(a), 'en', { numeric: true }) ||
      Number(isCurrent(b)) - Number(isCurrent(a)),
  );
}

/** Whether a tag names the image that would move on to the next revision. */
export function isCurrent({ places, platforms }: FoundImage): boolean {
  // As {revision8} puts it in a tag, which {revision} begins with.
  const revision = platforms[0]?.model?.revision.slice(0, 8) ?? '';
  return places.some(place => place.tags.some(tag => !tag.includes(revision)));
}

function toleratedProblem(error: unknown, signal: AbortSignal | undefined): string {
  if (isAbort(error) || signal?.aborted || !(error instanceof WeighbridgeError)) throw error;
  return describeError(error);
}
