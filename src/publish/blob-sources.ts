import { type ByteSource, bytesSource, type OpenOptions, readAll } from '../core/byte-source.ts';
import { memoizeAsync } from '../core/pool.ts';
import type { Hub } from '../hub/types.ts';
import { LayerHasher } from '../layer/layer-hasher.ts';
import { inlineContent, layerSource } from '../layer/layer-source.ts';
import type { LayerEntry } from '../layer/recipe.ts';
import { MediaType } from '../oci/types.ts';
import type { PlannedModel } from '../plan/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import type { WantedLayer } from './draft.ts';
import type { KnownLayer, PublishedFile } from './layer-annotations.ts';
import type { PublishedLayers } from './published-layers.ts';
import { type BlobHasher, CopyHasher } from './transfer.ts';

export interface BlobOrigin {
  readonly source: ByteSource;
  readonly hasher: BlobHasher;
  /** sha256 by path of the files in a layer that is being made, once it has been read. */
  readonly sha256Of?: ReadonlyMap<string, string>;
}

/** A published layer up to this size is read whole when one of its files is needed again. */
const MAX_WHOLE_LAYER_BYTES = 32 * 1024 * 1024;

/** A blob that exists somewhere, as it is. */
export function copyOrigin(
  store: ImageStore,
  digest: KnownLayer['digest'],
  sizeBytes: number,
  mediaType: string,
): BlobOrigin {
  return { source: store.openBlob({ digest, size: sizeBytes, mediaType }), hasher: new CopyHasher() };
}

/**
 * A layer made from the Hub's files. Files that a published layer holds already are read from there and not from the
 * Hub again, which is how one changed file in a shared layer stays one read file.
 */
export function madeOrigin(
  layer: WantedLayer,
  planned: PlannedModel,
  hub: Hub,
  published: readonly PublishedLayers[],
): BlobOrigin {
  const wholeLayer = memoizeAsync((known: Known) =>
    readAll(known.store.openBlob(descriptorOf(known.layer)), MAX_WHOLE_LAYER_BYTES),
  );
  const files = new Map(planned.snapshot.files.map(file => [file.path, file]));
  const contentOf = (entry: LayerEntry): ByteSource => {
    if (entry.origin.kind === 'inline') return bytesSource(entry.path, inlineContent(entry));
    const known = findPublished(published, entry);
    if (known !== undefined) return publishedFileSource(known, wholeLayer);
    const file = files.get(entry.origin.path);
    if (file === undefined) throw new TypeError(`${entry.origin.path} is not in the snapshot`);
    return hub.openFile({ id: entry.origin.repository, revision: entry.origin.revision }, file);
  };
  const hasher = new LayerHasher(layer.layout);
  return { source: layerSource(layer.layout, contentOf), hasher, sha256Of: hasher.sha256Of };
}

interface Known {
  readonly store: ImageStore;
  readonly layer: KnownLayer;
  readonly file: PublishedFile;
}

function findPublished(published: readonly PublishedLayers[], entry: LayerEntry): Known | undefined {
  for (const target of published) {
    const found = target.findFile(entry.contentId);
    if (found !== undefined && found.file.sizeBytes === entry.sizeBytes)
      return { store: target.store, ...found };
  }
  return undefined;
}

function publishedFileSource(known: Known, wholeLayer: (known: Known) => Promise<Buffer>): ByteSource {
  const { store, layer, file } = known;
  return {
    name: file.path,
    sizeBytes: file.sizeBytes,
    async *open({ start, ...options }: OpenOptions) {
      if (layer.sizeBytes <= MAX_WHOLE_LAYER_BYTES) {
        const bytes = await wholeLayer(known);
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

function descriptorOf({ digest, sizeBytes }: KnownLayer): {
  digest: KnownLayer['digest'];
  size: number;
  mediaType: string;
} {
  return { digest, size: sizeBytes, mediaType: MediaType.ociLayerTar };
}
