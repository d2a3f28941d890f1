import type { FitContext } from './fit-context.ts';
import { recordOf } from './json-value.ts';
import { definitionAt } from './releases.ts';
import { taskOf } from './task.ts';
import type { FitFinding, FitInput } from './types.ts';

/** Any one of these is a tokenizer. */
const TOKENIZERS = [
  /^tokenizer\.(json$|model)/,
  /^tekken\.json$/,
  // SentencePiece: `spiece.model`, `sentencepiece.bpe.model`, `ice_text.model`, `source.spm`
  /\.(model|spm)$/,
  /^(vocab\.(json|txt)|merges\.txt)$/,
  /\.tiktoken$/,
  /^tokenization_\w+\.py$/,
  /\.gguf$/,
];
/** Names of models that are made to be talked to. */
const CHAT = /(^|[-_.\s/])(chat|instruct|it|assistant)($|[-_.\s])/i;

/** Returns what a server needs beside weights: a tokenizer, and for a chat model a template. */
export function documentFindings(context: FitContext): FitFinding[] {
  if (context.shape.layers === undefined && context.shape.architectures.length === 0) return [];
  return [...tokenizerFindings(context), ...templateFindings(context)];
}

function tokenizerFindings({ input, args }: FitContext): FitFinding[] {
  const names = input.files.map(({ path }) => path).filter(path => !path.includes('/'));
  if (names.some(name => TOKENIZERS.some(pattern => pattern.test(name)))) return [];
  const isElsewhere = args.given.has('--tokenizer') || args.given.has('--skip-tokenizer-init');
  if (isElsewhere) return [];
  return [
    {
      rule: 'no-tokenizer',
      message: 'No tokenizer goes into the image: vLLM cannot turn text into tokens.',
      evidence: `none of ${input.files.length} files is a tokenizer`,
      remedy: 'Check `files.exclude`, or name a tokenizer with --tokenizer.',
    },
  ];
}

/** A chat model without a template answers /v1/chat/completions with an error. */
function templateFindings({ input, args, shape, release }: FitContext): FitFinding[] {
  const [architecture = ''] = shape.architectures;
  const task = taskOf(shape, definitionAt('architectures', architecture, release), input.files);
  const writes = task === 'generate' || task === 'multimodal';
  if (!writes || !isTemplateInDoubt(input) || args.given.has('--chat-template')) return [];
  if (input.documents.tokenizerConfig === undefined) return [];
  if (recordOf(input.documents.tokenizerConfig).chat_template !== undefined) return [];
  return [
    {
      rule: 'no-chat-template',
      message:
        'The model is called a chat model and has no chat template: vLLM refuses /v1/chat/completions.',
      evidence: 'tokenizer_config.json has no chat_template, and chat_template.jinja is not there',
      remedy: 'Put a template into the image and name it with --chat-template.',
    },
  ];
}

const TEMPLATES =
  /^(chat_template\.(jinja|json)|tekken\.json|tokenizer\.model\.v\d+)$|^(additional_)?chat_templates\//;

/** Whether only tokenizer_config.json can say that there is a template: it is read for nothing else. */
export function isTemplateInDoubt({ modelId, files }: Pick<FitInput, 'modelId' | 'files'>): boolean {
  return CHAT.test(modelId) && !files.some(({ path }) => TEMPLATES.test(path));
}
