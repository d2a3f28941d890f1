import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from './load-config.ts';

const MODELS = 'models:\n  - {id: acme/x, short: x}\n';

test('signing: keys, keyless services and trusted makers of models', () => {
  const { signing } = parseConfig(
    `signing:
  mode: required
  keyless: {fulcio: "https://fulcio.example"}
  upstream:
    - {models: ["ibm-*/*"], key: keys/ibm.pem, require: true}
    - {models: ["acme/*"], identity: release@acme.example, issuer: "https://accounts.acme.example"}
${MODELS}`,
    'models.yaml',
  );
  assert.equal(signing.mode, 'required');
  assert.deepEqual(signing.keyless, {
    fulcio: 'https://fulcio.example',
    rekor: null,
    timestampAuthority: null,
    trust: null,
  });
  assert.deepEqual(
    signing.upstream.map(({ signer, isRequired }) => [signer.kind, isRequired]),
    [
      ['key', true],
      ['identity', false],
    ],
  );
  const all = parseConfig(`signing: {mode: sign, keyless: true}\n${MODELS}`, 'models.yaml').signing.keyless;
  assert.deepEqual(all, { fulcio: null, rekor: null, timestampAuthority: null, trust: null });
  const trust = '{identity: "https://ci.example/*", issuer: "https://ci.example", trusted_root: root.json}';
  assert.deepEqual(
    parseConfig(`signing: {keyless: ${trust}}\n${MODELS}`, 'models.yaml').signing.keyless?.trust,
    { identity: 'https://ci.example/*', issuer: 'https://ci.example', trustedRoot: 'root.json' },
  );
});

for (const [title, text, message] of [
  ['a mode without anything to sign with', 'signing: {mode: required}', /needs "key" or "keyless"/],
  ['a key and keyless', 'signing: {key: a.pem, keyless: true}', /not both/],
  ['a key in the file', 'signing: {key: "-----BEGIN PRIVATE KEY-----"}', /not be the key itself/],
  ['a KMS', 'signing: {key: "awskms://alias/x"}', /KMS/],
  ['a plain address', 'signing: {keyless: {rekor: "http://rekor.example"}}', /https:/],
  [
    'a key for GitHub',
    'signing: {key: a.pem, github_attestations: true}',
    /needs "keyless": GitHub stores only/,
  ],
  [
    'a signature as a file without a mode that signs',
    'signing: {key: a.pem, model_signature_file: true}',
    /needs "key", and "mode" sign or required/,
  ],
  [
    'a signature as a file, keyless',
    'signing: {mode: sign, keyless: true, model_signature_file: true}',
    /needs "key", and "mode"/,
  ],
  ['an identity of ours without its root', 'signing: {keyless: {identity: x}}', /needs all of/],
  ['trust without a signer', 'signing: {upstream: [{models: ["a/*"]}]}', /needs "key", or both/],
  ['half an identity', 'signing: {upstream: [{models: ["a/*"], identity: x}]}', /needs "key", or both/],
  [
    'not affected, and not why',
    'vex: [{vulnerability: CVE-1, status: not_affected, date: "2026-01-01"}]',
    /why/,
  ],
  [
    'affected, and not what to do',
    'vex: [{vulnerability: CVE-1, status: affected, date: "2026-01-01"}]',
    /should do/,
  ],
  ['a day that is not', 'vex: [{vulnerability: CVE-1, status: fixed, date: "2026-02-30"}]', /must be a day/],
] as const) {
  test(`${title} is an error with its place`, () => {
    assert.throws(
      () => parseConfig(`${text}\n${MODELS}`, 'models.yaml'),
      (error: Error) => /models\.yaml:1:\d+/.test(error.message) && message.test(error.message),
    );
  });
}

test('vex: a day is its midnight in UTC', () => {
  const text =
    'vex: [{vulnerability: CVE-2026-1, status: fixed, date: 2026-11-20, packages: ["pkg:pypi/torch"]}]';
  const [entry] = parseConfig(`${text}\n${MODELS}`, 'models.yaml').vex;
  assert.equal(entry?.date, '2026-11-20T00:00:00Z');
  assert.deepEqual(entry?.packages, ['pkg:pypi/torch']);
  assert.equal(entry?.models, null);
});
