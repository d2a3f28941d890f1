import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ImageFacts, Label, readLabels, readModelLabels, writeLabels } from './labels.ts';

const FACTS: ImageFacts = {
  title: 'x',
  description: '',
  url: 'https://hub.example/acme/x',
  source: 'https://hub.example/acme/x/tree/main',
  revision: 'a'.repeat(40),
  license: 'CC0-1.0',
  created: '2026-01-01T00:00:00Z',
  modelId: 'acme/x',
  modelLicense: 'llama3.1',
  lineage: [],
  model: {
    parameters: 494_032_768,
    precision: 'bf16',
    contextLength: 32_768,
    task: 'generate',
    languages: ['en', 'zh-hans'],
    architecture: 'Qwen2ForCausalLM',
    attentionHeads: 14,
    kvCache: {
      bytesPerToken: 12_288,
      windowBytesPerToken: 0,
      windowTokens: 0,
      isReplicated: false,
      kvHeads: 2,
    },
  },
  access: 'gated',
  fatRefusal: { rule: 'gated', reason: 'The Hub gates it.' },
  variant: 'slim',
  planDigest: 'sha256:x',
};

test('what is written is what is read', () => {
  const labels = writeLabels(FACTS);
  assert.deepEqual({ quantization: undefined, ...FACTS.model }, readModelLabels(labels));
  const { access, fatRefusal, modelLicense } = readLabels(labels);
  assert.deepEqual(
    { access, fatRefusal, modelLicense },
    {
      access: 'gated',
      fatRefusal: { rule: 'gated', reason: 'The Hub gates it.' },
      modelLicense: 'llama3.1',
    },
  );
  assert.equal(labels[Label.modelKvCache], '{"bytesPerToken":12288,"kvHeads":2}');
});

test('an open model has no label of a gate or a refusal', () => {
  const labels = writeLabels({ ...FACTS, access: undefined, fatRefusal: undefined });
  assert.ok(![Label.modelAccess, Label.fatRule, Label.fatReason].some(name => name in labels));
});

test('a label that makes no sense is not there', () => {
  for (const text of ['', '{', '[]', '{"kvHeads":0}', '{"kvHeads":2,"bytesPerToken":-1}', '{"kvHeads":"2"}'])
    assert.equal(readModelLabels({ [Label.modelKvCache]: text }).kvCache, undefined, text);
  assert.equal(readModelLabels({ [Label.modelHeads]: '-1' }).attentionHeads, undefined);
  assert.deepEqual(readModelLabels({ [Label.modelLanguages]: 'en,<b>,zh' }).languages, ['en', 'zh']);
});
