import assert from 'node:assert/strict';
import { test } from 'node:test';
import { familyOfConfig, familyOfName } from './families.ts';

const FREE_NAMES = [
  ...[
    'DeepSeek-R1-Distill-Qwen-7B',
    'Qwen2.5-7B-Instruct',
    'Qwen2.5-14B',
    'Qwen3-8B',
    'TinyLlama-1.1B-Chat-v1.0',
  ],
  ...[
    'open_llama_7b',
    'gemma-4-12b-it',
    'Mistral-7B-v0.1',
    'falcon-7b',
    'falcon-40b',
    'phi-4',
    'gpt-oss-20b',
  ],
  ...[
    'SmolLM3-3B',
    'optimus-1b',
    'Yi-6B-Llamafied',
    'DeepSeek-V3-0324',
    'Jamba-v0.1',
    'glm-4-32b-0414',
    'adopt-1b',
  ],
  ...[
    'GLM-4-9B-0414',
    'DeepSeek-Math-V2',
    'DeepSeek-R1-0528',
    'Mistral-Large-3-675B-Instruct-2512',
    'Ministral-3-8B-Instruct-2512',
    'Mistral-Small-24B-Instruct-2501',
    'Qwen2-VL-7B-Instruct',
    'falcon-40b-instruct',
    'MiniMax-M2',
    'OpenReasoning-Nemotron-7B',
  ],
];
const NAMES: readonly (readonly [string, string])[] = [
  ['Llama-2-7b-hf', 'Llama'],
  ['meta_llama_3.2_1B', 'Llama'],
  ['my-llama3.1-tune', 'Llama'],
  ['DeepSeek-R1-Distill-Llama-8B', 'Llama'],
  ['CodeLlama-7b', 'Llama'],
  ['vicuna-7b', 'Llama'],
  ['Sheared-LLaMA-1.3B', 'Llama'],
  ['LlamaGuard-7b', 'Llama'],
  ['Kimi-K2-tuned', 'Kimi K2'],
  ['/data/models/llama-3-8b', 'Llama'],
  ['Meta-Llama-3-8B.Q4_K_M.gguf', 'Llama'],
  ['gemma-2-9b-it-x', 'Gemma'],
  ['medgemma-27b', 'Gemma'],
  ['c4ai-command-r-v01', 'Command and Aya'],
  ['dbrx-instruct', 'DBRX'],
  ['falcon-180B', 'Falcon'],
  ['opt-6.7b', 'OPT'],
  ['bloomz-7b1', 'BLOOM'],
  ['starcoder2-3b', 'StarCoder'],
  ['Qwen-7B-Chat', 'Tongyi Qianwen'],
  ['Qwen2.5-72B-tuned', 'Tongyi Qianwen'],
  ['deepseek-coder-6.7b', 'DeepSeek'],
  ['DeepSeek-V2-Lite', 'DeepSeek'],
  ['DeepSeek-V2.5', 'DeepSeek'],
  ['Janus-Pro-7B', 'DeepSeek'],
  ['medgemma-4b-it', 'Gemma'],
  ['translategemma-4b-it', 'Gemma'],
  ['Falcon3-7B-Instruct', 'Falcon'],
  ['glm-4-9b-chat', 'ChatGLM'],
  ['codegeex4-all-9b', 'ChatGLM'],
  ['Qwen2-VL-72B-Instruct', 'Tongyi Qianwen'],
  ['Mistral-Large-Instruct-2411', 'Mistral'],
  ['Ministral-8B-Instruct-2410', 'Mistral'],
  ['NVIDIA-Nemotron-Nano-9B-v2', 'Nemotron'],
  ['MiniMax-Text-01', 'MiniMax-01'],
  ['MythoMax-L2-13b', 'Llama'],
  ['L3.3-70B-Euryale', 'Llama'],
];

test('a name tells of a family whose license is not permissive, and of no other', () => {
  for (const name of FREE_NAMES) assert.equal(familyOfName(name, 'name'), undefined, name);
  for (const [name, family] of NAMES) assert.equal(familyOfName(name, 'name')?.family, family, name);
});

test('a shape that one family alone has tells of it, also in a part of the config', () => {
  const marks: readonly (readonly [object, string])[] = [
    [{ model_type: 'gemma2' }, 'config.json, model_type'],
    [{ architectures: ['Gemma3ForConditionalGeneration'] }, 'config.json, architectures'],
    [{ model_type: 'mllama' }, 'config.json, model_type'],
    [{ model_type: 'cohere2' }, 'config.json, model_type'],
    [{ architectures: ['Gemma3TextModel'] }, 'config.json, architectures'],
    [{ architectures: ['CohereForCausalLM'] }, 'config.json, architectures'],
    [{ model_type: 'llava', text_config: { model_type: 'gemma' } }, 'config.json, text_config.model_type'],
    [{ llm_cfg: { model_type: 'gemma2' } }, 'config.json, llm_cfg.model_type'],
    [{ thinker: { text: { model_type: 'cohere' } } }, 'config.json, thinker.text.model_type'],
    [{ models: [{ model_type: 'gemma' }] }, 'config.json, models.0.model_type'],
    [{ model_type: 'llama', vocab_size: 128256 }, 'config.json, vocab_size'],
    [{ model_type: 'llama', rope_scaling: { rope_type: 'llama3' } }, 'config.json, rope_scaling.rope_type'],
    [{ architectures: ['QWenLMHeadModel'] }, 'config.json, architectures'],
  ];
  for (const [config, field] of marks)
    assert.equal(familyOfConfig(config)?.field, field, JSON.stringify(config));
});

test('a shape that permissive models have as well tells nothing, and neither does nonsense', () => {
  for (const config of [
    { model_type: 'llama', vocab_size: 32000 },
    { model_type: 'smollm3', vocab_size: 128256 },
    { model_type: 'apertus', rope_scaling: { rope_type: 'llama3' } },
    { model_type: 'gemma4' },
    { model_type: 'cohere_asr' },
    { model_type: 'qwen2' },
    { model_type: 'gpt_bigcode' },
    { model_type: {} },
    { a: { a: { a: { a: { a: { a: { model_type: 'gemma' } } } } } } },
    null,
    3,
    [],
  ])
    assert.equal(familyOfConfig(config), undefined, JSON.stringify(config));
});
