import * as z from 'zod';
import { describeError, isAbort, WeighbridgeError } from '../core/errors.ts';
import { parseJson } from '../core/json-shape.ts';
import { mapPool } from '../core/pool.ts';
import { plainLine } from '../core/safe-text.ts';
import { layerKindOf, readLayerDescriptor } from '../image/format/layer-annotations.ts';
import { MODEL_SIGNATURE } from '../image/format/model-signature.ts';
import { SLIM_LIST } from '../image/format/slim-list.ts';
import { type FoundEntries, type ReadOptions, readForDigest, readLayer } from '../image/image-content.ts';
import {
  asListed,
  type ListedFile,
  type PublishedImage,
  parseSlimList,
  type SlimList,
  withoutSignature,
} from '../image/published-image.ts';
import type { Descriptor } from '../oci/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import { type ExpectedParts, type ExpectedSharding, readParts } from './verify-sharded.ts';

/** How much of an image is read, and who is told. */
export interface ContentOptions {
  /** Reads and hashes every byte of the image; otherwise what the manifest says is compared with the Hub. */
  readonly isDeep: boolean;
  /**
   * Whether a deep check reads base layers too, which is the default. Otherwise the registry has to have them, and `rebuild`
   * compares their digests with the base image's: clients hash their bytes when they pull.
   */
  readonly readsBase?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** A layer's bytes as they are read; called with 0 when it begins. */
  readonly onRead?: (layer: Descriptor, name: string, count: number) => void;
  /** After a layer's last byte, or when it was found not to be right. */
  readonly onLayerEnd?: (layer: Descriptor, name: string) => void;
}

/** What the layers of an image hold. */
export interface Content {
  /** Of the entry that the image is from, as the list of a slim image has it. */
  readonly entry: RecordedEntry;
  readonly files: readonly ListedFile[];
  readonly slimList: SlimList;
  /** Files of the repository whose parts are not right, though each may be what its manifest says. */
  readonly wrongSources: ReadonlySet<string>;
  readonly problems: readonly string[];
  /** The model signature that the image has as a file. */
  readonly signature: Buffer | undefined;
  readonly bytesRead: number;
}

/** What the list of a slim image says of its entry in models.yaml; nothing without such a list. */
export interface RecordedEntry {
  readonly serveArgs?: readonly string[] | undefined;
  readonly short?: string | undefined;
}

const CONCURRENCY = 4;

/**
 * Reads the layers of an image, several at once, and returns what they hold; a layer that cannot be read is a problem.
 * Throws what `signal` aborts with.
 */
export async function readContent(
  store: ImageStore,
  image: PublishedImage,
  { shardings }: ExpectedParts,
  options: ContentOptions,
): Promise<Content> {
  const content = new ContentReader(store, image, options);
  const sharded = options.isDeep ? shardings : [];
  const inParts = new Set(sharded.flatMap(({ layers }) => layers));
  const whole = image.manifest.layers.filter(layer => !inParts.has(layer));
  const work = [
    ...sharded.map(resharding => () => content.readSharded(resharding)),
    ...whole.map(layer => () => content.readLayer(layer)),
  ];
  await mapPool(work, CONCURRENCY, one => one().catch(error => content.tolerate(error)));
  return content;
}

class ContentReader implements Content {
  readonly #store: ImageStore;
  readonly #image: PublishedImage;
  readonly #options: ContentOptions;
  readonly files: ListedFile[] = [];
  readonly problems: string[] = [];
  readonly wrongSources = new Set<string>();
  slimList: SlimList = { files: [], adapters: [] };
  entry: RecordedEntry = {};
  signature: Buffer | undefined;
  bytesRead = 0;

  constructor(store: ImageStore, image: PublishedImage, options: ContentOptions) {
    this.#store = store;
    this.#image = image;
    this.#options = options;
  }

  /** Notes an error of the image; throws any other. */
  tolerate(error: unknown): void {
    const isStopped = isAbort(error) || this.#options.signal?.aborted;
    if (isStopped || !(error instanceof WeighbridgeError)) throw error;
    this.problems.push(describeError(error));
  }

  async readLayer(layer: Descriptor): Promise<void> {
    const known = this.#filesOf(layer);
    if (!this.#hasToBeRead(layer)) {
      this.problems.push(...(await presence(this.#store, layer, this.#options.signal)));
      this.files.push(...known.map(asListed));
      return;
    }
    const { onEnd, ...read } = this.#readOptions(layer);
    try {
      if (known.length === 0) await readForDigest(this.#store, layer, read);
      else await this.#readFiles(layer, read);
    } finally {
      onEnd();
    }
  }

  async readSharded(resharding: ExpectedSharding): Promise<void> {
    const folder = this.#image.model?.dir.slice(1) ?? '';
    try {
      const optionsOf = (layer: Descriptor) => this.#readOptions(layer);
      this.files.push(...(await readParts(this.#store, resharding, folder, optionsOf)));
    } catch (error) {
      this.wrongSources.add(resharding.places.file.source.path);
      // They are in the image all the same.
      const stated = resharding.layers.flatMap(layer => this.#filesOf(layer));
      this.files.push(...stated.map(file => ({ ...asListed(file), partId: undefined })));
      throw error;
    }
  }

  /** The list of a slim image and a signature are small, and what they say is compared even if nothing else is read. */
  #hasToBeRead(layer: Descriptor): boolean {
    const { isDeep, readsBase } = this.#options;
    const isChecked = isDeep && (readsBase !== false || readLayerDescriptor(layer) !== undefined);
    const hasList = this.#filesOf(layer).some(({ path }) => path === SLIM_LIST);
    return isChecked || hasList || layerKindOf(layer) === 'signature';
  }

  async #readFiles(layer: Descriptor, options: ReadOptions): Promise<void> {
    const kind = layerKindOf(layer) ?? 'base';
    const isSignature = (path: string): boolean =>
      kind === 'signature' && path.endsWith(`/${MODEL_SIGNATURE}`);
    const keep = (path: string): boolean => path === SLIM_LIST || isSignature(path);
    const found = await readLayer(this.#store, layer, { ...options, keep });
    // A layer of somebody else's may have more files than a call can have arguments.
    for (const file of withoutSignature(kind, found.files, this.#image.model)) this.files.push(file);
    for (const [path, bytes] of found.kept) if (isSignature(path)) this.signature = bytes;
    this.problems.push(...strangeEntries(layer, this.#filesOf(layer), found));
    const list = found.kept.get(SLIM_LIST);
    if (list === undefined) return;
    this.slimList = parseSlimList(list, this.#store.name);
    this.entry = parseEntry(list);
  }

  #readOptions(layer: Descriptor): ReadOptions & { readonly onEnd: () => void } {
    const { signal, onRead, onLayerEnd } = this.#options;
    const name = layerName(layer, this.#filesOf(layer));
    onRead?.(layer, name, 0);
    return {
      signal,
      onBytes: count => {
        this.bytesRead += count;
        onRead?.(layer, name, count);
      },
      onEnd: () => onLayerEnd?.(layer, name),
    };
  }

  /** What the manifest says that a layer has. */
  #filesOf(layer: Descriptor): PublishedImage['layers'][number]['files'] {
    const { manifest, layers } = this.#image;
    return layers[manifest.layers.indexOf(layer)]?.files ?? [];
  }
}

function parseEntry(bytes: Buffer): RecordedEntry {
  const { data } = ENTRY.safeParse(parseJson(bytes.toString('utf8')));
  return data ?? {};
}

const ENTRY = z.object({ serveArgs: z.array(z.string()), short: z.string().optional() });

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
