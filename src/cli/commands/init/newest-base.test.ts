import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryError } from '../../../core/errors.ts';
import { newestRelease } from '../../../fit/releases.ts';
import type { Session } from '../../session.ts';
import { newestBase } from './newest-base.ts';

const KNOWN = `vllm/vllm-openai:v${newestRelease().version}`;

function sessionWith(listTags: () => Promise<readonly string[]>, notes: string[] = []): Session {
  const session = {
    env: {},
    signal: new AbortController().signal,
    services: { openRepository: () => ({ listTags }) },
    note: (text: string) => notes.push(text),
    within: () => session,
  };
  return session as unknown as Session;
}

test('the newest release of the registry is taken, a candidate or another build is not', async () => {
  const tags = [
    'latest',
    'v0.9.1',
    'v9.10.0',
    'v9.9.0',
    'v9.11.0rc1',
    'v9.11.0-rc1',
    'v9.12.0-cu129',
    'nightly',
  ];
  assert.equal(await newestBase(sessionWith(async () => tags)), 'vllm/vllm-openai:v9.10.0');
});

test('a registry with nothing newer, or none that answers, leaves the newest that is known', async () => {
  assert.equal(await newestBase(sessionWith(async () => ['v0.6.0'])), KNOWN);
  const notes: string[] = [];
  const down = new RegistryError('refused', { code: 'REGISTRY_UNREACHABLE' });
  assert.equal(await newestBase(sessionWith(() => Promise.reject(down), notes)), KNOWN);
  assert.match(notes.join(), /could not be read; v\S+ is the newest that this version knows/);
  await assert.rejects(newestBase(sessionWith(() => Promise.reject(new TypeError('a defect')))), TypeError);
});
