import type { PlannedModel } from './types.ts';

/** The folder of the model in the image (or, for slim, in the volume), absolute. */
export function modelDirOf({ model }: Pick<PlannedModel, 'model'>): string {
  return `${model.downloadRoot}/${model.short}`;
}
