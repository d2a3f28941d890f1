import { readAll } from '../../core/byte-source.ts';
import { type Digest, digestOf } from '../../core/digest.ts';
import { IntegrityError, isAbort, RegistryError, WeighbridgeError } from '../../core/errors.ts';
import { plainLine } from '../../core/safe-text.ts';
import type { BaseImage } from '../../oci/image.ts';
import { parseImageConfig } from '../../oci/image-config.ts';
import { findPlatform, parseManifest } from '../../oci/parse.ts';
import { formatPlatform, matchesPlatform, parsePlatform, parseReference } from '../../oci/reference.ts';
import {
  type Descriptor,
  type ImageConfig,
  type Manifest,
  MediaType,
  type Platform,
} from '../../oci/types.ts';
import type { ImageStore, StoredManifest } from '../../store/image-store.ts';
import { OWN_PREFIX } from '../format/labels.ts';
import { pathOver } from './base-paths.ts';

const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
/** An index may list indexes; no one is known to nest them deeper than once. */
const MAX_INDEX_DEPTH = 4;
const MAX_INDEXES = 32;

/** Where base images are read from. */
export interface BaseImagesOptions {
  /** Opens the repository that holds a base image: `docker.io/vllm/vllm-openai`. */
  readonly open: (repositoryName: string) => ImageStore;
  /** The run's, not a single model's: what one waits for, others wait for too. */
  readonly signal?: AbortSignal | undefined;
  /** For runs that can do without an image whose registry does not answer. */
  readonly patienceMs?: number | undefined;
}

/**
 * The base images of a run. Each manifest and config is read once, however many models are built on it: Docker Hub
 * counts every manifest as a pull. What could not be read stays so for the run, unless it may pass.
 */
export class BaseImages {
  readonly #options: BaseImagesOptions;
  readonly #tops = new Map<string, Promise<StoredManifest>>();
  readonly #images = new Map<string, Promise<BaseImage>>();
  readonly #paths = new Map<string, Promise<string | undefined>>();

  constructor(options: BaseImagesOptions) {
    this.#options = options;
  }

  /** Returns the image for a platform (`linux/amd64`), of what a lock has pinned if it has; its layers stay where they are. Throws RegistryError, IntegrityError. */
  async get(reference: string, platform: string, pinned?: Digest): Promise<BaseImage> {
    const key = `${reference} ${pinned ?? ''}`;
    return await this.#once(this.#images, `${key} ${platform}`, reference, async signal => {
      const top = await this.#once(this.#tops, key, reference, () =>
        this.#readTop(reference, pinned, signal),
      );
      return await readPlatform(reference, platform, top, { store: this.#open(reference), signal });
    });
  }

  /** Returns what the small layers of an image have in a folder: see `pathOver`. Each is asked once. Throws RegistryError, IntegrityError. */
  async pathOver(root: string, base: BaseImage): Promise<string | undefined> {
    const store = this.#options.open(base.storeName);
    return await this.#once(this.#paths, `${base.digest} ${root}`, base.reference, signal =>
      pathOver(root, base, { store, signal }),
    );
  }

  async #readTop(
    reference: string,
    pinned: Digest | undefined,
    signal: AbortSignal | undefined,
  ): Promise<StoredManifest> {
    const { tag, digest } = parseReference(reference);
    const top = await this.#open(reference).getManifest(digest ?? pinned ?? tag ?? 'latest', signal);
    if (top === undefined) throw notFound(pinned === undefined ? reference : `${reference}@${pinned}`);
    return top;
  }

  #open(reference: string): ImageStore {
    const { registry, repository } = parseReference(reference);
    return this.#options.open(`${registry}/${repository}`);
  }

  #once<T>(
    known: Map<string, Promise<T>>,
    key: string,
    reference: string,
    read: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    const before = known.get(key);
    if (before !== undefined) return before;
    const value = this.#inTime(reference, read);
    known.set(key, value);
    value.catch(error => {
      if (!this.#isLasting(error)) known.delete(key);
    });
    return value;
  }

  async #inTime<T>(reference: string, read: (signal: AbortSignal | undefined) => Promise<T>): Promise<T> {
    const { signal, patienceMs } = this.#options;
    if (patienceMs === undefined) return await read(signal);
    const patience = AbortSignal.timeout(patienceMs);
    try {
      return await read(signal === undefined ? patience : AbortSignal.any([signal, patience]));
    } catch (cause) {
      if (signal?.aborted || !patience.aborted) throw cause;
      throw new RegistryError(
        `the registry of base image ${reference} did not answer within ${patienceMs / 1000} seconds`,
        {
          code: 'REGISTRY_UNREACHABLE',
          subject: reference,
          cause,
        },
      );
    }
  }

  #isLasting(error: unknown): boolean {
    if (isAbort(error) || !(error instanceof WeighbridgeError)) return false;
    return this.#options.patienceMs !== undefined || !PASSING.has(error.code);
  }
}

