import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { weighbridge } from '../../support/command.ts';
import { IS_LONG } from '../../support/long.ts';
import { requireTool, runOk, temporaryFolder } from '../../support/tools.ts';
import { MODEL_FILES, World as Servers } from '../../support/world.ts';
import { type GitHubApi, startGitHubApi } from './runner/github-api.ts';
import { commit, makeWorld } from './runner/repository.ts';
import type { JobRun, World } from './runner/types.ts';
import { runWorkflow } from './runner/workflow.ts';

// The workflows that write to pull requests, as `init` writes them, carried out against a double of GitHub's API whose tokens
// have the permissions of their jobs. In the long form: they spawn many commands.

const skip = requireTool('git');
const isShort = IS_LONG ? skip : 'only with WEIGHBRIDGE_LONG=1';
const COMMENT = '.github/workflows/comment-plan.yml';
const UPDATE = '.github/workflows/update-models.yml';
const NAMES = ['one', 'two', 'three'];

interface Stage {
  readonly servers: Servers;
  readonly api: GitHubApi;
  readonly world: World;
  readonly folder: string;
  run(file: string, event?: World['event']): Promise<readonly JobRun[]>;
}

async function stage(t: TestContext): Promise<Stage> {
  const folder = await temporaryFolder(t);
  const servers = await Servers.start();
  t.after(() => servers[Symbol.asyncDispose]());
  for (const name of NAMES) await servers.hub.addModel({ id: `acme/${name}`, files: MODEL_FILES });
  const started = path.join(folder, 'started');
  assert.equal((await weighbridge(['init', started, '--ghcr', 'octo'])).status, 0);
  const [head] = servers.config('acme/x').split('models:');
  const models = NAMES.map(name => `  - { id: acme/${name}, short: ${name} }\n`).join('');
  const config = path.join(started, 'models.yaml');
  await writeFile(config, `${head}models:\n${models}`);
  const env = { HF_ENDPOINT: servers.hub.url };
  const locked = await weighbridge(['plan', '--lock', '-c', config], { env });
  assert.equal(locked.status, 0, locked.stderr);
  const files: Record<string, string> = {};
  for (const name of ['models.yaml', 'weighbridge.lock', COMMENT, UPDATE])
    files[name] = await readFile(path.join(started, name), 'utf8');
  const made = await makeWorld({ folder, files, env });
  const api = await startGitHubApi(made.repository, made.name);
  t.after(() => api[Symbol.asyncDispose]());
  const world = { ...made, api };
  let count = 0;
  return {
    servers,
    api,
    world,
    folder,
    async run(file, event = { name: 'schedule', payload: {} }) {
      const own = path.join(folder, `run-${++count}`);
      await mkdir(own);
      const otherRuns = { '7': path.join(folder, 'run-of-the-pull-request') };
      const jobs = await runWorkflow(file, { ...world, event, folder: own, otherRuns });
      for (const { name, steps } of jobs)
        for (const step of steps)
          if (step.outcome === 'failure') process.stderr.write(`${name}: ${step.name}\n${step.log}\n`);
      return jobs;
    },
  };
}

test('each model that moved gets a pull request, which is kept up to date and closed when it is not needed any more', {
  skip: isShort,
}, async t => {
  const { servers, api, world, run } = await stage(t);
  const first = await run(UPDATE);
  assert.deepEqual(resultsOf(first), ['success', 'success']);
  assert.deepEqual(api.writes, []);

  const moved = await servers.hub.updateFile('acme/one', 'config.json', '{"model_type":"qwen2"}');
  await servers.hub.updateFile('acme/two', 'config.json', '{"model_type":"qwen3"}');
  await run(UPDATE);
  assert.deepEqual(openOf(api), ['Update one to …', 'Update two to …']);
  const [pull] = api.pulls;
  assert.equal(pull?.head.ref, 'weighbridge/update-models/one');
  assert.match(pull?.body ?? '', new RegExp(`huggingface.co/acme/one/commit/${moved}`));
  assert.deepEqual(await changedFiles(world, pull?.head.ref ?? ''), ['weighbridge.lock']);
  assert.match(await show(world, `${pull?.head.ref}:weighbridge.lock`), new RegExp(`revision: ${moved}`));

  // Nothing has happened since: nothing is written.
  api.writes.length = 0;
  await run(UPDATE);
  assert.deepEqual(api.writes, []);

  // One moves again, and two is merged in another way.
  const again = await servers.hub.updateFile('acme/one', 'config.json', '{"model_type":"qwen3"}');
  const lock = await show(world, `${api.pulls[1]?.head.ref}:weighbridge.lock`);
  await commit(world.repository, { 'weighbridge.lock': lock });
  await run(UPDATE);
  assert.deepEqual(openOf(api), ['Update one to …']);
  assert.equal(api.pulls[0]?.title, `Update one to ${again.slice(0, 8)}`);
  assert.match(await show(world, `${pull?.head.ref}:weighbridge.lock`), new RegExp(`revision: ${again}`));
  assert.equal(
    await show(world, `${pull?.head.ref}:weighbridge.lock`).then(text => text.includes(moved)),
    false,
  );
  assert.match(api.comments.at(-1)?.body ?? '', /no longer needed/);
  assert.doesNotMatch(await runOk('git', ['-C', world.repository, 'branch', '--list']), /update-models\/two/);

  // Who closes a pull request has declined it; a newer commit is another one.
  const declined = api.pulls.find(one => one.state === 'open');
  if (declined) declined.state = 'closed';
  await run(UPDATE);
  assert.deepEqual(openOf(api), []);
  await servers.hub.updateFile('acme/one', 'config.json', '{"model_type":"mistral"}');
  await run(UPDATE);
  assert.deepEqual(openOf(api), ['Update one to …']);
});

