import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HubFile } from '../hub/types.ts';
import { modelConfig } from '../policy/decide.fixtures.ts';
import { checkPlaces } from './check-places.ts';
import { chooseFiles, type LeftOutRule, notWanted } from './choose-files.ts';

interface Case {
  readonly of: string;
  readonly files: readonly string[];
  readonly args?: readonly string[];
  readonly choice?: {
    readonly include?: readonly string[];
    readonly exclude?: readonly string[];
    readonly allowPickle?: boolean;
  };
  /** The paths that are not taken, with their rules; everything else is. */
  readonly left?: Readonly<Record<string, LeftOutRule>>;
}

const COPY = 'second-copy';
const MISTRAL = [
  'consolidated.safetensors',
  'params.json',
  'tekken.json',
  'config.json',
  'model.safetensors',
];
const GGUF = ['model.safetensors', 'q4.gguf', 'gguf/q8.gguf'];

const CASES: readonly Case[] = [
  {
    of: 'copies of one folder: torch, its index, training, other programs',
    files: [
      ...[
        'model-00001-of-00002.safetensors',
        'model-00002-of-00002.safetensors',
        'model.safetensors.index.json',
      ],
      ...[
        'pytorch_model-00001-of-00001.bin',
        'pytorch_model.bin.index.json',
        'training_args.bin',
        'optimizer.pt',
      ],
      ...[
        'rng_state_0.pth',
        'global_step9/mp_rank_00_model_states.pt',
        'a.ckpt',
        'logo.PNG',
        '.gitattributes',
      ],
      ...['original/params.json', 'original/consolidated.00.pth', 'trainer_state.json', 'modeling_x.py'],
    ],
    left: {
      'pytorch_model-00001-of-00001.bin': COPY,
      'pytorch_model.bin.index.json': COPY,
      'training_args.bin': 'training',
      'optimizer.pt': 'training',
      'rng_state_0.pth': 'training',
      'global_step9/mp_rank_00_model_states.pt': 'training',
      'a.ckpt': COPY,
      'logo.PNG': 'not-for-serving',
      '.gitattributes': 'not-for-serving',
      'original/params.json': COPY,
      'original/consolidated.00.pth': COPY,
    },
  },
  {
    of: 'other programs',
    files: [
      ...['model.safetensors', 'onnx/model.onnx', 'onnx/model.onnx_data', 'onnx/model.onnx_data_1', 'x.pte'],
      ...['x.task', 'x.nemo', 'x.engine', 'tf_model.h5', 'flax_model.msgpack', 'rust_model.ot', 'm.tflite'],
      ...[
        'openvino_model.bin',
        'openvino_model.xml',
        'a.mlpackage/Data/weights/weight.bin',
        'metal/model.bin',
      ],
    ],
    left: Object.fromEntries(
      [
        ...['onnx/model.onnx', 'onnx/model.onnx_data', 'onnx/model.onnx_data_1', 'x.pte'],
        ...['x.task', 'x.nemo', 'x.engine', 'tf_model.h5', 'flax_model.msgpack', 'rust_model.ot', 'm.tflite'],
        ...[
          'openvino_model.bin',
          'openvino_model.xml',
          'a.mlpackage/Data/weights/weight.bin',
          'metal/model.bin',
        ],
      ].map(path => [path, 'other-framework'] as const),
    ),
  },
  { of: 'a model for another program alone', files: ['model.onnx', 'model.onnx_data', 'config.json'] },
  {
    of: 'a part in its own folder',
    files: ['model.safetensors', 'modules.json', '2_Dense/pytorch_model.bin'],
  },
  {
    of: 'a copy in its own folder',
    files: ['pytorch_model.bin', '2_Dense/model.safetensors', '2_Dense/pytorch_model.bin'],
    left: { '2_Dense/pytorch_model.bin': COPY },
  },
  { of: 'other tensors beside the model', files: ['model.safetensors', 'sparse_linear.pt'] },
  { of: 'an adapter in a folder below', files: ['pytorch_model.bin', 'lora/adapter_model.safetensors'] },
  {
    // vLLM would find a file of safetensors and load the adapter as the model.
    of: 'an adapter beside the model',
    files: ['pytorch_model.bin', 'adapter_model.safetensors'],
    left: { 'adapter_model.safetensors': 'adapter' },
  },
  {
    of: 'an adapter twice',
    files: ['adapter_model.bin', 'adapter_model.safetensors'],
    left: { 'adapter_model.bin': COPY },
  },
  { of: "Mistral's own format beside the other", files: MISTRAL, left: { 'consolidated.safetensors': COPY } },
  { of: "Mistral's own format alone", files: ['consolidated.safetensors', 'params.json', 'tekken.json'] },
  ...[
    ['--load-format', 'mistral'],
    ['--load_format', 'mistral'],
    ['--load-format=mistral'],
    ['--load_format=mistral'],
    ['--load-format', 'auto', '--load-format', 'mistral'],
    ['--tokenizer-mode', 'mistral', '--config-format', 'mistral'],
  ].map(
    (args): Case => ({
      of: `Mistral's own format asked for by ${args.join(' ')}`,
      files: [...MISTRAL, 'model.safetensors.index.json', 'consolidated.safetensors.index.json'],
      args,
      left: { 'model.safetensors': COPY, 'model.safetensors.index.json': COPY },
    }),
  ),
  {
    of: 'the format that is named goes before that of the config',
    files: MISTRAL,
    args: ['--config-format', 'mistral', '--load-format', 'safetensors'],
    left: { 'consolidated.safetensors': COPY },
  },
  {
    of: 'GGUF beside safetensors',
    files: GGUF,
    left: { 'q4.gguf': 'other-format', 'gguf/q8.gguf': 'other-format' },
  },
  { of: 'GGUF asked for', files: GGUF, args: ['--load-format=gguf'], left: { 'model.safetensors': COPY } },
  { of: 'GGUF as quantization', files: GGUF, args: ['-q', 'gguf'], left: { 'model.safetensors': COPY } },
  {
    of: 'GGUF asked for, in a folder',
    files: ['model.safetensors', 'gguf/q8.gguf', '1_Dense/model.safetensors'],
    args: ['--load-format', 'gguf'],
    left: { 'model.safetensors': COPY },
  },
  { of: 'GGUF alone', files: ['a/q4.gguf', 'q8.gguf', 'config.json'] },
  {
    of: 'PyTorch asked for',
    files: ['model.safetensors', 'pytorch_model.bin'],
    args: ['--load-format', 'pt'],
    left: { 'model.safetensors': COPY },
  },
  {
    of: 'PyTorch asked for, and there is only a part in it',
    files: ['model.safetensors', 'sparse_linear.pt'],
    args: ['--load-format', 'pt'],
  },
  {
    of: 'bitsandbytes reads safetensors',
    files: ['model.safetensors', 'pytorch_model.bin'],
    args: ['--load-format', 'bitsandbytes'],
    left: { 'pytorch_model.bin': COPY },
  },
  {
    of: 'what is excluded makes nothing a second copy',
    files: ['model.safetensors', 'pytorch_model.bin'],
    choice: { exclude: ['*.safetensors'] },
    left: { 'model.safetensors': 'excluded' },
  },
  {
    of: 'what is included is taken, whatever it is',
    files: ['model.safetensors', 'pytorch_model.bin', 'README.md'],
    choice: { include: ['*.bin'] },
    left: { 'model.safetensors': 'not-included', 'README.md': 'not-included' },
  },
  {
    of: 'pickles beside safetensors',
    files: ['model.safetensors', 'head.pkl', 'x/head.joblib'],
    left: { 'head.pkl': 'pickle', 'x/head.joblib': 'pickle' },
  },
  {
    of: 'pickles that are allowed',
    files: ['model.safetensors', 'head.pkl', 'x/head.joblib'],
    choice: { allowPickle: true },
  },
  {
    of: 'a name that is no pattern',
    files: ['a[1].txt', 'b\\c.txt', 'd.txt'],
    choice: { exclude: ['a[1].txt', 'b\\c.txt'] },
    left: { 'a[1].txt': 'excluded', 'b\\c.txt': 'excluded' },
  },
];

