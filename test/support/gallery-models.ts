import type { WorldVariant } from './catalog-world.ts';

/** A model of the gallery: in billions of parameters, bytes of a value, and what its configuration says. */
export interface GalleryModel {
  readonly id: string;
  readonly short: string;
  readonly license: string;
  readonly size: number;
  readonly valueBytes?: number;
  readonly task: string;
  readonly architecture: string;
  readonly precision?: string;
  readonly quantization?: string;
  readonly context: number;
  /** Layers, key-value heads, size of a head, attention heads; absent for encoders. */
  readonly attention?: readonly [layers: number, kvHeads: number, headSize: number, heads: number];
  readonly languages?: string;
  readonly access?: 'gated' | 'private';
  readonly refusal?: readonly [rule: string, reason: string];
  readonly variants?: readonly WorldVariant[];
  readonly isSigned?: boolean;
  readonly vllm?: readonly string[];
  readonly serveArgs?: readonly string[];
  readonly card?: string;
}

export const PERMISSIVE: readonly WorldVariant[] = ['slim', 'fat'];
const ALL: readonly WorldVariant[] = ['slim', 'fat', 'weights'];
const SLIM: readonly WorldVariant[] = ['slim'];
const GATED = [
  'gated',
  'The Hub gates this model (manual): those who want its weights have to ask for access, so they are in no image.',
] as const;
const notPermitted = (license: string): readonly [string, string] => [
  'license-not-permitted',
  `Its license, ${license}, is not on the list of those under which weights may be redistributed.`,
];
const RELEASES = ['v0.8.5', 'v0.9.2', 'v0.10.2', 'v0.11.2'];

const CARD = `# {name}

{name} is a model of **{size} parameters**. This card was written for a test of the catalog.

## Usage

Start a server, then ask it:

\`\`\`python
from openai import OpenAI
client = OpenAI(base_url="http://localhost:8000/v1", api_key="none")
print(client.models.list())
\`\`\`

## Evaluation

| Benchmark | {name} | Previous version |
| --- | ---: | ---: |
| General knowledge | 71.2 | 66.4 |
| Mathematics | 64.8 | 52.0 |
| Code | 58.3 | 49.9 |

See the [license](LICENSE), the [configuration](config.json) and [how it was trained](#training).

![Loss over time](figures/loss.png)

## Training

1. Pre-training on public text.
2. Supervised fine-tuning.
3. - [x] Preference optimisation
   - [ ] Anything else

> Models make mistakes. Check what they say.
`;

