import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flagValue, loadFormatOf } from './serve-flags.ts';

test('a flag has its value after it or behind =, with - or _, and the last one counts', () => {
  assert.equal(flagValue(['--port', '1', '--port=2'], '--port'), '2');
  assert.equal(flagValue(['--load_format', 'pt'], '--load-format'), 'pt');
  assert.equal(flagValue(['--load_format=a=b'], '--load-format'), 'a=b');
  assert.equal(flagValue(['-q', 'gguf'], '-q'), 'gguf');
  assert.equal(flagValue(['--port'], '--port'), '');
  assert.equal(flagValue(['--ports', '1', 'port'], '--port'), undefined);
});

test('what is loaded: the format that is named, else what others imply', () => {
  assert.equal(loadFormatOf([]), 'auto');
  assert.equal(loadFormatOf(['--config-format', 'mistral']), 'mistral');
  assert.equal(loadFormatOf(['--config_format=mistral', '--load-format', 'PT']), 'pt');
  assert.equal(loadFormatOf(['--quantization', 'gguf', '--load-format', 'auto']), 'gguf');
  assert.equal(loadFormatOf(['--tokenizer-mode', 'mistral']), 'auto');
});
