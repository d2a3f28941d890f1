import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AdaptedModel, type AdapterFacts, maxLoraRank } from './adapter-facts.ts';
import { modelStem } from './check-adapters.ts';
import { checkFit } from './check-fit.ts';
import { findRelease } from './releases.ts';
import type { FitInput, FitReport } from './types.ts';

const CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
};
const LORA = { base_model_name_or_path: 'acme/base-8b', peft_type: 'LORA', r: 8, bias: 'none' };
const MODEL: AdaptedModel = { ids: ['acme/base-8b'], madeFrom: [] };

interface Case extends Partial<FitInput> {
  readonly lora?: object;
  readonly adapter?: Partial<AdapterFacts>;
  readonly model?: Partial<AdaptedModel>;
  readonly config?: object;
}

function check({ lora = {}, adapter = {}, model = {}, config = CONFIG, ...input }: Case): FitReport {
  return checkFit({
    modelId: 'acme/base-8b',
    baseImage: 'vllm/vllm-openai:v0.33.0',
    serveArgs: [],
    fit: 'warn',
    isOffline: true,
    files: ['config.json', 'model.safetensors', 'tokenizer.json'].map(path => ({ path, sizeBytes: 1 })),
    fileFindings: [],
    documents: { config },
    adapters: [
      {
        name: 'sql',
        id: 'acme/sql',
        config: { ...LORA, ...lora },
        bases: [{ written: 'acme/base-8b', id: 'acme/base-8b' }],
        tensors: undefined,
        ...adapter,
      },
    ],
    adapted: { ...MODEL, ...model },
    ...input,
  });
}

function named(written: string, id?: string, madeFrom: readonly string[] = []): Partial<AdapterFacts> {
  return { bases: [{ written, ...(id !== undefined && { id }), madeFrom }] };
}

function tensor(name: string, shape: readonly number[]): Partial<AdapterFacts> {
  return { tensors: [{ name: `base_model.model.model.layers.${name}.weight`, shape }] };
}

const CASES: readonly [what: string, given: Case, finding: RegExp | undefined][] = [
  ['the model itself', {}, undefined],
  ['the model in other letters', { adapter: named('Acme/Base-8B', 'acme/base-8b') }, undefined],
  ['its name before it was renamed', { adapter: named('old/name', 'acme/base-8b') }, undefined],
  ['a quantized copy', { adapter: named('unsloth/Base-8B-bnb-4bit', 'unsloth/Base-8B-bnb-4bit') }, undefined],
  [
    'the model that a quantized copy was made from',
    { model: { ids: ['acme/b8-awq'], madeFrom: ['acme/base-8b'], relation: 'quantized' } },
    undefined,
  ],
  [
    'the model that a fine-tune was made from',
    { model: { ids: ['acme/chat'], madeFrom: ['acme/base-8b'], relation: 'finetune' } },
    /^adapter-base: .*which acme\/chat was made from/,
  ],
  [
    'another fine-tune of the same model',
    {
      adapter: named('acme/code', 'acme/code', ['acme/base-8b']),
      model: { ids: ['acme/chat'], madeFrom: ['acme/base-8b'] },
    },
    /^adapter-base: .*a relative of acme\/chat/,
  ],
  [
    'another model',
    { adapter: named('acme/other', 'acme/other') },
    /^adapter-mismatch: .*was trained on acme\/other, not on acme\/base-8b/,
  ],
  ['a model of another size', { adapter: named('acme/base-70b', 'acme/base-70b') }, /^adapter-mismatch: /],
  ['a folder of that name', { adapter: named('/home/me/models/base-8b') }, undefined],
  ['a folder', { adapter: named('/home/me/checkpoint') }, /^adapter-base: .*cannot be looked up/],
  ['nothing', { adapter: { bases: [] } }, /^adapter-base: .*does not say which model/],
  ['nothing that can be read', { adapter: { bases: [], config: undefined } }, undefined],
  ['matrices of the right size', { adapter: tensor('1.self_attn.q_proj.lora_A', [8, 64]) }, undefined],
  [
    'a hidden size that the model does not have',
    { adapter: tensor('1.self_attn.q_proj.lora_A', [8, 128]) },
    /^adapter-mismatch: .*hidden size of 128, and the model has 64/,
  ],
  [
    'an output that the model does not have',
    { adapter: tensor('1.self_attn.o_proj.lora_B', [128, 8]) },
    /^adapter-mismatch: .*hidden size of 128/,
  ],
  [
    'a layer that the model does not have',
    { adapter: tensor('2.self_attn.q_proj.lora_A', [8, 64]) },
    /^adapter-mismatch: .*layer 3, and the model has 2/,
  ],
  ['DoRA', { lora: { use_dora: true } }, /^adapter-unsupported: .*DoRA/],
  ['prompt tuning', { lora: { peft_type: 'PROMPT_TUNING' } }, /^adapter-unsupported: .*LoRA only/],
  ['whole modules', { lora: { modules_to_save: ['lm_head'] } }, /^adapter-unsupported: .*lm_head/],
  ['a classifier', { lora: { modules_to_save: ['score'] } }, undefined],
  ['biases', { lora: { bias: 'all' } }, /^adapter-unsupported: .*biases/],
  [
    'biases that an older release serves',
    { lora: { bias: 'all' }, baseImage: 'vllm/vllm-openai:v0.9.0', serveArgs: ['--enable-lora-bias'] },
    undefined,
  ],
  ['PiSSA', { lora: { init_lora_weights: 'pissa_niter_4' } }, /^adapter-unsupported: .*pissa_niter_4/],
  ['a usual init', { lora: { init_lora_weights: 'gaussian' } }, undefined],
  ['no rank', { lora: { r: null } }, /^adapter-unsupported: .*rank/],
  [
    'a rank that no release takes',
    { lora: { r: 1024 } },
    /^adapter-unsupported: .*rank 1024, and vLLM 0\.33\.0 serves 512/,
  ],
  [
    'a rank above the one given',
    { lora: { r: 8, rank_pattern: { q_proj: 64 } }, serveArgs: ['--max-lora-rank', '16'] },
    /^adapter-unsupported: .*rank 64, more than --max-lora-rank 16/,
  ],
  [
    'an architecture without LoRA',
    { config: { ...CONFIG, architectures: ['ColBERTModernBertModel'] } },
    /^lora-unsupported: .*does not serve adapters/,
  ],
  [
    'an architecture that got LoRA later',
    {
      config: { ...CONFIG, architectures: ['WhisperForConditionalGeneration'] },
      baseImage: 'vllm/vllm-openai:v0.9.0',
    },
    /^lora-unsupported: .*; 0\.18\.0 is the first that does/,
  ],
  ['LoRA that is turned off', { serveArgs: ['--no-enable-lora'] }, /^lora-unsupported: .*--no-enable-lora/],
];

