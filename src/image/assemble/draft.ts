import type { Variant } from '../../config/types.ts';
import { hashInlineLayer } from '../../layer/layer-hasher.ts';
import type { LayerRecipe } from '../../layer/recipe.ts';
import { layerKey, layOut, type TarLayout } from '../../layer/tar-layout.ts';
import { type BaseImage, type BuiltImage, buildImage, buildIndex, type Document } from '../../oci/image.ts';
import type { PlannedModel } from '../../plan/types.ts';
import { type KnownLayer, knownLayer, layerDescriptor } from '../format/layer-annotations.ts';
import { imageSpec } from './image-spec.ts';
import { type BootstrapFile, layerRecipes } from './layers.ts';

/** A layer that an image wants, as its recipe and as the bytes it will be. */
export interface WantedLayer {
  readonly recipe: LayerRecipe;
  readonly layout: TarLayout;
  readonly key: string;
}

/** A variant as far as it is known before any layer has been found or made: one part per platform. */
export interface Draft {
  readonly variant: Variant;
  readonly parts: readonly { readonly base: BaseImage; readonly layers: readonly WantedLayer[] }[];
}

/** A variant with all its digests: what tags will name, and what has to be there for that. */
export interface FinishedImage {
  /** The manifest, or the index over several platforms. */
  readonly top: Document;
  readonly images: readonly BuiltImage[];
}

/** What assembling a model's images needs from the outside. */
export interface AssembleContext {
  readonly variants: readonly Variant[];
  /** The slim image's bootstrap; the order is that of its layer. */
  readonly bootstrap: readonly BootstrapFile[];
  readonly memory: { baseImage(reference: string, platform: string): Promise<BaseImage> };
}

export async function draftImages(planned: PlannedModel, context: AssembleContext): Promise<Draft[]> {
  const bases = await Promise.all(
    planned.model.arch.map(platform => context.memory.baseImage(planned.model.baseImage, platform)),
  );
  return context.variants
    .filter(variant => planned.outcome.decisions[variant].build)
    .map(variant => ({
      variant,
      parts: bases.map(base => ({
        base,
        layers: layerRecipes(planned, variant, base, context.bootstrap).map(want),
      })),
    }));
}

/** The layers whose content came with the plan: their digests cost no question. */
export function inlineLayers(drafts: readonly Draft[]): KnownLayer[] {
  const layers = drafts.flatMap(draft => draft.parts.flatMap(part => part.layers));
  return layers
    .filter(({ recipe }) => recipe.entries.every(entry => entry.origin.kind === 'inline'))
    .map(({ recipe, layout }) => {
      const { digest, sha256Of } = hashInlineLayer(layout);
      return knownLayer(recipe, digest, sha256Of);
    });
}

/** The finished image, once every layer of the draft is known. */
export function finishDraft(
  planned: PlannedModel,
  draft: Draft,
  layerOf: (key: string) => KnownLayer | undefined,
): FinishedImage | undefined {
  const images: BuiltImage[] = [];
  let labels = {};
  for (const { base, layers } of draft.parts) {
    const spec = imageSpec(
      planned,
      draft.variant,
      base,
      layers.map(layer => layer.recipe),
    );
    const made = [];
    for (const { recipe, key } of layers) {
      const known = layerOf(key);
      if (known === undefined) return undefined;
      made.push({
        descriptor: layerDescriptor(recipe, known),
        diffId: known.digest,
        createdBy: `weighbridge ${recipe.kind}: ${recipe.name}`,
      });
    }
    images.push(buildImage({ ...spec, layers: made }));
    labels = spec.labels;
  }
  const [only] = images;
  const top = images.length === 1 && only !== undefined ? only.manifest : buildIndex(images, labels);
  return { top, images };
}

function want(recipe: LayerRecipe): WantedLayer {
  return { recipe, layout: layOut(recipe), key: layerKey(recipe) };
}