/** Forty models of many kinds, as the Hub has them; facts are near those of models that exist. */
export const GALLERY: readonly GalleryModel[] = [
  dense('Qwen/Qwen2.5-0.5B-Instruct', 'qwen25-05b', 'Apache-2.0', 0.494, 32768, [24, 2, 64, 14], {
    languages: 'en,zh',
    isSigned: true,
    variants: ALL,
    vllm: RELEASES,
    card: CARD,
  }),
  dense('Qwen/Qwen2.5-7B-Instruct', 'qwen25-7b', 'Apache-2.0', 7.62, 32768, [28, 4, 128, 28], {
    languages: 'en,zh,fr,es,pt,de,it,ru,ja,ko,vi,th,ar',
    isSigned: true,
    variants: ALL,
    vllm: RELEASES,
    card: CARD,
    serveArgs: [
      '--host',
      '0.0.0.0',
      '--port',
      '8000',
      '--max-model-len',
      '32768',
      '--enable-auto-tool-choice',
      '--tool-call-parser',
      'hermes',
    ],
  }),
  dense('Qwen/Qwen2.5-7B-Instruct-AWQ', 'qwen25-7b-awq', 'Apache-2.0', 7.62, 32768, [28, 4, 128, 28], {
    valueBytes: 0.73,
    precision: 'int4',
    quantization: 'awq',
    languages: 'en,zh',
  }),
  dense('Qwen/Qwen2.5-72B-Instruct', 'qwen25-72b', 'LicenseRef-qwen', 72.7, 131072, [80, 8, 128, 64], {
    languages: 'en,zh',
    variants: SLIM,
    refusal: notPermitted('LicenseRef-qwen'),
    serveArgs: ['--port', '8000', '--tensor-parallel-size', '4'],
  }),
  dense('Qwen/Qwen3-8B', 'qwen3-8b', 'Apache-2.0', 8.19, 40960, [36, 8, 128, 32], {
    architecture: 'Qwen3ForCausalLM',
    isSigned: true,
    languages: 'en,zh',
    card: CARD,
  }),
  dense('Qwen/Qwen3-30B-A3B-Instruct-2507', 'qwen3-30b-a3b', 'Apache-2.0', 30.5, 262144, [48, 4, 128, 32], {
    architecture: 'Qwen3MoeForCausalLM',
    card: CARD,
  }),
  dense('Qwen/Qwen3-235B-A22B-FP8', 'qwen3-235b-fp8', 'Apache-2.0', 235, 40960, [94, 4, 128, 64], {
    valueBytes: 1,
    architecture: 'Qwen3MoeForCausalLM',
    precision: 'fp8',
    quantization: 'fp8',
    serveArgs: ['--port', '8000', '--tensor-parallel-size', '8'],
  }),
  dense(
    'deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B',
    'r1-distill-qwen-15b',
    'MIT',
    1.78,
    131072,
    [28, 2, 128, 12],
    { languages: 'en', isSigned: true, vllm: RELEASES },
  ),
  dense(
    'deepseek-ai/DeepSeek-R1-Distill-Llama-8B',
    'r1-distill-llama-8b',
    'MIT',
    8.03,
    131072,
    [32, 8, 128, 32],
    {
      architecture: 'LlamaForCausalLM',
      variants: SLIM,
      refusal: [
        'lineage-not-permitted',
        'The model says mit, but it was made from meta-llama/Llama-3.1-8B, which is under llama3.1. If you know that its weights may be redistributed, set `permissive: true` for this model.',
      ],
    },
  ),
  dense('deepseek-ai/DeepSeek-V3.1', 'deepseek-v31', 'MIT', 685, 163840, [61, 1, 288, 128], {
    valueBytes: 1,
    architecture: 'DeepseekV3ForCausalLM',
    precision: 'fp8',
    quantization: 'fp8',
    serveArgs: ['--tensor-parallel-size', '8'],
  }),
  dense(
    'meta-llama/Llama-3.1-8B-Instruct',
    'llama31-8b',
    'LicenseRef-llama3.1',
    8.03,
    131072,
    [32, 8, 128, 32],
    {
      architecture: 'LlamaForCausalLM',
      access: 'gated',
      variants: SLIM,
      refusal: GATED,
      languages: 'en,de,fr,it,pt,hi,es,th',
      card: CARD,
    },
  ),
  dense(
    'meta-llama/Llama-3.3-70B-Instruct',
    'llama33-70b',
    'LicenseRef-llama3.3',
    70.6,
    131072,
    [80, 8, 128, 64],
    {
      architecture: 'LlamaForCausalLM',
      access: 'gated',
      variants: SLIM,
      refusal: GATED,
      serveArgs: ['-tp', '4'],
      languages: 'en,de,fr,it,pt,hi,es,th',
    },
  ),
  multimodal(
    'meta-llama/Llama-4-Scout-17B-16E-Instruct',
    'llama4-scout',
    'LicenseRef-llama4',
    109,
    10485760,
    [48, 8, 128, 40],
    {
      architecture: 'Llama4ForConditionalGeneration',
      access: 'gated',
      variants: SLIM,
      refusal: GATED,
      serveArgs: ['-tp', '8', '--max-model-len', '131072'],
    },
  ),
  dense('mistralai/Mistral-7B-Instruct-v0.3', 'mistral-7b', 'Apache-2.0', 7.25, 32768, [32, 8, 128, 32], {
    architecture: 'MistralForCausalLM',
    isSigned: true,
    vllm: RELEASES,
    card: CARD,
  }),
  dense(
    'mistralai/Mistral-Small-24B-Instruct-2501',
    'mistral-small-24b',
    'Apache-2.0',
    23.6,
    32768,
    [40, 8, 128, 32],
    { architecture: 'MistralForCausalLM', languages: 'en,fr,de,es,it,pt,zh,ja,ru,ko' },
  ),
  dense('mistralai/Mixtral-8x7B-Instruct-v0.1', 'mixtral-8x7b', 'Apache-2.0', 46.7, 32768, [32, 8, 128, 32], {
    architecture: 'MixtralForCausalLM',
    serveArgs: ['--tensor-parallel-size', '2'],
  }),
  multimodal('mistralai/Pixtral-12B-2409', 'pixtral-12b', 'Apache-2.0', 12.7, 131072, [40, 8, 128, 32], {
    architecture: 'PixtralForConditionalGeneration',
  }),
  transcribe('mistralai/Voxtral-Mini-3B-2507', 'voxtral-mini', 'Apache-2.0', 4.68, 131072, [30, 8, 128, 32], {
    architecture: 'VoxtralForConditionalGeneration',
    languages: 'en,fr,de,es,it,pt,nl,hi',
  }),
  dense('google/gemma-2-2b-it', 'gemma2-2b', 'LicenseRef-gemma', 2.61, 8192, [26, 4, 256, 8], {
    architecture: 'Gemma2ForCausalLM',
    access: 'gated',
    variants: SLIM,
    refusal: GATED,
  }),
  multimodal('google/gemma-3-27b-it', 'gemma3-27b', 'LicenseRef-gemma', 27.4, 131072, [62, 16, 128, 32], {
    architecture: 'Gemma3ForConditionalGeneration',
    access: 'gated',
    variants: SLIM,
    refusal: GATED,
  }),
  dense('microsoft/Phi-4', 'phi4', 'MIT', 14.7, 16384, [40, 10, 128, 40], {
    architecture: 'Phi3ForCausalLM',
    isSigned: true,
    languages: 'en',
    card: CARD,
  }),
  dense('microsoft/Phi-4-mini-instruct', 'phi4-mini', 'MIT', 3.84, 131072, [32, 8, 128, 24], {
    architecture: 'Phi3ForCausalLM',
    languages: 'en,zh,de,fr,ja,ko',
  }),
  dense('openai/gpt-oss-20b', 'gpt-oss-20b', 'Apache-2.0', 20.9, 131072, [24, 8, 64, 64], {
    valueBytes: 0.66,
    architecture: 'GptOssForCausalLM',
    precision: 'mxfp4',
    quantization: 'mxfp4',
    isSigned: true,
    card: CARD,
  }),
  dense('openai/gpt-oss-120b', 'gpt-oss-120b', 'Apache-2.0', 117, 131072, [36, 8, 64, 64], {
    valueBytes: 0.56,
    architecture: 'GptOssForCausalLM',
    precision: 'mxfp4',
    quantization: 'mxfp4',
  }),
  dense(
    'ibm-granite/granite-3.3-8b-instruct',
    'granite-33-8b',
    'Apache-2.0',
    8.17,
    131072,
    [40, 8, 128, 32],
    { architecture: 'GraniteForCausalLM', isSigned: true, languages: 'en,de,es,fr,ja,pt,ar,cs,it,ko,nl,zh' },
  ),
  dense('allenai/OLMo-2-1124-13B-Instruct', 'olmo2-13b', 'Apache-2.0', 13.7, 4096, [40, 40, 128, 40], {
    architecture: 'Olmo2ForCausalLM',
    languages: 'en',
    card: CARD,
  }),
  dense(
    'tiiuae/Falcon3-10B-Instruct',
    'falcon3-10b',
    'LicenseRef-falcon-llm-license',
    10.3,
    32768,
    [40, 4, 256, 12],
    {
      architecture: 'LlamaForCausalLM',
      variants: SLIM,
      refusal: [
        'license-other',
        'The card says only "other", named falcon-llm-license: nothing is known of what it permits.',
      ],
    },
  ),
  dense('zai-org/GLM-4-9B-0414', 'glm4-9b', 'MIT', 9.4, 32768, [40, 2, 128, 32], {
    architecture: 'Glm4ForCausalLM',
    languages: 'zh,en',
  }),
  dense(
    'nvidia/Llama-3.1-8B-Instruct-NVFP4',
    'llama31-8b-nvfp4',
    'LicenseRef-llama3.1',
    8.03,
    131072,
    [32, 8, 128, 32],
    {
      valueBytes: 0.72,
      architecture: 'LlamaForCausalLM',
      precision: 'nvfp4',
      quantization: 'modelopt_fp4',
      variants: SLIM,
      refusal: notPermitted('LicenseRef-llama3.1'),
    },
  ),
  dense(
    'TheBloke/Mistral-7B-Instruct-v0.2-GPTQ',
    'mistral-7b-gptq',
    'Apache-2.0',
    7.24,
    32768,
    [32, 8, 128, 32],
    { valueBytes: 0.57, architecture: 'MistralForCausalLM', precision: 'int4', quantization: 'gptq_marlin' },
  ),
  multimodal('Qwen/Qwen2.5-VL-7B-Instruct', 'qwen25-vl-7b', 'Apache-2.0', 8.29, 128000, [28, 4, 128, 28], {
    architecture: 'Qwen2_5_VLForConditionalGeneration',
    isSigned: true,
    languages: 'en',
    card: CARD,
  }),
  multimodal(
    'llava-hf/llava-v1.6-mistral-7b-hf',
    'llava-16-mistral-7b',
    'Apache-2.0',
    7.57,
    32768,
    [32, 8, 128, 32],
    { architecture: 'LlavaNextForConditionalGeneration' },
  ),
  encoder('BAAI/bge-m3', 'bge-m3', 'MIT', 0.568, 8192, {
    architecture: 'XLMRobertaModel',
    isSigned: true,
    languages: 'multilingual',
    variants: ALL,
    card: CARD,
  }),
  encoder('intfloat/e5-mistral-7b-instruct', 'e5-mistral-7b', 'MIT', 7.11, 32768, {
    architecture: 'MistralModel',
    languages: 'en',
  }),
  encoder('nomic-ai/nomic-embed-text-v1.5', 'nomic-embed-text', 'Apache-2.0', 0.137, 8192, {
    architecture: 'NomicBertModel',
    languages: 'en',
  }),
  encoder('BAAI/bge-reranker-v2-m3', 'bge-reranker', 'Apache-2.0', 0.568, 8194, {
    task: 'classify',
    architecture: 'XLMRobertaForSequenceClassification',
    languages: 'multilingual',
    card: CARD,
  }),
  encoder('Skywork/Skywork-Reward-V2-Qwen3-8B', 'skywork-reward', 'Apache-2.0', 7.57, 40960, {
    task: 'reward',
    architecture: 'Qwen3ForSequenceClassification',
  }),
  transcribe('openai/whisper-large-v3', 'whisper-large-v3', 'Apache-2.0', 1.54, 448, [32, 20, 64, 20], {
    architecture: 'WhisperForConditionalGeneration',
    isSigned: true,
    languages: 'en,zh,de,es,ru,ko,fr,ja,pt,tr,pl,ca,nl,ar,sv,it,id,hi,fi,vi,he,uk',
    vllm: RELEASES,
    card: CARD,
  }),
  dense('acme/internal-support-8b', 'support-8b', '', 8.03, 32768, [32, 8, 128, 32], {
    architecture: 'LlamaForCausalLM',
    access: 'private',
    variants: SLIM,
    refusal: ['license-unknown', 'The card names no license, and no file of the repository is one.'],
  }),
  dense(
    'zenith-labs/a-model-with-a-very-long-name-that-goes-on-and-on-for-the-sake-of-narrow-screens-v2',
    'a-model-with-a-very-long-name-for-narrow-screens',
    'Apache-2.0 AND LicenseRef-a-rather-long-license-name',
    3.2,
    4096,
    [26, 8, 128, 24],
    {
      architecture: 'LlamaForCausalLM',
      variants: SLIM,
      refusal: notPermitted('Apache-2.0 AND LicenseRef-a-rather-long-license-name'),
    },
  ),
];

type Rest = Partial<Omit<GalleryModel, 'id' | 'short' | 'license' | 'size' | 'context' | 'attention'>>;
type Attention = readonly [number, number, number, number];
type Decoder = [
  id: string,
  short: string,
  license: string,
  size: number,
  context: number,
  attention: Attention,
  rest?: Rest,
];
type Encoder = [id: string, short: string, license: string, size: number, context: number, rest: Rest];

function dense(...[id, short, license, size, context, attention, rest]: Decoder): GalleryModel {
  const facts = { id, short, license, size, context, attention };
  return { ...facts, task: 'generate', architecture: 'Qwen2ForCausalLM', ...rest };
}

function multimodal(...decoder: Decoder): GalleryModel {
  return { ...dense(...decoder), task: 'multimodal' };
}

function transcribe(...decoder: Decoder): GalleryModel {
  return { ...dense(...decoder), task: 'transcribe' };
}

function encoder(...[id, short, license, size, context, rest]: Encoder): GalleryModel {
  return { id, short, license, size, context, task: 'embed', architecture: 'BertModel', ...rest };
}
