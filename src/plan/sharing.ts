import type { ModelConfig } from '../config/types.ts';
import { modelDirOf } from './model-dir.ts';

/** Returns the shorts of the other entries that have layers of this one. */
export type FindSharing = (model: ModelConfig) => readonly string[];

/** Returns a lookup of the entries of a file that share layers: of the same model, in the same folder. */
export function sharingIn(models: readonly ModelConfig[]): FindSharing {
  const byPlace = Map.groupBy(models, placeOf);
  return model => {
    const there = byPlace.get(placeOf(model)) ?? [];
    return there.flatMap(({ short }) => (short === model.short ? [] : [short]));
  };
}

/** No id has a space. */
function placeOf(model: ModelConfig): string {
  return `${model.id} ${modelDirOf({ model })}`;
}
