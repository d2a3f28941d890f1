import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { ROOT, weighbridge } from '../../support/command.ts';
import { goTool, requireGoTool, TEST_TOOLS } from '../../support/go-tools.ts';
import { IS_LONG } from '../../support/long.ts';
import { requireTool, run, skipFor, temporaryFolder } from '../../support/tools.ts';
import { evaluateValue } from './runner/expressions.ts';
import type { JobYaml, WorkflowYaml } from './runner/types.ts';

// actionlint checks the shell of the steps with shellcheck where that is on the PATH.
const skip = requireGoTool('actionlint') || requireTool('shellcheck');
const WORKFLOWS = (await readdir(path.join(ROOT, '.github/workflows'))).filter(name => name.endsWith('.yml'));
const ZIZMOR = path.join(TEST_TOOLS, 'zizmor/bin/zizmor');
const skipZizmor = !IS_LONG
  ? 'only with WEIGHBRIDGE_LONG=1'
  : existsSync(ZIZMOR)
    ? false
    : skipFor('zizmor not installed (scripts/install-zizmor.sh does that)');

/** Jobs that may write, and what. */
const MAY_WRITE: Readonly<Record<string, readonly string[]>> = {
  'publish.yml build': ['packages', 'security-events', 'id-token'],
  'catalog.yml catalog': ['pages', 'id-token'],
  'comment.yml post': ['pull-requests'],
  'update.yml propose': ['contents', 'pull-requests'],
  'release.yml image': ['packages', 'id-token'],
  'release.yml package': ['id-token', 'attestations'],
  'release.yml npm': ['id-token'],
  'release.yml release': ['contents'],
  'refresh-vllm.yml propose': ['contents', 'pull-requests'],
};

test('actionlint finds nothing in the workflows of this project', { skip }, async () => {
  const { status, stdout } = await run(goTool('actionlint'), [], { cwd: ROOT });
  assert.equal(status, 0, stdout);
});

test('actionlint finds nothing in the workflow that init writes', { skip }, async t => {
  const folder = await temporaryFolder(t);
  assert.equal((await weighbridge(['init', folder, '--dockerhub', 'acme'])).status, 0);
  await mkdir(path.join(folder, '.git'));
  const { status, stdout } = await run(goTool('actionlint'), [], { cwd: folder });
  assert.equal(status, 0, stdout);
});

test('actionlint is there to find something', { skip }, async t => {
  const folder = await temporaryFolder(t);
  await cp(path.join(ROOT, '.github'), path.join(folder, '.github'), { recursive: true });
  await mkdir(path.join(folder, '.git'));
  const file = path.join(folder, '.github/workflows/publish.yml');
  await writeFile(file, (await readFile(file, 'utf8')).replace('inputs.plan-only', 'inputs.plan-olny'));
  const { status, stdout } = await run(goTool('actionlint'), [], { cwd: folder });
  assert.equal(status, 1);
  assert.match(stdout, /plan-olny/);
});

test('zizmor finds nothing in the workflows and the action of this project that has no reason next to it', {
  skip: skipZizmor,
}, async () => {
  await zizmorClean(ROOT);
});

test('zizmor finds nothing in what init writes', { skip: skipZizmor }, async t => {
  const folder = await temporaryFolder(t);
  assert.equal((await weighbridge(['init', folder, '--dockerhub', 'acme'])).status, 0);
  await zizmorClean(folder);
});

test('zizmor is there to find something', { skip: skipZizmor }, async t => {
  const folder = await temporaryFolder(t);
  await mkdir(path.join(folder, '.github/workflows'), { recursive: true });
  const text = `on: pull_request_target\njobs: { x: { runs-on: a, steps: [{ run: "echo ${'$'}{{ github.head_ref }}" }] } }\n`;
  await writeFile(path.join(folder, '.github/workflows/x.yml'), text);
  await assert.rejects(zizmorClean(folder), /dangerous-triggers[\s\S]*template-injection/);
});