for (const [what, given, finding] of CASES) {
  test(`an adapter of ${what}`, () => {
    const { findings, status } = check(given);
    const said = findings.map(({ rule, message }) => `${rule}: ${message}`);
    if (finding === undefined) assert.deepEqual(said, []);
    else {
      assert.equal(said.length, 1, said.join('\n'));
      assert.match(said[0] ?? '', finding);
      assert.equal(status, finding.source.includes('mismatch') ? 'refused' : 'warn');
    }
  });
}

test('a mismatch is told on a base image that names no release too, and not with fit: off', () => {
  const adapter = named('acme/other', 'acme/other');
  assert.equal(check({ adapter, baseImage: 'acme/own:1' }).status, 'refused');
  assert.deepEqual(check({ adapter, fit: 'off' }).findings, []);
});

test('what an adapter says of its model is no reason against a newer release', () => {
  const report = check({
    adapter: named('/home/me/checkpoint'),
    baseImage: 'vllm/vllm-openai:v0.32.0',
    looksAtNewer: true,
  });
  assert.deepEqual(report.newer, ['0.33.0']);
});

test('names in another precision have one stem', () => {
  for (const name of [
    'a/Base-8B',
    'b/base-8b-AWQ',
    'c/Base-8B-GPTQ-Int4',
    'unsloth/base-8b-unsloth-bnb-4bit',
    'd/Base-8B-FP8',
  ])
    assert.equal(modelStem(name), 'base-8b', name);
  assert.notEqual(modelStem('a/Base-8B-Instruct'), modelStem('a/Base-8B'));
});

test('the rank is the smallest that the release takes', () => {
  const ranks = (version: string | undefined, ...list: (number | null)[]) =>
    maxLoraRank(list, version === undefined ? undefined : findRelease(version));
  assert.equal(ranks('0.33.0', 8, 12), 16);
  assert.equal(ranks('0.33.0', 1), 1);
  assert.equal(ranks('0.33.0', 300), 320);
  assert.equal(ranks('0.6.0', 1), 8);
  assert.equal(ranks(undefined, 64, null), 64);
  assert.equal(ranks('0.33.0', null), undefined);
  assert.equal(ranks('0.33.0', 1024), undefined);
});
