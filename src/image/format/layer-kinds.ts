import type { LayerRecipe } from '../../layer/recipe.ts';

/** `base`: of the image that it was built on. */
export type ImageLayerKind = 'base' | LayerRecipe['kind'];

/** What a layer can hold, in the order of reports. */
export const LAYER_KINDS: readonly ImageLayerKind[] = [
  'base',
  'weights',
  'files',
  'bootstrap',
  'links',
  'licenses',
  'signature',
];

/** Stored bytes of an image by kind of layer, a blob that it has twice counted once. */
export type SizesByKind = Readonly<Record<ImageLayerKind, number>>;

/** Returns the bytes of layers by their kind. */
export function sumByKind(
  layers: Iterable<{ readonly kind: ImageLayerKind; readonly sizeBytes: number }>,
): SizesByKind {
  const sizes = { base: 0, weights: 0, files: 0, bootstrap: 0, links: 0, licenses: 0, signature: 0 };
  for (const { kind, sizeBytes } of layers) sizes[kind] += sizeBytes;
  return sizes;
}
