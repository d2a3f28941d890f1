import path from 'node:path/posix';
import { inlineEntry } from '../../layer/inline-entry.ts';
import { hashInlineLayer } from '../../layer/layer-hasher.ts';
import { inlineContent } from '../../layer/layer-source.ts';
import { toSpec } from '../../layer/layer-spec.ts';
import type { LayerRecipe } from '../../layer/recipe.ts';
import type { Document } from '../../oci/image.ts';
import { layerDescriptor, type ResolvedLayer, resolvedLayer } from '../format/layer-annotations.ts';
import type { LayerOf, SealedLayer, SignatureSpec } from '../types.ts';

/** The layer of a model signature, and its bytes if it was made now. */
export interface SealedSignature {
  readonly sealed: SealedLayer;
  readonly made?: Document;
}

/**
 * Returns the layer of the model signature, made now or the one that is there already; undefined if nothing signs and
 * none is there. `sealed` are the image's other layers.
 */
export function sealSignature(
  spec: SignatureSpec,
  sealed: readonly SealedLayer[],
  layerOf: LayerOf,
): SealedSignature | undefined {
  if (spec.sign !== undefined) return makeSignature(spec, spec.sign(sealed));
  const layer = layerOf(spec.key);
  if (layer === undefined || !isSignatureLayer(layer, spec)) return undefined;
  return { sealed: { spec: { recipe: recipeOf(spec, '') }, layer } };
}

/** Whether a layer that is said to be the signature has that file and nothing else. */
function isSignatureLayer({ files: [file, second] }: ResolvedLayer, spec: SignatureSpec): boolean {
  return file?.path === spec.path && second === undefined;
}

function makeSignature(spec: SignatureSpec, text: string): SealedSignature {
  const recipe = recipeOf(spec, text);
  // Two signatures of the same files are one layer: which one it is, the digest tells.
  const made = { ...toSpec(recipe), key: spec.key };
  const { digest, sha256Of } = hashInlineLayer(made.layout);
  const layer = resolvedLayer(made, digest, sha256Of);
  const bytes = Buffer.concat(
    made.layout.segments.map(segment =>
      segment.kind === 'bytes' ? segment.bytes : inlineContent(segment.entry),
    ),
  );
  return { sealed: { spec: made, layer }, made: { descriptor: layerDescriptor(recipe, layer), bytes } };
}

function recipeOf({ path: place, root }: SignatureSpec, text: string): LayerRecipe {
  return { kind: 'signature', name: path.basename(place), root, entries: [inlineEntry(place, 0o644, text)] };
}