test('a branch that somebody has committed to stays as it is, and models that cannot be resolved keep their pull request', {
  skip: isShort,
}, async t => {
  const { servers, api, world, run } = await stage(t);
  await servers.hub.updateFile('acme/one', 'config.json', '{"model_type":"qwen2"}');
  await run(UPDATE);
  const branch = api.pulls[0]?.head.ref ?? '';
  const tree = (await runOk('git', ['-C', world.repository, 'rev-parse', `${branch}^{tree}`])).trim();
  const own = await runOk('git', [
    '-C',
    world.repository,
    '-c',
    'user.name=x',
    '-c',
    'user.email=x@x.invalid',
    'commit-tree',
    tree,
    '-p',
    branch,
    '-m',
    'ours',
  ]);
  await runOk('git', ['-C', world.repository, 'update-ref', `refs/heads/${branch}`, own.trim()]);
  await servers.hub.updateFile('acme/one', 'config.json', '{"model_type":"qwen3"}');
  const jobs = await run(UPDATE);
  assert.match(logOf(jobs, 'Propose'), /left as it is, because somebody else has committed/);
  assert.equal((await runOk('git', ['-C', world.repository, 'rev-parse', branch])).trim(), own.trim());

  servers.hub.rename('acme/one', 'acme/elsewhere');
  servers.hub.repository('acme/elsewhere').isDisabled = true;
  await run(UPDATE);
  assert.deepEqual(openOf(api), ['Update one to …']);
});

test('GitHub that lets no workflow open pull requests: the job says where that is set', {
  skip: isShort,
}, async t => {
  const { servers, api, run } = await stage(t);
  api.mayOpenPulls = false;
  await servers.hub.updateFile('acme/one', 'config.json', '{"model_type":"qwen2"}');
  const jobs = await run(UPDATE);
  assert.deepEqual(resultsOf(jobs), ['success', 'failure']);
  assert.match(logOf(jobs, 'Propose'), /Settings → Actions → General/);
});

