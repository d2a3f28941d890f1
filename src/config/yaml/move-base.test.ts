import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moveBase } from './move-base.ts';

test('a base image is moved wherever it is written, and nothing else changes', () => {
  const text = `# vllm/x:v1 in a comment
defaults: { base_image: "vllm/x:v1" } # ours
models:
  - id: a/b
    short: b
    base_image:   'vllm/x:v1'   # kept
  - { id: a/c, short: c, base_image: vllm/x:v1-cpu }
  - { id: a/d, short: d, base_image: vllm/x:v1 }\r
`;
  assert.equal(
    moveBase(text, 'vllm/x:v1', 'vllm/x:v10'),
    text
      .replace('"vllm/x:v1"', '"vllm/x:v10"')
      .replace("'vllm/x:v1'", "'vllm/x:v10'")
      .replace('vllm/x:v1 }\r', 'vllm/x:v10 }\r'),
  );
});

test('a file that does not write it stays as it is', () => {
  for (const text of ['', '- a\n', 'models: []\n', 'x: &b vllm/x:v1\ndefaults: { base_image: *b }\n'])
    assert.equal(moveBase(text, 'vllm/x:v1', 'vllm/x:v2'), text);
});
