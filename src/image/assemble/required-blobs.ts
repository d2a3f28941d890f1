import type { Digest } from '../../core/digest.ts';
import type { LayerSpec } from '../../layer/layer-spec.ts';
import type { SliceSource } from '../../layer/recipe.ts';
import { type Descriptor, MediaType } from '../../oci/types.ts';
import type { SizesByKind } from '../image-facts.ts';
import type { ImageDraft, ImagePlatform, RequiredBlob } from './types.ts';

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
  return { kind: 'own', id: key, name: recipe.name, sizeBytes: layout.sizeBytes, layer };
}

/** Returns the digest of a blob; undefined for a layer of our own that has not been found or made yet. */
export function digestOfBlob(
  blob: RequiredBlob,
  known: ReadonlyMap<string, { readonly digest: Digest }>,
): Digest | undefined {
  return blob.kind === 'base' ? blob.digest : known.get(blob.id)?.digest;
}

/** Returns the descriptor of a blob whose digest is known by now. */
export function descriptorOf(blob: RequiredBlob, digest: Digest): Descriptor {
  if (blob.kind === 'base') return blob.descriptor;
  return { digest, size: blob.sizeBytes, mediaType: MediaType.ociLayerTar };
}

/** Returns the part of a divided file that the blob holds and nothing else; undefined for all other blobs. */
export function partOf(blob: RequiredBlob): SliceSource | undefined {
  const content = blob.kind === 'own' ? blob.layer.recipe.entries[0]?.content : undefined;
  return content?.kind === 'part' ? content : undefined;
}

/** Returns the bytes of an image's blobs by kind of layer. */
export function sizesOf({ blobs }: ImageDraft): SizesByKind {
  const sizes: Record<keyof SizesByKind, number> = {
    base: 0,
    weights: 0,
    files: 0,
    bootstrap: 0,
    links: 0,
    licenses: 0,
  };
  for (const blob of blobs) sizes[blob.kind === 'own' ? blob.layer.recipe.kind : 'base'] += blob.sizeBytes;
  return sizes;
}
