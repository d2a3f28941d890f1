import type { Digest } from '../core/digest.ts';
import { isAbort } from '../core/errors.ts';
import { Mutex, memoizeAsync } from '../core/pool.ts';
import { BaseImages } from '../image/base/base-image.ts';
import type { ResolvedLayer } from '../image/format/layer-annotations.ts';
import type { BaseImage } from '../oci/image.ts';
import { parseManifest } from '../oci/parse.ts';
import { hostOf } from '../oci/reference.ts';
import type { ImageStore } from '../store/image-store.ts';

/** An image of another model, which may hold blobs that this one needs too. */
export interface Sibling {
  /** `ghcr.io/acme/hf-y` */
  readonly repository: string;
  readonly tag: string;
}

/** Where the models of a run read base images from. */
export interface RunCacheOptions {
  /** A store to read from: a base image's, or a sibling's. */
  readonly openBase: (repositoryName: string) => ImageStore;
  readonly signal?: AbortSignal | undefined;
  /** For a run that can do without what a registry does not answer. */
  readonly patienceMs?: number;
}

/** Siblings of a registry that are looked at for blobs to mount: one manifest each, once a run. */
const MAX_SIBLINGS = 3;
/** Repositories that a mount of one blob is asked for from. */
const MAX_HOLDERS = 3;

/**
 * What the models of a run find out for each other, at all targets: base images, and which repositories hold which
 * blobs. A run has one.
 */
export class RunCache {
  readonly #options: RunCacheOptions;
  readonly #bases: BaseImages;
  readonly #siblings = new Map<string, Sibling>();
  readonly #readSibling: (sibling: string) => Promise<void>;
  readonly #holders = new Map<Digest, Set<string>>();
  readonly #layers = new Map<string, ResolvedLayer>();
  readonly #locks = new Map<string, Mutex>();

  constructor(options: RunCacheOptions) {
    this.#options = options;
    const { openBase: open, signal, patienceMs } = options;
    this.#bases = new BaseImages({ open, signal, patienceMs });
    this.#readSibling = memoizeAsync(key => {
      const [repository = '', tag = ''] = key.split(' ');
      return this.#noteManifest({ repository, tag });
    });
  }

  /** The base image for a platform (`linux/amd64`). Throws RegistryError, IntegrityError. */
  readonly baseImage = (reference: string, platform: string, pinned?: Digest): Promise<BaseImage> =>
    this.#bases.get(reference, platform, pinned);

  /** What a base image has in a folder, as far as its small layers tell. Throws RegistryError, IntegrityError. */
  readonly pathOver = (root: string, base: BaseImage): Promise<string | undefined> =>
    this.#bases.pathOver(root, base);

  /** `siblings`: of models of the run, as they become known. The first word of a repository counts. */
  noteSiblings(siblings: readonly Sibling[]): void {
    for (const one of siblings)
      if (!this.#siblings.has(one.repository)) this.#siblings.set(one.repository, one);
  }

  /** `repository` has the blob: others of its registry may mount it from there. */
  noteHolder(digest: Digest, repository: string): void {
    const holders = this.#holders.get(digest) ?? new Set();
    this.#holders.set(digest, holders.add(repository));
  }

  /** Other repositories of the registry of `repository` that hold the blob, as far as this run has seen. */
  async holders(digest: Digest, repository: string): Promise<readonly string[]> {
    const known = this.#holdersBeside(digest, repository);
    if (known.length > 0) return known;
    const siblings = [...this.#siblings.values()].filter(
      other => other.repository !== repository && hostOf(other.repository) === hostOf(repository),
    );
    await Promise.all(
      siblings.slice(0, MAX_SIBLINGS).map(one => this.#readSibling(`${one.repository} ${one.tag}`)),
    );
    return this.#holdersBeside(digest, repository);
  }

  /** Repositories of the registry of `repository`, besides it, that this run has seen the blob in. */
  knownHolders(digest: Digest, repository: string): readonly string[] {
    return this.#holdersBeside(digest, repository);
  }

  /** Keeps one of our layers whose bytes this run has hashed. */
  noteLayer(layer: ResolvedLayer): void {
    this.#layers.set(layer.key, layer);
  }

  /** Returns one of our layers that this run has hashed the bytes of, by its key. */
  layer(key: string): ResolvedLayer | undefined {
    return this.#layers.get(key);
  }

  /** Opens another repository, to read from. */
  open(repository: string): ImageStore {
    return this.#options.openBase(repository);
  }

  /** Runs the work when no other model is at this blob: what one brings, the next can mount. `id`: as of RequiredBlob. */
  async exclusively<T>(id: string, work: () => Promise<T>): Promise<T> {
    const lock = this.#locks.get(id) ?? new Mutex();
    this.#locks.set(id, lock);
    return await lock.run(work);
  }

  #holdersBeside(digest: Digest, repository: string): string[] {
    const host = hostOf(repository);
    const others: string[] = [];
    // A layer of the base image has as many holders as the run has models: only the first few are looked at.
    for (const other of this.#holders.get(digest) ?? []) {
      if (other !== repository && hostOf(other) === host) others.push(other);
      if (others.length === MAX_HOLDERS) break;
    }
    return others;
  }

  async #noteManifest({ repository, tag }: Sibling): Promise<void> {
    try {
      const stored = await this.#options.openBase(repository).getManifest(tag, this.#options.signal);
      const parsed = stored && parseManifest(stored.bytes, stored.mediaType, repository);
      if (parsed?.kind !== 'manifest') return;
      for (const { digest } of parsed.manifest.layers) this.noteHolder(digest, repository);
    } catch (error) {
      if (isAbort(error)) throw error;
      // A sibling that may not be read is of no help, and no reason to fail.
    }
  }
}
