import type { ModelConfig } from '../config/types.ts';

/** The folder of the model in the image (or, for slim, in the volume), absolute. */
export function modelDirOf({
  model,
}: {
  readonly model: Pick<ModelConfig, 'downloadRoot' | 'folder'>;
}): string {
  return `${model.downloadRoot}/${model.folder}`;
}
