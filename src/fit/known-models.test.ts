import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkFit } from './check-fit.ts';
import { KNOWN_MODELS } from './model-configs.fixtures.ts';
import { factsOf, type ModelFacts } from './model-facts.ts';

const RELEASES = ['0.6.0', '0.8.5', '0.11.0', '0.20.0', '0.33.0'];

/** What keeps a model from running, release by release: `A 0.8.4` is an architecture that 0.8.4 is the first to have. */
const VERDICTS: Readonly<Record<string, string>> = {
  'Qwen/Qwen3-0.6B': 'A 0.8.4 | ok | ok | ok | ok',
  'Qwen/Qwen3-8B': 'A 0.8.4 | ok | ok | ok | ok',
  'Qwen/Qwen3-30B-A3B': 'A 0.8.4 | ok | ok | ok | ok',
  'Qwen/Qwen3-Next-80B-A3B-Instruct': 'A 0.10.2 | A 0.10.2 | ok | ok | ok',
  'Qwen/Qwen2.5-7B-Instruct': 'ok | ok | ok | ok | ok',
  'Qwen/Qwen2.5-VL-7B-Instruct': 'A 0.7.2 | ok | ok | ok | ok',
  'Qwen/Qwen3-Embedding-0.6B': 'A 0.8.4 | ok | ok | ok | ok',
  'meta-llama/Llama-3.1-8B-Instruct': 'ok | ok | ok | ok | ok',
  'meta-llama/Llama-3.3-70B-Instruct': 'ok | ok | ok | ok | ok',
  'meta-llama/Llama-4-Scout-17B-16E-Instruct': 'A 0.8.3 | ok | ok | ok | ok',
  'openai/gpt-oss-20b': 'A 0.10.1, Q 0.10.1 | A 0.10.1, Q 0.10.1 | ok | ok | ok',
  'openai/gpt-oss-120b': 'A 0.10.1, Q 0.10.1 | A 0.10.1, Q 0.10.1 | ok | ok | ok',
  'mistralai/Mistral-7B-Instruct-v0.3': 'ok | ok | ok | ok | ok',
  'mistralai/Mistral-Small-3.2-24B-Instruct-2506': 'A 0.8.3 | ok | ok | ok | ok',
  'mistralai/Mixtral-8x7B-Instruct-v0.1': 'ok | ok | ok | ok | ok',
  'TheBloke/Mixtral-8x7B-Instruct-v0.1-AWQ': 'ok | ok | ok | ok | ok',
  'deepseek-ai/DeepSeek-V3': 'A 0.6.6 | ok | ok | ok | ok',
  'deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B': 'ok | ok | ok | ok | ok',
  'google/gemma-2-9b-it': 'ok | ok | ok | ok | ok',
  'google/gemma-3-27b-it': 'A 0.8.0 | ok | ok | ok | ok',
  'zai-org/GLM-4.5-Air': 'A 0.10.0 | A 0.10.0 | ok | ok | ok',
  'THUDM/glm-4-9b-chat': 'C | C | C | C | C',
  'openai/whisper-large-v3': 'A 0.7.0 | ok | ok | ok | ok',
  'BAAI/bge-m3': 'A 0.6.4 | ok | ok | ok | ok',
  'BAAI/bge-reranker-v2-m3': 'A 0.6.5 | ok | ok | ok | ok',
  'microsoft/phi-4': 'ok | ok | ok | ok | ok',
  'microsoft/Phi-4-multimodal-instruct': 'A 0.8.0 | C | C | C | C',
  'ai21labs/AI21-Jamba-1.5-Mini': 'ok | ok | ok | ok | ok',
  'Qwen/Qwen2.5-7B-Instruct-GPTQ-Int4': 'ok | ok | ok | ok | ok',
  'neuralmagic/Meta-Llama-3.1-8B-Instruct-FP8': 'ok | ok | ok | ok | ok',
  'nvidia/Llama-3.1-8B-Instruct-NVFP4': 'Q 0.9.0 | ok | ok | ok | ok',
};

const SHORT: Readonly<Record<string, string>> = {
  'architecture-unknown': 'A',
  'quantization-unknown': 'Q',
  'remote-code-needed': 'C',
};

test('31 well-known models on five releases', () => {
  const verdicts = Object.fromEntries(
    KNOWN_MODELS.map(({ id, config, weightBytes, tokenizer = ['tokenizer.json'] }) => {
      const files = ['config.json', ...tokenizer].map(path => ({ path, sizeBytes: 1 }));
      const cells = RELEASES.map(version => {
        const { findings } = checkFit({
          modelId: id,
          baseImage: `vllm/vllm-openai:v${version}`,
          serveArgs: [],
          fit: 'warn',
          isOffline: true,
          files: [...files, { path: 'model.safetensors', sizeBytes: weightBytes }],
          fileFindings: [],
          documents: { config, tokenizerConfig: { chat_template: 'x' } },
        });
        const words = findings.map(({ rule, message }) =>
          [SHORT[rule] ?? rule, / ([\d.]+) is the first/.exec(message)?.[1] ?? ''].join(' ').trim(),
        );
        return words.join(', ') || 'ok';
      });
      return [id, cells.join(' | ')];
    }),
  );
  assert.deepEqual(verdicts, VERDICTS);
});

