import { type ByteSource, bytesSource, type OpenOptions, readAll } from '../../core/byte-source.ts';
import { memoizeAsync } from '../../core/pool.ts';
import type { Hub } from '../../hub/types.ts';
import type { PublishedFile, ResolvedLayer } from '../../image/format/layer-annotations.ts';
import type { ContentHash } from '../../layer/content-hash.ts';
import { LayerHasher } from '../../layer/layer-hasher.ts';
import { type ContentResolver, inlineContent, layerSource } from '../../layer/layer-source.ts';
import type { LayerSpec } from '../../layer/layer-spec.ts';
import type { LayerEntry, LayerRecipe, SliceSource } from '../../layer/recipe.ts';
import { layOut } from '../../layer/tar-layout.ts';
import { type Descriptor, MediaType } from '../../oci/types.ts';
import { type BlobHasher, CopyHasher } from '../../store/fan-out/fan-out.ts';
import type { ImageStore } from '../../store/image-store.ts';
import type { TargetInventory } from '../target/target-inventory.ts';

interface OpenBlob {
  readonly source: ByteSource;
  readonly hasher: BlobHasher;
  /** sha256 by path of the files in a layer that is being made, once it has been read. */
  readonly sha256Of?: ReadonlyMap<string, string>;
}

/** A published layer up to this size is read whole when one of its files is needed again. */
const MAX_WHOLE_LAYER_BYTES = 32 * 1024 * 1024;

/**
 * Where the bytes of a blob come from, as data: what exists somewhere, as it is, or a layer made from the Hub's files.
 * Files that a published layer holds already are read from there and not from the Hub again, which is how one changed
 * file in a shared layer stays one read file.
 */
export type BlobSourceSpec<Store> =
  | { readonly kind: 'copy'; readonly store: Store; readonly descriptor: Descriptor }
  | {
      readonly kind: 'made';
      readonly recipe: LayerRecipe;
      readonly published: readonly ContentPlace<Store>[];
    };

interface ContentPlace<Store> {
  readonly store: Store;
  readonly layer: ResolvedLayer;
  readonly file: PublishedFile;
}

/** Returns how a layer is made, reading what `published` holds from there. */
export function ownLayerSpec(
  { recipe }: LayerSpec,
  published: readonly TargetInventory[],
): BlobSourceSpec<ImageStore> {
  return {
    kind: 'made',
    recipe,
    published: recipe.entries.flatMap(entry => findPublished(published, entry) ?? []),
  };
}

/** Returns the opened blob; `whole` hashes the file that a part in the layer is of. */
export function openBlobSource(plan: BlobSourceSpec<ImageStore>, hub: Hub, whole?: ContentHash): OpenBlob {
  if (plan.kind === 'copy') return { source: plan.store.openBlob(plan.descriptor), hasher: new CopyHasher() };
  const layout = layOut(plan.recipe);
  const hasher = new LayerHasher(layout, whole);
  return { source: layerSource(layout, contentResolver(plan, hub)), hasher, sha256Of: hasher.sha256Of };
}

function contentResolver(
  { published }: BlobSourceSpec<ImageStore> & { kind: 'made' },
  hub: Hub,
): ContentResolver {
  const wholeLayer = memoizeAsync(({ store, layer }: ContentPlace<ImageStore>) =>
    readAll(store.openBlob(descriptorOf(layer)), MAX_WHOLE_LAYER_BYTES),
  );
  const byContent = new Map(published.map(place => [place.file.contentId, place]));
  return entry => {
    if (entry.content.kind === 'inline') return bytesSource(entry.path, inlineContent(entry));
    const place = byContent.get(entry.contentId);
    if (place !== undefined) return publishedFileSource(place, wholeLayer);
    if (entry.content.kind === 'part') return partSource(entry.content, hub);
    const { repository: id, revision, path } = entry.content;
    return hub.openFile({ id, revision }, { path, sizeBytes: entry.sizeBytes });
  };
}

function partSource(
  { repository, revision, path, source, header, start, end }: SliceSource,
  hub: Hub,
): ByteSource {
  const data = hub.openFile({ id: repository, revision }, source, { start, end });
  return {
    name: path,
    sizeBytes: header.length + data.sizeBytes,
    async *open({ start: from, ...options }) {
      if (from < header.length) yield header.subarray(from);
      yield* data.open({ ...options, start: Math.max(0, from - header.length) });
    },
  };
}

function findPublished(
  published: readonly TargetInventory[],
  entry: LayerEntry,
): ContentPlace<ImageStore> | undefined {
  for (const target of published) {
    const found = target.findFile(entry.contentId);
    if (found !== undefined && found.file.sizeBytes === entry.sizeBytes)
      return { store: target.store, ...found };
  }
  return undefined;
}

function publishedFileSource(
  place: ContentPlace<ImageStore>,
  wholeLayer: (place: ContentPlace<ImageStore>) => Promise<Buffer>,
): ByteSource {
  const { store, layer, file } = place;
  return {
    name: file.path,
    sizeBytes: file.sizeBytes,
    async *open({ start, ...options }: OpenOptions) {
      if (layer.sizeBytes <= MAX_WHOLE_LAYER_BYTES) {
        const bytes = await wholeLayer(place);
        yield bytes.subarray(file.offset + start, file.offset + file.sizeBytes);
        return;
      }
      let left = file.sizeBytes - start;
      for await (const chunk of store
        .openBlob(descriptorOf(layer))
        .open({ ...options, start: file.offset + start })) {
        yield chunk.subarray(0, left);
        left -= Math.min(left, chunk.length);
        if (left === 0) return;
      }
    },
  };
}

function descriptorOf({ digest, sizeBytes }: ResolvedLayer): Descriptor {
  return { digest, size: sizeBytes, mediaType: MediaType.ociLayerTar };
}
