import type { ModelShape } from './model-shape.ts';

type ModelTask =
  | 'generate'
  | 'multimodal'
  | 'embed'
  | 'classify'
  | 'reward'
  | 'transcribe'
  | 'draft'
  | 'unknown';

/** Architectures that hear and write down, and do nothing else. */
const TRANSCRIBES = /Whisper|Voxtral|Asr|Speech2Text|SpeechToText/i;

/** Returns what a model does: by the table of vLLM that its architecture is in, else by the architecture's name. */
export function taskOf(
  { architectures }: Pick<ModelShape, 'architectures'>,
  definition: string | undefined,
  files: readonly { readonly path: string }[],
): ModelTask {
  const [name = ''] = architectures;
  // Sentence Transformers: vLLM takes its pooling, whatever the architecture is.
  if (files.some(({ path }) => path === 'modules.json')) return 'embed';
  if (definition?.split(' ').includes('audio') && TRANSCRIBES.test(name)) return 'transcribe';
  const [task] = (definition ?? '').split(' ');
  if (task !== undefined && task !== '') return task as ModelTask;
  if (/For(Sequence|Token)Classification$/.test(name)) return 'classify';
  if (/Reward/.test(name)) return 'reward';
  if (/(ForCausalLM|LMHeadModel)$/.test(name)) return 'generate';
  if (/ForConditionalGeneration$/.test(name)) return 'multimodal';
  return /Model$/.test(name) ? 'embed' : 'unknown';
}
