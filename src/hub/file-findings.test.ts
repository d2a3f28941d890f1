import assert from 'node:assert/strict';
import { test } from 'node:test';
import { disguiseOf, fileFindings } from './file-findings.ts';

const rulesOf = (paths: readonly string[], serveArgs: readonly string[] = [], all = paths): string[] =>
  fileFindings({
    files: paths.map(path => ({ path })),
    all: all.map(path => ({ path })),
    serveArgs,
    disguised: [],
  }).map(({ rule }) => rule);

for (const [what, paths, rules] of [
  ['safetensors', ['model.safetensors'], []],
  ['PyTorch files', ['pytorch_model.bin'], []],
  ["Mistral's own format", ['consolidated.safetensors'], []],
  ['an adapter and its model', ['model.safetensors', 'adapter_model.safetensors'], []],
  ['an adapter', ['adapter_model.safetensors', 'adapter_config.json'], ['adapter-alone']],
  ['an adapter as a pickle', ['adapter_model.bin'], ['adapter-alone']],
  ['a LoRA for pictures', ['pytorch_lora_weights.safetensors'], ['adapter-alone']],
  ['GGUF files', ['a-q4.gguf', 'b/a-q8.gguf', 'config.json'], ['gguf-alone']],
  ['weights in folders', ['fp16/model.safetensors', 'config.json'], ['no-weights']],
  ['a card', ['README.md'], ['no-weights']],
  ['ONNX', ['model.onnx'], ['no-weights']],
] as const) {
  test(`findings: ${what}`, () => assert.deepEqual(rulesOf(paths), rules));
}

test('weights that are left out are no weights', () => {
  assert.deepEqual(rulesOf(['config.json'], [], ['config.json', 'model.safetensors']), ['no-weights']);
});

test('--load-format dummy needs no weights', () => {
  assert.deepEqual(rulesOf(['config.json'], ['--load-format=dummy']), []);
});

test('a pointer and a page are not weights, and bytes that may be are let be', () => {
  const is = (text: string) => disguiseOf('model.safetensors', Buffer.from(text))?.is;
  assert.equal(is('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n'), 'lfs-pointer');
  for (const page of ['<!DOCTYPE html><html>', '\n <html lang="en">', '\ufeff<!doctype HTML>'])
    assert.equal(is(page), 'html');
  for (const other of ['', 'GGUF', '<', 'PK\u0003\u0004', '{"__metadata__":{}}'])
    assert.equal(is(other), undefined);
});
