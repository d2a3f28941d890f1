import { BOOTSTRAP_FOLDER } from './slim-list.ts';

/** The name that makers of models, and `model_signing`, give a model's signature. */
export const MODEL_SIGNATURE = 'model.sig';

/** A slim image has no model: what it lists is signed, and the file is beside the list. */
export const SLIM_SIGNATURE = `${BOOTSTRAP_FOLDER}/${MODEL_SIGNATURE}`;

/** Returns where an image with weights has it: without leading slash. `dir` is the model's folder, absolute. */
export function signaturePath(dir: string): string {
  return `${dir.slice(1)}/${MODEL_SIGNATURE}`;
}