test('what a pull request changes is its comment, of which there is one', { skip: isShort }, async t => {
  const { api, folder, run, world } = await stage(t);
  await plansOf(folder, { id: 'acme/one', short: 'one' });
  const event = pullRequestRun(api, world);
  const jobs = await run(COMMENT, event);
  assert.deepEqual(resultsOf(jobs), ['success', 'success']);
  assert.equal(api.comments.length, 1);
  assert.equal(api.comments[0]?.issue, 12);
  assert.match(api.comments[0]?.body ?? '', /## 1 model would be published/);
  await run(COMMENT, event);
  assert.equal(api.comments.length, 1);
  assert.deepEqual(api.writes, ['POST /issues/12/comments']);
  await plansOf(folder, { id: 'acme/other', short: 'other' });
  await run(COMMENT, event);
  assert.equal(api.comments.length, 1);
  assert.match(api.comments[0]?.body ?? '', /`other`/);

  // A newer commit of the pull request has a run of its own.
  const old = { ...event, payload: { workflow_run: { ...runOf(event), head_sha: 'f'.repeat(40) } } };
  api.writes.length = 0;
  assert.match(logOf(await run(COMMENT, old), 'Post it'), /nothing to comment on/);
  assert.deepEqual(api.writes, []);
});

test('an artifact of a stranger is data: it mentions, links and injects nothing, and chooses no pull request', {
  skip: isShort,
}, async t => {
  const { api, folder, run, world } = await stage(t);
  const event = pullRequestRun(api, world);
  const evil =
    '@everyone ![x](https://evil.example/x.png) <img src=x> [click](https://evil.example) \n\n# Approved\n| x |';
  await plansOf(folder, {
    id: evil,
    short: evil,
    license: evil,
    decisions: { slim: { build: true, reason: evil } },
    images: [{ registry: evil, variant: 'slim', tags: [evil] }],
    files: [{ path: evil, size: 1 }],
    number: 1,
  });
  await run(COMMENT, event);
  const body = api.comments[0]?.body ?? '';
  assert.equal(api.comments[0]?.issue, 12);
  // Outside of code nothing of it is active: every sign that Markdown or HTML knows is escaped.
  const active = body.replace(/(`+)[\s\S]*?\1/g, '');
  assert.doesNotMatch(active, /(?<!\\)<img|(?<!\\)!\[|(?<!\\)\[click|(?<!\/)@everyone|^# Approved/m);

  const image = { registry: 'ghcr', variant: evil, tags: [] };
  const odd = [{ id: 5 }, { id: 'acme/one', short: 'one', images: [image], files: [] }];
  const plans = odd.map(model => JSON.stringify({ schemaVersion: 1, models: [model] }));
  for (const text of ['not JSON', '{}', '[]', ...plans]) {
    api.comments.length = 0;
    await writeFile(path.join(plansFolder(folder), 'plan.json'), text);
    const jobs = await run(COMMENT, event);
    assert.deepEqual(resultsOf(jobs), ['failure', 'skipped'], text);
    assert.deepEqual(api.comments, []);
  }
});

test('a run without plans, such as one that was cancelled, posts nothing', { skip: isShort }, async t => {
  const { api, folder, run, world } = await stage(t);
  await mkdir(path.join(folder, 'run-of-the-pull-request'));
  assert.deepEqual(resultsOf(await run(COMMENT, pullRequestRun(api, world))), ['success', 'skipped']);
  assert.deepEqual(api.writes, []);
});

function plansFolder(folder: string): string {
  return path.join(folder, 'run-of-the-pull-request/artifacts/weighbridge-plan-change');
}

async function plansOf(folder: string, model: object): Promise<void> {
  await mkdir(plansFolder(folder), { recursive: true });
  const whole = { license: 'MIT', decisions: {}, images: [], files: [], revision: null, ...model };
  await writeFile(
    path.join(plansFolder(folder), 'plan.json'),
    JSON.stringify({ schemaVersion: 1, models: [whole] }),
  );
}

/** A pull request from a fork, and the event of its run's end. */
function pullRequestRun(api: GitHubApi, { name }: World): World['event'] {
  const sha = 'e'.repeat(40);
  const fork = { full_name: 'stranger/models' };
  api.pulls.push({
    number: 12,
    title: 'A model',
    body: '',
    state: 'open',
    merged_at: null,
    head: { ref: 'patch-1', sha, repo: fork },
    base: { ref: 'main', repo: { full_name: name } },
  });
  const workflow_run = {
    id: 7,
    event: 'pull_request',
    head_sha: sha,
    head_branch: 'patch-1',
    head_repository: { ...fork, owner: { login: 'stranger' } },
    pull_requests: [],
  };
  return { name: 'workflow_run', payload: { workflow_run } };
}

function runOf(event: World['event']): object {
  return event.payload.workflow_run as object;
}

function resultsOf(jobs: readonly JobRun[]): string[] {
  return jobs.map(({ result }) => result);
}

function openOf(api: GitHubApi): string[] {
  return api.pulls
    .filter(one => one.state === 'open')
    .map(({ title }) => title.replace(/[0-9a-f]{8}$/, '…'))
    .sort();
}

function logOf(jobs: readonly JobRun[], step: string): string {
  return jobs.flatMap(({ steps }) => steps).find(({ name }) => name.startsWith(step))?.log ?? '';
}

async function show(world: World, what: string): Promise<string> {
  return await runOk('git', ['-C', world.repository, 'show', what]);
}

async function changedFiles(world: World, branch: string): Promise<string[]> {
  return (await runOk('git', ['-C', world.repository, 'diff', '--name-only', 'main', branch]))
    .trim()
    .split('\n');
}
