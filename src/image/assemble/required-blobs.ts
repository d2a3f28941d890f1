import type { LayerSpec } from '../../layer/layer-spec.ts';
import { type SizesByKind, sumByKind } from '../format/layer-kinds.ts';
import type { ImagePlatform, RequiredBlob } from '../types.ts';

/** Returns all blobs of the platforms in the order of the image, each once. */
export function requiredBlobs(platforms: readonly Pick<ImagePlatform, 'base' | 'layers'>[]): RequiredBlob[] {
  const blobs = new Map<string, RequiredBlob>();
  for (const { base, layers } of platforms) {
    for (const descriptor of base?.layers ?? []) {
      const { digest, size: sizeBytes } = descriptor;
      const name = `base layer ${digest.slice(7, 19)}`;
      const storeName = base?.storeName ?? '';
      blobs.set(digest, { kind: 'base', id: digest, name, sizeBytes, digest, descriptor, storeName });
    }
    for (const layer of layers) blobs.set(layer.key, ownBlob(layer));
  }
  return [...blobs.values()];
}

function ownBlob(layer: LayerSpec): RequiredBlob {
  const { recipe, layout, key } = layer;
  const content = recipe.entries[0]?.content;
  const slice = content?.kind === 'part' ? content : undefined;
  return { kind: 'own', id: key, name: recipe.name, sizeBytes: layout.sizeBytes, layer, slice };
}

/** Returns the bytes of an image's blobs by kind of layer. */
export function sizesOf(blobs: readonly RequiredBlob[]): SizesByKind {
  return sumByKind(
    blobs.map(blob => ({
      kind: blob.kind === 'own' ? blob.layer.recipe.kind : 'base',
      sizeBytes: blob.sizeBytes,
    })),
  );
}
