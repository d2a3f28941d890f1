import type { ModelConfig } from '../config/types.ts';

interface Placed {
  readonly model: Pick<ModelConfig, 'downloadRoot' | 'folder'>;
}

/** Returns the folder of the model in the image (or, for slim, in the volume), absolute. */
export function modelDirOf({ model }: Placed): string {
  return `${model.downloadRoot}/${model.folder}`;
}

/** Returns the folder of one of the model's adapters, absolute. */
export function adapterDirOf(placed: Placed, name: string): string {
  return `${modelDirOf(placed)}${ADAPTERS_SUFFIX}/${name}`;
}

/** A model in `/models/x` has its adapters in `/models/x-adapters`: what lists the model's files does not find them. */
export const ADAPTERS_SUFFIX = '-adapters';
