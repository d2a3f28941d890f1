import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { startHub } from '../../../src/testkit/hub.ts';
import { startRegistry } from '../../../src/testkit/registry.ts';
import { ROOT, weighbridge } from '../../support/command.ts';
import { IS_LONG, onlyLong } from '../../support/long.ts';
import { requireTool, run, runOk, temporaryFolder } from '../../support/tools.ts';
import { MODEL_FILES, putBase, World } from '../../support/world.ts';

// gitlab-ci-local holds a pipeline against GitLab's own schema, and carries its jobs out as a runner does.

const GITLAB = path.join(ROOT, 'node_modules/gitlab-ci-local/dist/index.js');
/** It copies a project's files with rsync before it runs a job. */
const skip = requireTool('rsync', 'git');
const NODE = path.join(ROOT, 'node_modules/.bin/node');

test('the child pipeline is valid, its jobs publish, and a login of the project reaches the registry', {
  skip: skip || onlyLong,
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

test('the job of docs/ci.md opens a merge request for updates, adds to it, and closes it', {
  skip: IS_LONG ? skip : 'only with WEIGHBRIDGE_LONG=1',
}, async t => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/one', files: MODEL_FILES });
  const folder = await temporaryFolder(t);
  const [source, remote] = ['source', 'remote.git'].map(name => path.join(folder, name)) as [string, string];
  await mkdir(source);
  await writeFile(path.join(source, 'models.yaml'), world.config('acme/one'));
  const env = { HF_ENDPOINT: world.hub.url };
  const locked = await weighbridge(['plan', '--lock'], { cwd: source, env });
  assert.equal(locked.status, 0, locked.stderr);
  const docs = await readFile(path.join(ROOT, 'docs/ci.md'), 'utf8');
  const job = [...docs.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].find(([, text]) =>
    text?.startsWith('update:'),
  )?.[1];
  await writeFile(path.join(source, '.gitlab-ci.yml'), job ?? '');
  const git = (cwd: string, ...args: string[]) =>
    runOk('git', ['-c', 'user.name=x', '-c', 'user.email=x@x.invalid', ...args], { cwd });
  await git(source, 'init', '--quiet', '--initial-branch', 'main');
  await git(source, 'add', '.');
  await git(source, 'commit', '--quiet', '-m', 'models');
  await git(folder, 'clone', '--quiet', '--bare', source, remote);
  await git(remote, 'config', 'receive.advertisePushOptions', 'true');
  const hook = path.join(remote, 'hooks/pre-receive');
  await writeFile(hook, `#!/bin/sh\nenv | grep '^GIT_PUSH_OPTION_[0-9]' >> ${folder}/options\nexit 0\n`);
  await chmod(hook, 0o755);

  let count = 0;
  const schedule = async (): Promise<string> => {
    const clone = path.join(folder, `clone-${++count}`);
    await git(folder, 'clone', '--quiet', remote, clone);
    const address = 'https://update:glpat-0123@gitlab.example/acme/models.git';
    const variables = {
      CI_PIPELINE_SOURCE: 'schedule',
      CI_DEFAULT_BRANCH: 'main',
      CI_SERVER_HOST: 'gitlab.example',
      CI_PROJECT_PATH: 'acme/models',
      UPDATE_TOKEN: 'glpat-0123',
      ...env,
      // GitLab's server is a folder here.
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: `url.${remote}.insteadOf`,
      GIT_CONFIG_VALUE_0: address,
    };
    const flags = Object.entries(variables).flatMap(([name, value]) => ['--variable', `${name}=${value}`]);
    const known = Object.keys(variables).filter(name => name.startsWith('CI_'));
    const args = [
      GITLAB,
      'update',
      '--force-shell-executor',
      '--ignore-predefined-vars',
      known.join(','),
      ...flags,
    ];
    const result = await run(NODE, args, {
      cwd: clone,
      env: { PATH: `${path.join(ROOT, 'bin')}:${process.env.PATH}` },
    });
    assert.equal(result.status, 0, result.stdout + result.stderr);
    return result.stdout;
  };
  const branches = async (): Promise<string[]> =>
    (await git(remote, 'for-each-ref', '--format=%(refname:short)', 'refs/heads')).trim().split('\n');

  await schedule();
  assert.deepEqual(await branches(), ['main']);
  const moved = await world.hub.updateFile('acme/one', 'config.json', '{"model_type":"qwen2"}');
  await schedule();
  assert.deepEqual(await branches(), ['main', 'weighbridge/update-all']);
  const message = await git(remote, 'show', '--no-patch', '--format=%B', 'weighbridge/update-all');
  assert.match(message, /^Update models\n\n## Update of 1 of 1 models\n/);
  assert.match(await git(remote, 'show', 'weighbridge/update-all:weighbridge.lock'), new RegExp(moved));
  assert.deepEqual((await readFile(path.join(folder, 'options'), 'utf8')).trim().split('\n').sort(), [
    'GIT_PUSH_OPTION_0=merge_request.create',
    'GIT_PUSH_OPTION_1=merge_request.remove_source_branch',
    'GIT_PUSH_OPTION_2=merge_request.target=main',
  ]);
  const again = await world.hub.updateFile('acme/one', 'config.json', '{"model_type":"qwen3"}');
  await schedule();
  assert.match(await git(remote, 'show', 'weighbridge/update-all:weighbridge.lock'), new RegExp(again));

  // Merged in another way: the branch goes, and GitLab closes its merge request.
  await git(remote, 'update-ref', 'refs/heads/main', 'refs/heads/weighbridge/update-all');
  await schedule();
  assert.deepEqual(await branches(), ['main']);
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
    const worker = [
      '--worker-image',
      'registry.example/weighbridge:1',
      '--worker-command',
      'npx --yes weighbridge@test',
    ];
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