/** Errors that a later model of a long run may not meet. */
const PASSING: ReadonlySet<string> = new Set(['NETWORK', 'REGISTRY_UNREACHABLE', 'REGISTRY_RATE_LIMITED']);

interface ReadContext {
  readonly store: ImageStore;
  readonly signal: AbortSignal | undefined;
}

async function readPlatform(
  reference: string,
  platformText: string,
  top: StoredManifest,
  { store, signal }: ReadContext,
): Promise<BaseImage> {
  const platform = parsePlatform(platformText);
  const search = {
    store,
    platform,
    reference,
    signal,
    seen: new Set([top.digest]),
    offered: new Set<string>(),
  };
  const chosen = await findManifest(top, 0, search);
  if (chosen === undefined) throw platformMissing(reference, platformText, [...search.offered]);
  const { manifest } = chosen;
  const found = await readConfig(manifest, { store, reference, signal });
  if (!isMadeFor(found, platform))
    throw platformMissing(reference, platformText, [`${found.os}/${found.architecture}`]);
  // Runtimes compare these names: what other builders call x86_64, or leave out, is written as it is meant.
  const config = { ...found, os: platform.os, architecture: platform.architecture };
  if (config.rootfs.diff_ids.length !== manifest.layers.length) {
    throw new RegistryError(
      `base image ${reference} has ${manifest.layers.length} layers and ${config.rootfs.diff_ids.length} diff_ids`,
      { code: 'REGISTRY_BAD_ANSWER', subject: reference },
    );
  }
  return {
    reference,
    digest: chosen.digest,
    storeName: store.name,
    platform,
    config,
    layers: manifest.layers.map(withoutOwnMarks),
  };
}

async function readConfig(
  manifest: Manifest,
  { store, reference, signal }: Pick<PlatformSearch, 'store' | 'reference' | 'signal'>,
): Promise<ImageConfig> {
  const bytes = await readAll(store.openBlob(manifest.config), MAX_CONFIG_BYTES, signal);
  if (digestOf(bytes) !== manifest.config.digest) {
    throw new IntegrityError(`the config of base image ${reference} is not what its manifest says`, {
      code: 'INTEGRITY_HASH',
      subject: reference,
    });
  }
  try {
    return parseImageConfig(bytes, `base image ${reference}`);
  } catch (error) {
    // What is of another type and no image in all but its name is an artifact; the type says more than what it lacks.
    throw isImage(manifest) || !(error instanceof RegistryError) ? error : notAnImage(reference, manifest);
  }
}

/** Whether a config is for a platform; one that names none is for any, as Docker takes it. */
function isMadeFor({ os, architecture }: ImageConfig, wanted: Platform): boolean {
  const { variant, ...named } = wanted;
  return matchesPlatform({ os: os || wanted.os, architecture: architecture || wanted.architecture }, named);
}

/** A search for the manifest of a platform. */
interface PlatformSearch {
  readonly store: ImageStore;
  readonly platform: Platform;
  /** Of the base image, for errors. */
  readonly reference: string;
  readonly signal: AbortSignal | undefined;
  /** What has been read: no index is read twice. */
  readonly seen: Set<Digest>;
  /** Platforms that there are. */
  readonly offered: Set<string>;
}

interface PlatformManifest {
  readonly digest: Digest;
  readonly manifest: Manifest;
}

