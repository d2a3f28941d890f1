import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from './load-config.ts';

const parse = (defaults: string, own: string) =>
  parseConfig(`defaults: ${defaults}\nmodels: [{ id: a/b, short: x, ${own} }]\n`, 'models.yaml').models[0];

test('env and labels: the model before the defaults, name by name, and values as they are written', () => {
  const model = parse(
    '{ env: { A: 0.90, B: yes, C: c }, labels: { org.opencontainers.image.source: https://a.example/b } }',
    'env: { C: own, D: "1" }, labels: { com.acme.team: search, org.opencontainers.image.source: https://a.example/c }',
  );
  assert.deepEqual(model?.env, { A: '0.90', B: 'yes', C: 'own', D: '1' });
  assert.deepEqual(model?.labels, {
    'com.acme.team': 'search',
    'org.opencontainers.image.source': 'https://a.example/c',
  });
  const plain = parse('{}', 'revision: main');
  assert.deepEqual([plain?.env, plain?.labels], [{}, {}]);
});

test('what looks like a secret is not shown', () => {
  assert.throws(
    () => parse('{}', 'env: { VLLM_API_KEY: open-sesame }'),
    (error: Error) => /looks like a secret/.test(error.message) && !error.message.includes('open-sesame'),
  );
});

for (const [own, problem] of [
  ['env: { A-B: 1 }', /"A-B" must be the name of a variable/],
  ['env: { MODEL_DIR: /x }', /"MODEL_DIR" is set by the image itself/],
  ['env: { HF_TOKEN: x }', /"HF_TOKEN" looks like a secret/],
  ['env: { VLLM_API_KEY: x }', /"VLLM_API_KEY" looks like a secret/],
  ['env: { X: hf_abcdefghijklmnopqrstuvwxyz }', /"X" looks like a secret/],
  ['env: { X: [1] }', /"X" must be text, a number, true or false/],
  ['env: [A=1]', /"env" must be a map/],
  ['labels: { io.weighbridge.variant: fat }', /states a fact that Weighbridge looks up/],
  ['labels: { org.opencontainers.image.licenses: MIT }', /states a fact that Weighbridge looks up/],
  ['labels: { org.opencontainers.image.title: x }', /is set by "oci: \{title: …\}"/],
  ['labels: { "a b": x }', /must be the name of a label/],
  ['labels: { a: "x\\ny" }', /must be one line of text/],
] as const) {
  test(`refused: ${own}`, () => {
    assert.throws(() => parse('{}', own), problem);
    const inDefaults = own.replace(/^(\w+): /, '{ $1: ');
    assert.throws(() => parse(`${inDefaults} }`, 'revision: main'), problem);
  });
}