/**
 * Published figures, from the models' own cards and reports: in billions, all and active. Tensors are what the Hub
 * counts.
 */
const PUBLISHED: readonly [
  id: string,
  tensors: Record<string, number> | undefined,
  all: number,
  active?: number,
][] = [
  ['Qwen/Qwen2.5-7B-Instruct', { BF16: 7_615_616_512 }, 7.61],
  ['Qwen/Qwen3-8B', { BF16: 8_190_735_360 }, 8.2],
  ['Qwen/Qwen3-30B-A3B', { BF16: 30_532_122_624 }, 30.5, 3.3],
  ['meta-llama/Llama-3.1-8B-Instruct', { BF16: 8_030_261_248 }, 8.03],
  ['meta-llama/Llama-3.3-70B-Instruct', { BF16: 70_553_706_496 }, 70.6],
  ['mistralai/Mixtral-8x7B-Instruct-v0.1', { BF16: 46_702_792_704 }, 46.7, 12.9],
  ['deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B', undefined, 1.78],
  ['google/gemma-2-9b-it', { BF16: 9_241_705_984 }, 9.24],
  ['microsoft/phi-4', { BF16: 14_659_507_200 }, 14.7],
  // Blocks of four bits, counted as what is in them.
  ['openai/gpt-oss-20b', { BF16: 1_804_459_584, U8: 19_707_494_400 }, 20.9],
  ['ai21labs/AI21-Jamba-1.5-Mini', { BF16: 51_570_323_328 }, 52, 12],
];

for (const [id, tensors, all, active] of PUBLISHED) {
  test(`${id} has ${all} B parameters${active === undefined ? '' : `, ${active} B active`}`, () => {
    const facts = factsFor(id, tensors);
    near((facts.parameters ?? 0) / 1e9, all);
    if (active !== undefined) near((facts.activeParameters ?? 0) / 1e9, active);
  });
}

/** Bytes of the cache for a token, from the layers, heads and sizes of each. */
const CACHES: readonly [id: string, bytes: number][] = [
  ['Qwen/Qwen2.5-7B-Instruct', 2 * 28 * 4 * 128 * 2],
  ['meta-llama/Llama-3.1-8B-Instruct', 2 * 32 * 8 * 128 * 2],
  // Latent attention: 70 KB, where heads would take 4 MB.
  ['deepseek-ai/DeepSeek-V3', 61 * (512 + 64) * 2],
  // One layer of six keeps every token.
  ['google/gemma-3-27b-it', 2 * 10 * 16 * 128 * 2],
  // Four of 32 layers have attention.
  ['ai21labs/AI21-Jamba-1.5-Mini', 2 * 4 * 8 * 128 * 2],
];

for (const [id, bytes] of CACHES) {
  test(`${id} keeps ${bytes} bytes for a token`, () => assert.equal(factsFor(id).kvBytesPerToken, bytes));
}

test('a model that is too large for a GPU is divided among as many as divide its heads', () => {
  const { gpus } = factsFor('meta-llama/Llama-3.3-70B-Instruct');
  assert.deepEqual(
    gpus.map(({ memoryGB, count }) => [memoryGB, count]),
    [
      [24, 8],
      [40, 8],
      [48, 4],
      [80, 4],
      [96, 2],
      [141, 2],
      [180, 1],
    ],
  );
});

function factsFor(id: string, tensors?: Record<string, number>): ModelFacts {
  const model = KNOWN_MODELS.find(one => one.id === id);
  assert.ok(model, id);
  const files = [{ path: 'model.safetensors', sizeBytes: model.weightBytes }];
  return factsOf({ files, documents: { config: model.config }, tensors });
}

/** Within two in a hundred. */
function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= expected * 0.02, `${actual}, expected ${expected}`);
}

test('a context that config.json makes endless, or nothing, is the one that it states without scaling', () => {
  for (const factor of [Number.MAX_VALUE, 1e16, 0, -4]) {
    const config = {
      architectures: ['LlamaForCausalLM'],
      num_hidden_layers: 2,
      hidden_size: 64,
      num_attention_heads: 4,
      max_position_embeddings: 4096,
      rope_scaling: { type: 'linear', factor },
    };
    const facts = factsOf({ files: [{ path: 'model.safetensors', sizeBytes: 10 }], documents: { config } });
    assert.equal(facts.contextLength, 4096, String(factor));
    assert.equal(facts.gpus[0]?.contextLength, 4096);
  }
});