/** The platform's manifest in `stored` or in what it lists; an index may list indexes. */
async function findManifest(
  stored: StoredManifest,
  depth: number,
  search: PlatformSearch,
): Promise<PlatformManifest | undefined> {
  const { store, platform, reference, signal, seen, offered } = search;
  const parsed = parseManifest(stored.bytes, stored.mediaType, `base image ${reference}`);
  if (parsed.kind === 'manifest') return { digest: stored.digest, manifest: parsed.manifest };
  if (depth >= MAX_INDEX_DEPTH) return undefined;
  const { manifests } = parsed.index;
  for (const child of manifests) {
    if (child.platform !== undefined && child.platform.os !== 'unknown')
      offered.add(formatPlatform(child.platform));
  }
  const own = findPlatform(parsed.index, platform);
  for (const entry of own === undefined ? manifests.filter(mayHoldPlatform) : [own]) {
    const { digest } = entry;
    if (seen.has(digest) || seen.size >= MAX_INDEXES) continue;
    seen.add(digest);
    const child = await store.getManifest(digest, signal);
    if (child === undefined) throw notFound(`${reference} (${formatPlatform(platform)}, ${digest})`);
    const found = await findManifest(child, depth + 1, search);
    if (found === undefined) continue;
    if (own !== undefined || isIndexType(entry) || (await isUnnamed(found.manifest, search))) return found;
  }
  return undefined;
}

/** An entry without a platform: of an index, those are one level down; of an image, it is in its config. */
function mayHoldPlatform({ mediaType, platform, artifactType }: Descriptor): boolean {
  const isImageType = mediaType === MediaType.ociManifest || mediaType === MediaType.dockerManifest;
  return (
    platform === undefined && (isIndexType({ mediaType }) || (isImageType && artifactType === undefined))
  );
}

function isIndexType({ mediaType }: Pick<Descriptor, 'mediaType'>): boolean {
  return mediaType === MediaType.ociIndex || mediaType === MediaType.dockerIndex;
}

/** Whether an image that an index lists without a platform is for the one that is searched; containerd looks there too. */
async function isUnnamed(manifest: Manifest, search: PlatformSearch): Promise<boolean> {
  if (!isImage(manifest)) return false;
  const config = await readConfig(manifest, search);
  const { os, architecture } = config;
  if (os && architecture) search.offered.add(`${os}/${architecture}`);
  return isMadeFor(config, search.platform);
}

const CONFIGS: ReadonlySet<string> = new Set([MediaType.ociConfig, MediaType.dockerConfig]);

/** Charts, signatures and models are manifests too, with configs of their own types. */
function isImage({ config }: Manifest): boolean {
  return CONFIGS.has(config.mediaType);
}

/** A base image does not say which of its layers are ours: what Weighbridge writes about its own layers is left out. */
function withoutOwnMarks(layer: Descriptor): Descriptor {
  const { annotations, ...rest } = layer;
  if (annotations === undefined) return layer;
  const kept = Object.entries(annotations).filter(([name]) => !name.startsWith(OWN_PREFIX));
  return { ...rest, annotations: Object.fromEntries(kept) };
}

function notFound(reference: string): RegistryError {
  return new RegistryError(`the base image ${reference} does not exist`, {
    code: 'BASE_NOT_FOUND',
    subject: reference,
    remedy: 'Check `base_image` in models.yaml, and the login if the image is private.',
  });
}

function notAnImage(reference: string, { artifactType, config }: Manifest): RegistryError {
  const type = plainLine(artifactType ?? config.mediaType, 100);
  return new RegistryError(`the base image ${reference} is not a container image, but ${type}`, {
    code: 'REGISTRY_BAD_ANSWER',
    subject: reference,
    remedy: 'Check `base_image` in models.yaml: it names an artifact of another kind.',
  });
}

function platformMissing(reference: string, wanted: string, offered: readonly string[]): RegistryError {
  const has =
    offered.length > 0
      ? `it has ${offered.map(name => plainLine(name)).join(', ')}`
      : 'it has none that fits';
  return new RegistryError(`the base image ${reference} is not available for ${wanted}: ${has}`, {
    code: 'BASE_PLATFORM_MISSING',
    subject: reference,
    remedy: 'Change `arch` or `base_image` in models.yaml.',
  });
}