test('findings that stay are ignored in one place each, with a reason', async () => {
  for (const file of ['action.yml', ...WORKFLOWS.map(name => `.github/workflows/${name}`)]) {
    const text = await readFile(path.join(ROOT, file), 'utf8');
    for (const [, reason] of text.matchAll(/zizmor: ignore\[[\w-]+\](.*)/g))
      assert.match(reason ?? '', /\w{3,} \w/, file);
  }
});

test('each job ends at some time, and what a caller gives the called workflow is what that asks for', async () => {
  for (const name of WORKFLOWS) {
    for (const [id, job] of Object.entries((await workflow(name)).jobs)) {
      if (job.uses === undefined) assert.ok(job['timeout-minutes'] !== undefined, `${name} ${id}`);
      else if (job.uses.startsWith('./')) {
        const called = await workflow(path.basename(job.uses));
        assert.deepEqual(job.permissions, unionOf(Object.values(called.jobs)), `${name} ${id}`);
      }
    }
  }
});

test('the runner of a reusable workflow is a label, or a list of labels in JSON', async () => {
  for (const name of ['publish.yml', 'catalog.yml', 'comment.yml', 'update.yml']) {
    for (const [id, job] of Object.entries((await workflow(name)).jobs)) {
      const on = (input: string): unknown => evaluateValue(job['runs-on'], { inputs: { 'runs-on': input } });
      assert.equal(on('ubuntu-latest'), 'ubuntu-latest', `${name} ${id}`);
      assert.deepEqual(on('["self-hosted", "x64"]'), ['self-hosted', 'x64'], `${name} ${id}`);
    }
  }
});

test('each job has the least of permissions, and each foreign action is pinned by commit', async () => {
  for (const name of WORKFLOWS) {
    const text = await readFile(path.join(ROOT, '.github/workflows', name), 'utf8');
    const { jobs, permissions } = parse(text) as WorkflowYaml & { permissions: object };
    assert.deepEqual(permissions, {}, name);
    for (const [id, job] of Object.entries(jobs)) {
      assert.ok(job.permissions !== undefined, `${name} ${id}`);
      const writes = Object.entries(job.permissions).flatMap(([scope, access]) =>
        access === 'write' ? [scope] : [],
      );
      // A caller is held to what the called workflow asks for, by another test.
      if (job.uses === undefined) assert.deepEqual(writes, MAY_WRITE[`${name} ${id}`] ?? [], `${name} ${id}`);
    }
    for (const [, uses = ''] of text.matchAll(/^ +(?:- )?uses: (\S+)/gm)) {
      assert.match(uses, /^\.\/|@[0-9a-f]{40}$/, `${name}: ${uses}`);
    }
  }
});

test('no value that somebody else chooses stands in a line of shell', async () => {
  for (const name of WORKFLOWS) {
    const { jobs } = await workflow(name);
    for (const [id, { steps = [] }] of Object.entries(jobs)) {
      for (const { run: script = '' } of steps) assert.doesNotMatch(script, /\$\{\{/, `${name} ${id}`);
    }
  }
  const action = parse(await readFile(path.join(ROOT, 'action.yml'), 'utf8'));
  for (const { run: script = '' } of action.runs.steps) assert.doesNotMatch(script, /\$\{\{/);
});

async function workflow(name: string): Promise<WorkflowYaml> {
  return parse(await readFile(path.join(ROOT, '.github/workflows', name), 'utf8')) as WorkflowYaml;
}

function unionOf(jobs: readonly JobYaml[]): Record<string, string> {
  const all: Record<string, string> = {};
  for (const { permissions = {} } of jobs)
    for (const [scope, access] of Object.entries(permissions))
      if (all[scope] !== 'write') all[scope] = access;
  return all;
}

async function zizmorClean(folder: string): Promise<void> {
  const args = ['--offline', '--persona', 'pedantic', '--no-progress', '--color', 'never', '.'];
  const { status, stdout, stderr } = await run(ZIZMOR, args, { cwd: folder });
  assert.equal(status, 0, stdout + stderr);
}
