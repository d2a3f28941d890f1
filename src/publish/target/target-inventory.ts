import type { Digest } from '../../core/digest.ts';
import { isOddAnswer, RegistryError } from '../../core/errors.ts';
import { mapPool } from '../../core/pool.ts';
import {
  type PublishedFile,
  type ResolvedLayer,
  readLayerDescriptor,
} from '../../image/format/layer-annotations.ts';
import type { LayerSpec } from '../../layer/layer-spec.ts';
import { parseManifest } from '../../oci/parse.ts';
import type { Descriptor, Manifest } from '../../oci/types.ts';
import { storedSize } from '../../store/blob-size.ts';
import type { ImageStore, StoredManifest } from '../../store/image-store.ts';
import { isReferrersTag } from '../../store/referrers.ts';

/** How many of a repository's other tags are looked at for layers that the model's own tags do not have. */
const MAX_OTHER_TAGS = 60;
const CONCURRENCY = 6;
/** An index has an entry for each platform, and one for what was attached to it by its builder. */
const MAX_INDEX_ENTRIES = 40;
const MAX_INDEX_DEPTH = 2;

type Vouches = (store: ImageStore, manifest: Digest) => Promise<boolean>;

/** What one target holds already, as its manifests tell. */
export class TargetInventory {
  readonly store: ImageStore;
  readonly #tags = new Map<string, StoredManifest | undefined>();
  readonly #layers = new Map<string, ResolvedLayer>();
  /** Layers that unsigned manifests or notes of this machine tell of: the blob is here, and its bytes are not proven. */
  readonly #noted = new Map<string, ResolvedLayer>();
  /** Sizes that the layers of the model must have, by key. */
  readonly #sizes = new Map<string, number>();
  readonly #blobs = new Set<string>();
  /** Manifests that have been looked at. */
  readonly #seen = new Set<string>();

  readonly #vouches: Vouches | undefined;

  /** With `vouches`, what a manifest says of layers is believed if that is true of it, and else has to be proven. */
  constructor(store: ImageStore, vouches?: Vouches) {
    this.store = store;
    this.#vouches = vouches;
  }

  /** Says what layers are wanted, so that one of another size is not taken for one of them. */
  expect(layers: readonly LayerSpec[]): void {
    for (const { key, layout } of layers) this.#sizes.set(key, layout.sizeBytes);
  }

  /** One of our layers that manifests here name, by its recipe's key. */
  layer(key: string): ResolvedLayer | undefined {
    const layer = this.#layers.get(key);
    const sizeBytes = this.#sizes.get(key);
    return sizeBytes === undefined || layer?.sizeBytes === sizeBytes ? layer : undefined;
  }

  /** A layer that is claimed to be here by what proves nothing. */
  noted(key: string): ResolvedLayer | undefined {
    return this.#noted.get(key);
  }

  /** Takes a layer that is here now: made, mounted, or read back and found to be right. */
  addProven(layer: ResolvedLayer): void {
    this.#layers.set(layer.key, layer);
    this.#blobs.add(layer.digest);
  }

  /** Whether a manifest that is here names the blob: then the registry holds it. */
  hasBlob(digest: string): boolean {
    return this.#blobs.has(digest);
  }

  /** From here on the registry itself is asked for each blob: its manifests have named one that it no longer has. */
  invalidate(): void {
    this.#blobs.clear();
  }

