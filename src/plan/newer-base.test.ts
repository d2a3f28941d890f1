import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelConfig } from '../policy/decide.fixtures.ts';
import { chooseBase } from './newer-base.ts';

const fitting = (short: string, ...newer: string[]) => ({
  model: modelConfig({ short }),
  fit: { status: 'ok' as const, findings: [], newer },
});
const BASE = 'vllm/vllm-openai:v0.6.0';

test('the newest release that all models run on is chosen', () => {
  const tags = [
    'latest',
    'v0.6.0',
    'v0.8.0',
    'v0.10.0',
    'v0.9.0',
    'v0.9.1-rc1',
    'v0.9.2-cu129',
    'nightly-abc',
  ];
  const x = fitting('x', '0.8.0', '0.9.0', '0.10.0');
  assert.deepEqual(chooseBase(BASE, tags, [x]), { tag: 'v0.10.0' });
  assert.deepEqual(chooseBase(BASE, tags, [x, fitting('y', '0.8.0', '0.9.0')]), { tag: 'v0.9.0' });
  assert.deepEqual(chooseBase('vllm/vllm-openai:v0.9.0-cu129', tags, []), { tag: 'v0.9.2-cu129' });
  assert.deepEqual(chooseBase(BASE, tags, [fitting('y')]), {
    reason: 'v0.10.0: y would not run on it',
  });
});

test('a repaired release is newer than the release, and more digits than both', () => {
  const tags = ['v0.9.0.1', 'v0.9.0', 'v0.8.5.post1', 'v0.8.5'];
  assert.deepEqual(chooseBase('a/b:v0.8.5', ['v0.8.5.post1'], []), { tag: 'v0.8.5.post1' });
  assert.deepEqual(chooseBase('a/b:v0.8.5', tags, []), { tag: 'v0.9.0.1' });
});

test('a base stays, with the reason, if there is nothing to move to', () => {
  assert.deepEqual(chooseBase(BASE, ['v0.5.0', 'v0.6.0'], []), { reason: 'it is the newest release' });
  assert.deepEqual(chooseBase('a/b:latest', ['v1.0.0'], []), { reason: 'its tag is not a version' });
  const unknown = chooseBase(BASE, ['v99.0.0'], []);
  assert.match('reason' in unknown ? unknown.reason : '', /^v99\.0\.0: this version of Weighbridge/);
  assert.deepEqual(chooseBase('acme/own:v1.0.0', ['v99.0.0'], []), { tag: 'v99.0.0' });
});
