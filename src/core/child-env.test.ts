import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutSecrets } from './child-env.ts';

test('another program gets its own settings, and of our secrets those that it is given by name', () => {
  const env = {
    PATH: '/bin',
    HF_TOKEN: 'hf_x',
    GITHUB_TOKEN: 'ghs_x',
    CI_REGISTRY_PASSWORD: 'glcbt_x',
    TRIVY_CACHE_DIR: '/c',
    MY_KEY: '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII',
    AWS_PROFILE: 'p',
  };
  assert.deepEqual(withoutSecrets(env), { PATH: '/bin', TRIVY_CACHE_DIR: '/c', AWS_PROFILE: 'p' });
  assert.equal(withoutSecrets(env, ['run', '-e', 'HF_TOKEN', 'image']).HF_TOKEN, 'hf_x');
  assert.equal(withoutSecrets(env, ['run', '-e', 'HF_TOKEN', 'image']).GITHUB_TOKEN, undefined);
});
