import type { LayerRecipe } from './recipe.ts';
import { layerKey, layOut, type TarLayout } from './tar-layout.ts';

/** A layer that an image wants: its recipe, and the bytes that it will be. It has no digest yet. */
export interface LayerSpec {
  readonly recipe: LayerRecipe;
  readonly layout: TarLayout;
  readonly key: string;
}

/** Returns a layer with the bytes that it will be. */
export function toSpec(recipe: LayerRecipe): LayerSpec {
  return { recipe, layout: layOut(recipe), key: layerKey(recipe) };
}
