import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { startHub } from '../../../src/testkit/hub.ts';
import { startRegistry } from '../../../src/testkit/registry.ts';
import { ROOT, weighbridge } from '../../support/command.ts';
import { requireTool, run, runOk, temporaryFolder } from '../../support/tools.ts';
import { MODEL_FILES, putBase } from '../../support/world.ts';

// gitlab-ci-local holds a pipeline against GitLab's own schema, and carries its jobs out as a runner does.

const GITLAB = path.join(ROOT, 'node_modules/gitlab-ci-local/dist/index.js');
/** It copies a project's files with rsync before it runs a job. */
const skip = requireTool('rsync', 'git');
const NODE = path.join(ROOT, 'node_modules/.bin/node');

test('the child pipeline is valid, its jobs publish, and a login of the project reaches the registry', {
  skip,
}, async t => {
  await using hub = await startHub();
  await using registry = await startRegistry({ auth: { kind: 'basic', user: 'ci', password: 'p:w"d' } });
  putBase(registry, 'v0.6.0');
  for (const name of ['one', 'two']) await hub.addModel({ id: `acme/${name}`, files: MODEL_FILES });
  const folder = await project(t, registry.host, hub.url);
  const listed = await runOk(NODE, [GITLAB, '--list'], { cwd: folder });
  assert.match(listed, /publish one +publish +on_success/);
  assert.match(listed, /publish two +publish/);

  const variables = {
    CI_REGISTRY: registry.host,
    CI_REGISTRY_USER: 'ci',
    CI_REGISTRY_PASSWORD: 'p:w"d',
    HF_ENDPOINT: hub.url,
  };
  const flags = Object.entries(variables).flatMap(([name, value]) => ['--variable', `${name}=${value}`]);
  const shim = path.join(folder, 'shim');
  await mkdir(shim);
  await writeFile(path.join(shim, 'npx'), `#!/bin/sh\nshift 2\nexec ${ROOT}/bin/weighbridge "$@"\n`);
  await chmod(path.join(shim, 'npx'), 0o755);
  const result = await run(
    NODE,
    [
      GITLAB,
      'publish one',
      '--force-shell-executor',
      '--no-artifacts-to-source',
      '--ignore-predefined-vars',
      'CI_REGISTRY',
      ...flags,
    ],
    {
      cwd: folder,
      env: { PATH: `${shim}:${process.env.PATH}` },
    },
  );
  assert.equal(result.status, 0, result.stdout + result.stderr);
  const tags = [...registry.repository('acme/hf-one').tags.keys()].filter(tag => tag.startsWith('v'));
  assert.deepEqual(tags.map(tag => tag.replace(/-r[0-9a-f]{8}-/, '-r<commit8>-')).sort(), [
    'v0.6.0-fat',
    'v0.6.0-r<commit8>-fat',
    'v0.6.0-r<commit8>-slim',
    'v0.6.0-slim',
  ]);
  assert.equal(registry.repository('acme/hf-two').tags.size, 0);
});

test('what GitLab would refuse is refused: the check is one', { skip }, async t => {
  const folder = await project(t, 'localhost:1', undefined);
  await writeFile(path.join(folder, '.gitlab-ci.yml'), 'publish:\n  script: [x]\n  scirpt: [y]\n');
  const { status, stdout, stderr } = await run(NODE, [GITLAB, '--list'], { cwd: folder });
  assert.notEqual(status, 0);
  assert.match(stdout + stderr, /scirpt/);
});

async function project(t: TestContext, registry: string, hub: string | undefined): Promise<string> {
  const folder = await temporaryFolder(t);
  const git = (...args: string[]) =>
    runOk('git', ['-c', 'user.name=x', '-c', 'user.email=x@x.invalid', ...args], { cwd: folder });
  await writeFile(
    path.join(folder, 'models.yaml'),
    `registries: { lab: ${registry}/acme }
defaults: { base_image: "${registry}/vllm/vllm-openai:v0.6.0" }
models:
  - { id: acme/one, short: one }
  - { id: acme/two, short: two }
`,
  );
  if (hub !== undefined) {
    const worker = ['--worker-command', 'npx --yes weighbridge@test'];
    const plan = await weighbridge(['plan', '--format', 'gitlab', '--out', 'plan.json', ...worker], {
      cwd: folder,
      env: { HF_ENDPOINT: hub },
    });
    assert.equal(plan.status, 0, plan.stderr);
    await writeFile(path.join(folder, '.gitlab-ci.yml'), plan.stdout);
  }
  await git('init', '--quiet', '--initial-branch', 'main');
  await git('remote', 'add', 'origin', 'git@gitlab.example:acme/models.git');
  await git('add', '.');
  await git('commit', '--quiet', '-m', 'models');
  return folder;
}
