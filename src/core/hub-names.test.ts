import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelIdIn } from './hub-names.ts';

test('an id and the address of a model mean the model', () => {
  for (const text of [
    'acme/x',
    ' acme/x ',
    'https://huggingface.co/acme/x',
    'http://www.huggingface.co/acme/x/',
    'https://hf.co/acme/x/tree/main?library=vllm',
    'huggingface.co/acme/x#readme',
    'https://huggingface.co/api/models/acme/x',
  ])
    assert.equal(modelIdIn(text), 'acme/x', text);
  assert.equal(modelIdIn('gpt2'), 'gpt2');
});

test('folders, data sets and other sites mean no model', () => {
  for (const text of [
    './outputs/x',
    '/data/models/x',
    'a/b/c',
    '',
    'https://huggingface.co/datasets/acme/x',
    'https://huggingface.co/spaces/acme/x',
    'https://huggingface.co/',
    'https://example.org/acme/x',
    'acme/x y',
  ])
    assert.equal(modelIdIn(text), undefined, text);
});