  /** Notes a layer that no manifest here names, if the store holds a blob of its size. */
  async addNoted(layer: ResolvedLayer, signal?: AbortSignal): Promise<void> {
    if (layer.sizeBytes !== this.#sizes.get(layer.key)) return;
    if ((await storedSize(this.store, layer.digest, signal)) !== layer.sizeBytes) return;
    this.#noted.set(layer.key, layer);
  }

  /** The manifest that the tag names; undefined if there is none, or if `readTags` has not read it. */
  tag(tag: string): StoredManifest | undefined {
    return this.#tags.get(tag);
  }

  /** A file with this content inside any layer that is here. */
  findFile(contentId: string): { layer: ResolvedLayer; file: PublishedFile } | undefined {
    for (const layer of this.#layers.values()) {
      const file = layer.files.find(candidate => candidate.contentId === contentId);
      if (file !== undefined) return { layer, file };
    }
    return undefined;
  }

  /** Reads the manifests that `tags` name now. */
  async readTags(tags: readonly string[], signal?: AbortSignal): Promise<void> {
    const fresh = tags.filter(tag => !this.#tags.has(tag));
    await mapPool(fresh, CONCURRENCY, async tag => {
      const stored = await this.#getManifest(tag, signal);
      this.#tags.set(tag, stored);
      if (stored !== undefined) await this.#read(stored, 0, signal);
    });
  }

  /**
   * Goes through the model's other tags until `isEnough`: an older revision has most files of a newer one. Other tags of
   * the repository prove nothing of the model. They only save work, so one that is odd or may not be read ends the search; a
   * registry that fails throws its error as everywhere else, since to move all of a model again would cost more.
   */
  async readOthers(
    isEnough: () => boolean,
    options: { readonly isOwnTag: (tag: string) => boolean; readonly signal?: AbortSignal | undefined },
  ): Promise<void> {
    const { isOwnTag, signal } = options;
    if (isEnough()) return;
    try {
      const tags = await this.store.listTags(1000, signal);
      const others = tags.filter(tag => !this.#tags.has(tag) && isOwnTag(tag) && !isReferrersTag(tag));
      const looked = others.slice(0, MAX_OTHER_TAGS);
      for (let start = 0; start < looked.length && !isEnough(); start += CONCURRENCY)
        await this.readTags(looked.slice(start, start + CONCURRENCY), signal);
    } catch (error) {
      const isRefused = error instanceof RegistryError && error.code === 'REGISTRY_UNAUTHORIZED';
      if (!isRefused && !isOddAnswer(error)) throw error;
    }
  }

  /** What is not a manifest, or not the one that it is said to be, is somebody's mistake and no reason to fail. */
  async #getManifest(
    reference: string,
    signal: AbortSignal | undefined,
  ): Promise<StoredManifest | undefined> {
    try {
      return await this.store.getManifest(reference, signal);
    } catch (error) {
      if (isOddAnswer(error)) return undefined;
      throw error;
    }
  }

  async #read(stored: StoredManifest, depth: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#seen.has(stored.digest)) return;
    this.#seen.add(stored.digest);
    let parsed: ReturnType<typeof parseManifest>;
    try {
      parsed = parseManifest(stored.bytes, stored.mediaType, this.store.name);
    } catch {
      // Someone else's artifact under a tag of this repository is not a reason to fail.
      return;
    }
    if (parsed.kind === 'manifest') {
      await this.#note(parsed.manifest, stored.digest);
      return;
    }
    // Anyone may put an index here that lists others without end.
    if (depth >= MAX_INDEX_DEPTH) return;
    const digests = new Set(parsed.index.manifests.map((child: Descriptor) => child.digest));
    const fresh = [...digests].filter(digest => !this.#seen.has(digest)).slice(0, MAX_INDEX_ENTRIES);
    await mapPool(fresh, CONCURRENCY, async digest => {
      const child = await this.#getManifest(digest, signal);
      if (child !== undefined) await this.#read(child, depth + 1, signal);
    });
  }

  async #note(manifest: Manifest, digest: Digest): Promise<void> {
    for (const descriptor of [...manifest.layers, manifest.config]) this.#blobs.add(descriptor.digest);
    const layers = manifest.layers.flatMap(descriptor => readLayerDescriptor(descriptor) ?? []);
    if (layers.length === 0) return;
    const isBelieved = this.#vouches === undefined || (await this.#vouches(this.store, digest));
    for (const layer of layers) {
      if (isBelieved) this.#layers.set(layer.key, layer);
      else if (layer.sizeBytes === this.#sizes.get(layer.key)) this.#noted.set(layer.key, layer);
    }
  }
}
