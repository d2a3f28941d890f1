import assert from 'node:assert/strict';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { ROOT, weighbridge } from '../../support/command.ts';
import { goTool, requireGoTool } from '../../support/go-tools.ts';
import { requireTool, run, temporaryFolder } from '../../support/tools.ts';
import type { WorkflowYaml } from './runner/types.ts';

// actionlint checks the shell of the steps with shellcheck where that is on the PATH.
const skip = requireGoTool('actionlint') || requireTool('shellcheck');
const WORKFLOWS = ['build-publish.yml', 'publish.yml'];

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
      if (id !== 'build' && job.uses === undefined) assert.deepEqual(writes, [], `${name} ${id}`);
      // An identity is for the job that signs, and for the catalog's Pages.
      const mayIdentify = ['models', 'build', 'catalog'].includes(id);
      assert.ok(mayIdentify || !writes.includes('id-token'), `${name} ${id}`);
    }
    for (const [, uses = ''] of text.matchAll(/uses: (\S+)/g)) {
      assert.match(uses, /^\.\/|@[0-9a-f]{40}$/, `${name}: ${uses}`);
    }
  }
});

test('no value that somebody else chooses stands in a line of shell', async () => {
  for (const name of WORKFLOWS) {
    const { jobs } = parse(
      await readFile(path.join(ROOT, '.github/workflows', name), 'utf8'),
    ) as WorkflowYaml;
    for (const [id, { steps = [] }] of Object.entries(jobs)) {
      for (const { run: script = '' } of steps) assert.doesNotMatch(script, /\$\{\{/, `${name} ${id}`);
    }
  }
  const action = parse(await readFile(path.join(ROOT, 'action.yml'), 'utf8'));
  for (const { run: script = '' } of action.runs.steps) assert.doesNotMatch(script, /\$\{\{/);
});
