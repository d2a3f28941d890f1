import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkFit } from './check-fit.ts';
import type { FitInput, FitReport } from './types.ts';

const LLAMA = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  num_attention_heads: 32,
  max_position_embeddings: 8192,
};

function check(
  changes: Partial<FitInput> & { readonly config?: unknown; readonly args?: string },
): FitReport {
  const { config = LLAMA, args = '', ...input } = changes;
  return checkFit({
    modelId: 'acme/x',
    baseImage: 'vllm/vllm-openai:v0.33.0',
    serveArgs: args === '' ? [] : args.split(' '),
    fit: 'warn',
    isOffline: true,
    files: ['config.json', 'model.safetensors', 'tokenizer.json'].map(path => ({ path, sizeBytes: 1 })),
    fileFindings: [],
    documents: { config, tokenizerConfig: { chat_template: 'x' } },
    ...input,
  });
}

const CASES: readonly [what: string, changes: Parameters<typeof check>[0], finding: RegExp | undefined][] = [
  ['a plain model', {}, undefined],
  [
    'an architecture that came later',
    { baseImage: 'vllm/vllm-openai:v0.6.0', config: { ...LLAMA, architectures: ['Qwen3ForCausalLM'] } },
    /^architecture-unknown: vLLM 0\.6\.0 does not know .*; 0\.8\.\d is the first/,
  ],
  [
    'an architecture that is gone',
    { config: { ...LLAMA, architectures: ['Phi3SmallForCausalLM'] } },
    /^architecture-unknown: .* no longer has .*; 0\.9\.2 was the last/,
  ],
  [
    'an architecture that Transformers may have',
    { config: { ...LLAMA, architectures: ['SomethingNewForCausalLM'] } },
    undefined,
  ],
  [
    'an architecture that is adapted from another',
    { config: { ...LLAMA, architectures: ['Qwen3ForSequenceClassification'] } },
    undefined,
  ],
  ['a flag of another release', { args: '--task embed' }, /^flag-removed: .*; 0\.12\.0 was the last/],
  [
    'a slip of the pen',
    { args: '--gpu-memory-utilisation 0.9' },
    /^flag-unknown: .* Did you mean --gpu-memory-utilization\?$/,
  ],
  ['a choice that is none', { args: '--dtype bf16' }, /^flag-choice: .*bfloat16/],
  [
    'weights of MLX',
    { config: { ...LLAMA, quantization: { group_size: 64, bits: 4 } } },
    /^quantization-unknown: The weights are quantized for MLX/,
  ],
  [
    'weights of MLX, as newer converters say it',
    { config: { ...LLAMA, quantization_config: { group_size: 64, bits: 4, mode: 'affine' } } },
    /^quantization-unknown: The weights are quantized for MLX/,
  ],
  [
    "Mistral's own quantization",
    { config: { ...LLAMA, quantization: { qformat_weight: 'fp8_e4m3', qscheme_act: 'TENSOR' } } },
    undefined,
  ],
  ['a value of another kind', { args: '--port http' }, /^flag-value: /],
  ['another model', { args: '--model acme/y:Q4_K_M' }, /^flag-value: --model "acme\/y:Q4_K_M" cannot choose/],
  [
    'a tool parser that is none',
    { args: '--tool-call-parser hermez' },
    /^parser-unknown: .* Did you mean hermes\?/,
  ],
  [
    'a quantization method that is gone',
    { config: { ...LLAMA, quantization_config: { quant_method: 'aqlm' } } },
    /^quantization-unknown: .*was the last/,
  ],
  [
    'a quantization method with the name of what every object has',
    { config: { ...LLAMA, quantization_config: { quant_method: 'constructor' } } },
    /^quantization-unknown: .*constructor/,
  ],
  [
    'code of the repository for an unknown configuration',
    { config: { ...LLAMA, model_type: 'chatty', auto_map: { AutoConfig: 'x.Y' } } },
    /^remote-code-needed: .*--trust-remote-code/,
  ],
  [
    'code that is trusted',
    {
      args: '--trust-remote-code',
      config: { ...LLAMA, model_type: 'chatty', auto_map: { AutoConfig: 'x.Y' } },
    },
    undefined,
  ],
  ['code that nothing needs', { config: { ...LLAMA, auto_map: { AutoConfig: 'x.Y' } } }, undefined],
  ['a context that is too long', { args: '--max-model-len 16k' }, /^context-too-long: .*8192/],
  ['as long as it is', { args: '--max-model-len 8k' }, undefined],
  ['heads that cannot be divided', { args: '-tp 3' }, /^parallel-size: .*32 attention heads/],
  ['another tokenizer', { args: '--tokenizer acme/other' }, /^offline-repository: .*acme\/other/],
  ['another tokenizer online', { args: '--tokenizer acme/other', isOffline: false }, undefined],
  ['a folder in the image', { args: '--tokenizer /models/other' }, undefined],
  [
    'a draft from the Hub',
    { args: '--speculative-config {"model":"acme/draft","num_speculative_tokens":3}' },
    /^offline-repository: /,
  ],
  [
    'no tokenizer',
    {
      files: [
        { path: 'model.safetensors', sizeBytes: 1 },
        { path: 'config.json', sizeBytes: 1 },
      ],
    },
    /^no-tokenizer: /,
  ],
  [
    'a chat model without template',
    { modelId: 'acme/x-7b-instruct', documents: { config: LLAMA, tokenizerConfig: {} } },
    /^no-chat-template: /,
  ],
];

for (const [what, changes, finding] of CASES) {
  test(what, () => {
    const { findings, status } = check(changes);
    const lines = findings.map(({ rule, message, remedy }) => `${rule}: ${message} ${remedy ?? ''}`.trim());
    if (finding === undefined) assert.deepEqual(lines, []);
    else {
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0] as string, finding);
    }
    assert.equal(status, finding === undefined ? 'ok' : 'warn');
  });
}

test('an unknown base image is not checked, and one that is enforced refuses', () => {
  assert.equal(check({ baseImage: 'acme/own-vllm:v0.6.0', args: '--nope' }).status, 'unknown');
  assert.equal(check({ fit: 'enforce', args: '--nope' }).status, 'refused');
  assert.deepEqual(check({ fit: 'off', args: '--nope' }), { status: 'unknown', findings: [] });
});

for (const [baseImage, release] of [
  ['vllm/vllm-openai:v0.11.2', '0.11.2'],
  ['docker.io/vllm/vllm-openai:v0.32.0-cu129', '0.32.0'],
  ['mirror.example/proxy/vllm/vllm-openai:v0.9.0.1', '0.9.0.1'],
  ['ghcr.io/acme/vllm-cpu:0.8.5.post2', '0.8.5'],
  ['vllm/vllm-openai:latest', undefined],
  ['vllm/vllm-openai:v99.0.0', undefined],
  ['acme/vllm-openai-tools:v0.6.0', undefined],
] as const) {
  test(`${baseImage} has ${release ?? 'no release that is known'}`, () => {
    assert.equal(check({ baseImage }).release, release);
  });
}
