import { HubError } from '../../core/errors.ts';
import { isAdapter, isPicklePath, kindOf } from '../../core/model-files.ts';
import type { ModelSnapshot } from '../../hub/types.ts';
import type { FileChoice, LeftOutFile } from '../choose-files.ts';

/** The file by which PEFT knows an adapter. */
export const ADAPTER_CONFIG = 'adapter_config.json';
/** The names that vLLM looks for, the first that is there. */
const WEIGHTS = ['adapter_model.safetensors', 'adapter_model.bin', 'adapter_model.pt'];
/** Older vLLM reads further tokens and a tokenizer of the adapter's own. */
const ADDITIONS = /^(new_embeddings\.(safetensors|bin)|chat_template\.jinja)$/;

/**
 * Returns the files of a LoRA adapter that a server loads, all at the top of its repository: configuration, weights, and
 * what it adds to the tokenizer. Throws HubError MODEL_NO_FILES for a repository that is not a LoRA adapter.
 */
export function chooseAdapterFiles({ id, files: all, unusable = [] }: ModelSnapshot): FileChoice {
  const names = new Set(all.map(({ path }) => path));
  const weights = WEIGHTS.find(name => names.has(name));
  if (!names.has(ADAPTER_CONFIG) || weights === undefined) throw notAnAdapter(id, names);
  const isTaken = (path: string): boolean =>
    path === ADAPTER_CONFIG ||
    path === weights ||
    (!path.includes('/') &&
      (kindOf(path) === 'tokenizer' || ADDITIONS.test(path)) &&
      // Beside safetensors nothing is taken that could run code.
      (!isPicklePath(path) || isPicklePath(weights)));
  const reasonOf = (path: string): Pick<LeftOutFile, 'rule' | 'reason'> =>
    isAdapter(path) && !path.includes('/')
      ? { rule: 'second-copy', reason: `is a second copy of the weights in ${weights}` }
      : { rule: 'not-for-serving', reason: 'is not a part of the adapter that vLLM loads' };
  return {
    files: all.filter(({ path }) => isTaken(path)),
    leftOut: [...unusable, ...all.filter(({ path }) => !isTaken(path))].map(({ path, sizeBytes }) => ({
      path,
      sizeBytes,
      ...reasonOf(path),
    })),
  };
}

function notAnAdapter(id: string, names: ReadonlySet<string>): HubError {
  const missing = names.has(ADAPTER_CONFIG) ? WEIGHTS.slice(0, 2).join(' and no ') : ADAPTER_CONFIG;
  return new HubError(`${id} is not a LoRA adapter that vLLM can load: it has no ${missing} at its top`, {
    code: 'MODEL_NO_FILES',
    subject: id,
    remedy: names.has('config.json')
      ? 'It may be a whole model: give it an entry of its own under `models`.'
      : 'Check the id and the revision under `adapters` in models.yaml.',
  });
}
