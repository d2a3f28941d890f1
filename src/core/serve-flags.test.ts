import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flagValue, hasFlag, loadFormatOf, withoutFlags, writtenFlags } from './serve-flags.ts';

test('a flag has its value after it or behind =, with - or _, and the last one counts', () => {
  assert.equal(flagValue(['--port', '1', '--port=2'], '--port'), '2');
  assert.equal(flagValue(['--load_format', 'pt'], '--load-format'), 'pt');
  assert.equal(flagValue(['--load_format=a=b'], '--load-format'), 'a=b');
  assert.equal(flagValue(['-q', 'gguf'], '-q'), 'gguf');
  assert.equal(flagValue(['--port'], '--port'), '');
  assert.equal(flagValue(['--ports', '1', 'port'], '--port'), undefined);
  assert.equal(flagValue(['--port', '--host', 'x'], '--port'), '');
  assert.equal(flagValue(['--seed', '-1', '--x=-.5'], '--seed'), '-1');
  assert.equal(flagValue(['-tp', '2', '--tensor_parallel_size', '4'], '--tensor-parallel-size', '-tp'), '4');
});

test('arguments are cut before each flag, and together they are the arguments again', () => {
  const args = [
    'stray',
    '--lora_modules=a=/a',
    'b=/b',
    '--seed',
    '-1',
    '--enable-lora',
    '-',
    '--hf-x.a_b',
    '1',
  ];
  const flags = writtenFlags(args);
  assert.deepEqual(
    flags.flatMap(({ words }) => words),
    args,
  );
  assert.deepEqual(
    flags.map(({ name, values }) => [name, ...values]),
    [
      ['', 'stray'],
      ['--lora-modules', 'a=/a', 'b=/b'],
      ['--seed', '-1'],
      ['--enable-lora', '-'],
      ['--hf-x.a_b', '1'],
    ],
  );
});

test('flags are found and left out with all of their values, however they are written', () => {
  const args = ['--served_model_name', 'a', 'b', '--port=1', '-tp', '2', '--served-model-name=c'];
  assert.ok(hasFlag(args, '--served-model-name'));
  assert.ok(hasFlag(args, '--tensor-parallel-size', '-tp'));
  assert.ok(!hasFlag(args, '--host'));
  assert.deepEqual(withoutFlags(args, '--served-model-name', '--port'), ['-tp', '2']);
});

test('what is loaded: the format that is named, else what others imply', () => {
  assert.equal(loadFormatOf([]), 'auto');
  assert.equal(loadFormatOf(['--config-format', 'mistral']), 'mistral');
  assert.equal(loadFormatOf(['--config_format=mistral', '--load-format', 'PT']), 'pt');
  assert.equal(loadFormatOf(['--quantization', 'gguf', '--load-format', 'auto']), 'gguf');
  assert.equal(loadFormatOf(['--tokenizer-mode', 'mistral']), 'auto');
});

test('what is loaded: short forms, as the parser takes them', () => {
  for (const args of [['--load', 'pt'], ['--load_form=pt'], ['--load-format', 'auto', '--load-f', 'pt']])
    assert.equal(loadFormatOf(args), 'pt', args.join(' '));
  for (const args of [['-qgguf'], ['-q=GGUF'], ['-q', 'awq', '--quantization=gguf']])
    assert.equal(loadFormatOf(args), 'gguf', args.join(' '));
  assert.equal(loadFormatOf(['--config-', 'mistral']), 'mistral');
  // `--config` is the flag of a file, and `--load-format-x` none at all.
  for (const args of [
    ['--config', 'mistral'],
    ['--load-format-x', 'pt'],
    ['--lo', 'pt'],
    ['-qgguf', '-q', 'awq'],
  ])
    assert.equal(loadFormatOf(args), 'auto', args.join(' '));
});
