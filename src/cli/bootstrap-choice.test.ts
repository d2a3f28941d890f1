import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { MODEL_FILES } from '../core/model-files.ts';
import { chooseFiles } from '../plan/choose-files.ts';

const BOOTSTRAP = new URL('../runtime/bootstrap/', import.meta.url);

test("the bootstrap's table of model files is current: npm run bootstrap-data", () => {
  const written = readFileSync(new URL('weighbridge_bootstrap/model_files.json', BOOTSTRAP), 'utf8');
  assert.deepEqual(JSON.parse(written), JSON.parse(JSON.stringify(MODEL_FILES)));
});

const NAMES = [
  ...[
    'model.safetensors',
    'model-00001-of-00002.safetensors',
    'model.safetensors.index.json',
    'head.safetensors',
    'x.safetensors',
    'x.pt',
  ],
  ...['consolidated.safetensors', 'consolidated.safetensors.index.json', 'params.json', 'config.json'],
  ...['pytorch_model.bin', 'pytorch_model.bin.index.json', 'model.pt', 'head.pt', 'head.pkl', 'x.ckpt'],
  ...['q4.gguf', 'model.tensors', 'adapter_model.safetensors', 'adapter_model.bin', 'training_args.bin'],
  ...['model.fp32-00001-of-00001.safetensors', 'model.safetensors.index.fp32.json', 'model.fp16.safetensors'],
  ...['model-00002-of-00002.safetensors', 'pytorch_model-1-of-1.bin', 'pytorch_model.fp16.bin', 'model.pth'],
  ...[
    'MODEL.SAFETENSORS',
    'pytorch_model.BIN',
    'open_clip_model.safetensors',
    'a.ggmlv3.q4_0.bin',
    'x٣-٣-of-٣.bin',
  ],
  ...['consolidated-00001-of-00001.safetensors', 'zero_to_fp32.py', 'adapters.safetensors'],
  ...['model.onnx', 'model.onnx_data_1', 'openvino_model.bin', 'tokenizer.json', 'a.png', 'LICENSE'],
];
const FOLDERS = [
  '',
  'original/',
  'gguf/',
  '2_Dense/',
  '2_Dense/original/',
  'a/b/',
  'metal/',
  'checkpoint-5/',
  'a/step_9/x/',
];
const ARGS = [
  [],
  ['--load-format', 'mistral'],
  ['--load_format=gguf'],
  ['--load-format', 'pt', '--port', '1'],
  ['--config-format=mistral', '--load-format', 'auto'],
  ['-q', 'gguf'],
  ['--load-format=TENSORIZER'],
  ['--load-format'],
  ['--load', 'pt'],
  ['--load_form=mistral', '--load-format-x', 'pt'],
  ['--config', 'mistral', '--config-', 'mistral'],
  ['-qGGUF'],
  ['-q=gguf'],
  ['-q', 'gguf', '--quantization', 'awq'],
  ['--quantization', 'awq', '-qgguf'],
  ['--load-format', 'npcache'],
  ['--load-format', '--load-format', 'gguf'],
];

test('the bootstrap chooses the files that a plan does', () => {
  const path = fc.tuple(fc.constantFrom(...FOLDERS), fc.constantFrom(...NAMES)).map(parts => parts.join(''));
  const paths = fc.uniqueArray(path, { minLength: 1, maxLength: 14 });
  const cases = fc.sample(fc.record({ paths, args: fc.constantFrom(...ARGS) }), 2000);
  const program = `
import json, sys
sys.path.insert(0, sys.argv[1])
from weighbridge_bootstrap.model_files import Choice
for case in json.load(sys.stdin):
    choice = Choice(case["paths"], case["args"])
    print(json.dumps([path for path in case["paths"] if choice.takes(path)]))
`;
  const run = spawnSync('python3', ['-B', '-c', program, fileURLToPath(BOOTSTRAP)], {
    input: JSON.stringify(cases),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  assert.equal(run.status, 0, run.stderr);
  const chosen = run.stdout.trimEnd().split('\n');
  for (const [index, { paths, args }] of cases.entries()) {
    const files = paths.map(path => ({ path, sizeBytes: 1, gitOid: '0'.repeat(40) }));
    const choice = { files: { include: null, exclude: null, allowPickle: false }, serveArgs: args };
    const expected = chooseFiles({ files }, choice).files.map(file => file.path);
    assert.deepEqual(JSON.parse(chosen[index] ?? ''), expected, JSON.stringify({ paths, args }));
  }
});
