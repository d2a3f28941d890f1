import type { PartOrigin } from '../../layer/recipe.ts';
import type { Descriptor } from '../../oci/types.ts';
import type { SizesByKind } from '../image-facts.ts';
import type { Draft, WantedLayer } from './draft.ts';

/** A blob that images need at some targets, whether its digest is known yet or not. */
export interface BlobNeed {
  /** The digest of a base layer, the key of one of ours. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly base?: { readonly descriptor: Descriptor; readonly storeName: string };
  readonly layer?: WantedLayer;
}

/** All blobs of a draft in the order of the image; its config is made last and is no need of it. */
export function needsOf(draft: Draft): BlobNeed[] {
  const needs = new Map<string, BlobNeed>();
  for (const { base, layers } of draft.parts) {
    for (const descriptor of base.layers) {
      const { digest } = descriptor;
      const name = `base layer ${digest.slice(7, 19)}`;
      needs.set(digest, {
        id: digest,
        name,
        sizeBytes: descriptor.size,
        base: { descriptor, storeName: base.storeName },
      });
    }
    for (const layer of layers) {
      needs.set(layer.key, {
        id: layer.key,
        name: layer.recipe.name,
        sizeBytes: layer.layout.sizeBytes,
        layer,
      });
    }
  }
  return [...needs.values()];
}

/** The part of a divided file that the blob holds and nothing else; undefined for all other blobs. */
export function partOf({ layer }: BlobNeed): PartOrigin | undefined {
  const origin = layer?.recipe.entries[0]?.origin;
  return origin?.kind === 'part' ? origin : undefined;
}

/** The same by kind of layer, in bytes. */
export function sizesOf(draft: Draft): SizesByKind {
  const sizes: Record<keyof SizesByKind, number> = {
    base: 0,
    weights: 0,
    files: 0,
    bootstrap: 0,
    licenses: 0,
  };
  for (const { layer, sizeBytes } of needsOf(draft)) sizes[layer?.recipe.kind ?? 'base'] += sizeBytes;
  return sizes;
}
