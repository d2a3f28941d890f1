import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../config/load-config.ts';
import { chooseTargets } from './targets.ts';

const BASE =
  'defaults:\n  base_image: vllm/vllm-openai:v0.6.0\nmodels:\n  - id: acme/x\n    short: x\n    publish: {dockerhub: true}\n';

function targets(env: Record<string, string>, yaml = BASE) {
  const config = parseConfig(yaml, 'models.yaml');
  const [model] = config.models;
  if (model === undefined) throw new Error('no model');
  return chooseTargets(config, model, { overrides: {}, env }).targets.map(({ repository }) => repository);
}

test('the account of a prefix that comes from the environment has to be a name, and the variable is named', () => {
  assert.deepEqual(targets({ DOCKERHUB_USERNAME: ' Ann ' }), ['docker.io/ann/hf-x']);
  for (const [env, variable] of [
    [{ DOCKERHUB_USERNAME: 'me@example.com' }, 'DOCKERHUB_USERNAME'],
    [{ DOCKERHUB_USERNAME: '"ann"' }, 'DOCKERHUB_USERNAME'],
    [{ GITHUB_REPOSITORY_OWNER: 'a b' }, 'GITHUB_REPOSITORY_OWNER'],
  ] as const) {
    assert.throws(() => targets(env), {
      code: 'USAGE',
      subject: variable,
      message: new RegExp(`^${variable} is not the name`),
    });
  }
  const written = `registries: {dockerhub: docker.io/acme}\n${BASE}`;
  assert.deepEqual(targets({ DOCKERHUB_USERNAME: 'me@example.com' }, written), ['docker.io/acme/hf-x']);
});

test('two keys that lead to one place are an error, not two publishes of one image', () => {
  const file = `registries: {lab: docker.io/acme}\n${BASE.replace('dockerhub: true', 'dockerhub: true, lab: true')}`;
  assert.throws(() => targets({ DOCKERHUB_USERNAME: 'acme' }, file), {
    code: 'USAGE',
    message: 'dockerhub and lab both publish to docker.io/acme/hf-x',
  });
  assert.deepEqual(targets({ DOCKERHUB_USERNAME: 'ann' }, file), [
    'docker.io/ann/hf-x',
    'docker.io/acme/hf-x',
  ]);
});