for (const { of, files, args, choice, left } of CASES) {
  test(`files: ${of}`, () => {
    const { files: taken, leftOut } = choose(files, args, choice);
    const rules = Object.fromEntries(leftOut.map(({ path, rule }) => [path, rule]));
    assert.deepEqual(rules, left ?? {});
    assert.deepEqual(
      taken.map(({ path }) => path),
      files.filter(path => !(path in rules)),
    );
    assert.ok(leftOut.every(({ reason }) => /^(is|was|matches) /.test(reason)));
  });
}

test('25,000 files are chosen among in no time to speak of, and each folder on its own', () => {
  const files = Array.from({ length: 5000 }, (_, index) =>
    ['model.safetensors', 'pytorch_model.bin', 'a.onnx', 'config.json', 'x.txt'].map(
      name => `${index}/${name}`,
    ),
  ).flat();
  const { files: taken, leftOut } = choose(files);
  assert.equal(taken.length, 15_000);
  assert.equal(leftOut.length, 10_000);
});

function choose(paths: readonly string[], serveArgs: readonly string[] = [], choice: Case['choice'] = {}) {
  const files = paths.map((path): HubFile => ({ path, sizeBytes: 1, gitOid: '0'.repeat(40) }));
  const { include = null, exclude = null, allowPickle = false } = choice;
  return chooseFiles({ files }, { serveArgs, files: { include, exclude, allowPickle } });
}

test('names that no image can have are left out where models.yaml says so', () => {
  const files = { include: null, exclude: ['a\\b', '.wh.*'], allowPickle: false };
  const paths = ['a\\b', 'x/.wh.y', 'c\\d'];
  assert.deepEqual([...notWanted(files, paths)], ['a\\b', 'x/.wh.y']);
  assert.deepEqual([...notWanted({ ...files, include: ['*.json'] }, paths)], paths);
  const unusable = [{ path: 'a\\b', sizeBytes: 7 }];
  const { leftOut } = chooseFiles({ files: [], unusable }, { serveArgs: [], files });
  assert.deepEqual(leftOut, [
    { path: 'a\\b', sizeBytes: 7, rule: 'excluded', reason: 'matches `files.exclude`' },
  ]);
});

test('a path that does not fit below the folder of the model is refused', () => {
  const file = (bytes: number): HubFile => ({
    path: 'x'.repeat(bytes),
    sizeBytes: 1,
    gitOid: '0'.repeat(40),
  });
  const model = modelConfig({ downloadRoot: '/models', short: 'x' });
  const room = 4095 - '/models/x/'.length;
  checkPlaces(model, [file(room)]);
  assert.throws(() => checkPlaces(model, [file(room + 1)]), { code: 'HUB_HOSTILE_PATH' });
});
