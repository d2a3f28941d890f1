import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FileKind, isAdapter, isPicklePath, isWeights, kindOf } from './model-files.ts';
import { indexedSeries, missingNumbers, seriesOf } from './weight-series.ts';

const KINDS: Readonly<Record<FileKind, readonly string[]>> = {
  safetensors: ['model.safetensors', 'a/MODEL-00001-of-00002.SafeTensors', 'model-rank-0-part-0.safetensors'],
  mistral: ['consolidated.safetensors', 'x/consolidated-00001-of-00013.safetensors'],
  torch: ['pytorch_model.bin', 'a.pt', '2_Dense/x.pth', 'x.ckpt', 'consolidated.00.pth'],
  gguf: ['a-Q4_K_M.gguf', 'q8/a-00001-of-00002.gguf', 'a.gguf.part1of2'],
  tensorizer: ['model.tensors'],
  'other-framework': [
    ...['tf_model.h5', 'flax_model.msgpack', 'rust_model.ot', 'model.onnx', 'onnx/model_q4.onnx_data_1'],
    ...['model.onnx.data', 'x.pte', 'x.task', 'x.nemo', 'rank0.engine', 'x.litertlm', 'saved_model.pb'],
    ...[
      'openvino_model.xml',
      'openvino/openvino_tokenizer.bin',
      'x.mlpackage/Manifest.json',
      'metal/model.bin',
    ],
    ...[
      'model.ckpt.index',
      'model.ckpt-100.meta',
      'variables.data-00000-of-00001',
      'a.pdparams',
      'weights.npz',
    ],
    ...[
      'llama-2-7b.ggmlv3.q4_K_M.bin',
      'x.ggml.bin',
      'open_clip_pytorch_model.bin',
      'open_clip_model.safetensors',
    ],
    ...['x.llamafile', 'ggml-model-q4_0.bin', 'a.rkllm', 'x.axmodel', 'coreml/text/weight.bin'],
  ],
  training: [
    ...['zero_to_fp32.py', 'global_step/x.pt'],
    ...['optimizer.pt', 'optimizer.bin', 'scheduler.pt', 'rng_state_3.pth', 'training_args.bin', 'scaler.pt'],
    ...[
      'sampler.bin',
      'x/mp_rank_00_model_states.pt',
      'global_step500/mp_rank_00_model_states.pt',
      'x/zero_pp_rank_0_mp_rank_00_optim_states.pt',
    ],
    ...['__0_0.distcp', 'runs/events.out.tfevents.1.host', 'random_states_0.pkl'],
  ],
  pickle: ['head.pkl', 'x.joblib', 'a.pickle', 'a.dill'],
  index: ['model.safetensors.index.json', 'pytorch_model.bin.index.json', 'a.safetensors.index.fp16.json'],
  tokenizer: [
    'tokenizer.json',
    'tokenizer.model.v3',
    'tekken.json',
    'vocab.txt',
    'merges.txt',
    'qwen.tiktoken',
  ],
  config: ['config.json', 'params.json', 'generation_config.json', 'config_sentence_transformers.json'],
  code: ['modeling_x.py'],
  extra: ['.gitattributes', 'x/LOGO.png', 'paper.pdf'],
  other: [
    'mel_filters.npz',
    'README.md',
    'LICENSE',
    'chat_template.jinja',
    'trainer_state.json',
    'bin',
    'a.bin.txt',
  ],
};

for (const [kind, paths] of Object.entries(KINDS)) {
  test(`kinds: ${kind}`, () => {
    for (const path of paths) assert.equal(kindOf(path), kind, path);
  });
}

test('what can run code when it is loaded', () => {
  for (const path of [...KINDS.torch, ...KINDS.pickle, 'x.nemo', 'a.PT', 'a.pdparams', 'optimizer.bin'])
    assert.ok(isPicklePath(path), path);
  for (const path of [
    ...KINDS.safetensors,
    ...KINDS.gguf,
    'openvino_model.bin',
    'ggml-a.bin',
    'llama.ggmlv3.q4_0.bin',
    'metal/model.bin',
  ])
    assert.ok(!isPicklePath(path), path);
});

test('names of weights that belong together', () => {
  assert.deepEqual(seriesOf('a/model.fp32-00002-of-00003.safetensors'), {
    series: 'a/model.fp32.safetensors',
    plain: 'a/model.safetensors',
    part: { number: 2, total: 3 },
  });
  assert.deepEqual(seriesOf('model-1-of-2.bf16.bin').plain, 'model.bin');
  assert.deepEqual(seriesOf('model.visual.safetensors').plain, 'model.visual.safetensors');
  assert.equal(indexedSeries('a/model.safetensors.index.fp32.json'), 'a/model.fp32.safetensors');
  assert.equal(indexedSeries('pytorch_model.bin.index.json'), 'pytorch_model.bin');
  // Some begin with 0, and of these some have one more than they say.
  assert.deepEqual(missingNumbers([0, 1, 2], 2), []);
  assert.deepEqual(missingNumbers([0, 1], 2), []);
  assert.deepEqual(missingNumbers([1, 3], 3), [2]);
  assert.equal(missingNumbers([1], 999_999_999).length, 999);
});

test('weights are what any program loads, and adapters are known by their names', () => {
  for (const kind of ['safetensors', 'mistral', 'torch', 'gguf', 'tensorizer', 'other-framework'] as const)
    assert.ok(KINDS[kind].every(isWeights));
  assert.ok(!isWeights('config.json'));
  for (const path of ['adapter_model.safetensors', 'a/adapter_model.bin', 'pytorch_lora_weights.safetensors'])
    assert.ok(isAdapter(path), path);
  for (const path of [
    'model.safetensors',
    'lora/model.safetensors',
    'flora.safetensors',
    'adapter_config.json',
  ])
    assert.ok(!isAdapter(path), path);
});
