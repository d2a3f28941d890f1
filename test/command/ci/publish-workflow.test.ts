import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { weighbridge } from '../../support/command.ts';
import { IS_LONG } from '../../support/long.ts';
import { requireTool, temporaryFolder } from '../../support/tools.ts';
import { MODEL_FILES, World } from '../../support/world.ts';
import { commit, makeWorld } from './runner/repository.ts';
import type { JobRun } from './runner/types.ts';
import { runWorkflow } from './runner/workflow.ts';

// The reusable workflow, called with other inputs than `init` writes, without the scans and the real registries of
// workflow.test.ts.

const skip = IS_LONG ? requireTool('git') : 'only with WEIGHBRIDGE_LONG=1';
const CALLER = '.github/workflows/caller.yml';

const callerOf = (inputs: string): string => `on: push
jobs:
  models:
    permissions: { contents: read, packages: write, security-events: write, actions: read, id-token: write }
    uses: weighbridge/project/.github/workflows/publish.yml@0123456789012345678901234567890123456789
    with: { ${inputs} }
    secrets:
      DOCKERHUB_USERNAME: \${{ secrets.DOCKERHUB_USERNAME }}
      DOCKERHUB_TOKEN: \${{ secrets.DOCKERHUB_TOKEN }}
`;

const SCHEDULE = `only-outdated: true, scan: false, runs-on: '["self-hosted", "x64"]'`;

test('a schedule publishes what is outdated, though the account is a secret and part of the names', {
  skip,
}, async t => {
  await using servers = await World.start();
  const folder = await temporaryFolder(t);
  await servers.hub.addModel({ id: 'acme/one', files: MODEL_FILES });
  const world = {
    ...(await makeWorld({
      folder,
      files: { [CALLER]: callerOf(SCHEDULE), 'models.yaml': servers.config('acme/one') },
      env: { HF_ENDPOINT: servers.hub.url },
    })),
    secrets: { DOCKERHUB_USERNAME: 'acme', DOCKERHUB_TOKEN: 'dckr_pat_0123' },
    event: { name: 'schedule', payload: {} },
  };
  let count = 0;
  const run = async (): Promise<readonly JobRun[]> => {
    const own = path.join(folder, `run-${++count}`);
    await mkdir(own);
    const jobs = await runWorkflow(CALLER, { ...world, folder: own });
    for (const { name, steps } of jobs)
      for (const step of steps)
        if (step.outcome === 'failure') process.stderr.write(`${name}: ${step.name}\n${step.log}\n`);
    return jobs;
  };
  const first = await run();
  assert.deepEqual(
    first.map(({ id, result }) => [id, result]),
    [
      ['plan', 'skipped'],
      ['outdated', 'success'],
      ['prepare', 'success'],
      ['bases', 'skipped'],
      ['build', 'success'],
      ['summary', 'success'],
    ],
  );
  const { outputs, runsOn } = first[2] as JobRun;
  assert.deepEqual(
    JSON.parse(outputs.matrix ?? '').include.map(({ id }: { id: string }) => id),
    ['acme/one'],
  );
  assert.deepEqual(runsOn, ['self-hosted', 'x64']);
  assert.ok(!JSON.stringify(first).includes('dckr_pat_0123'));
  const second = await run();
  assert.equal(second[2]?.outputs.matrix, '{"include":[]}');
  assert.equal(second[4]?.result, 'skipped');
});

test('a pull request that moves the lock alone shows what that changes', { skip }, async t => {
  await using servers = await World.start();
  const folder = await temporaryFolder(t);
  await servers.hub.addModel({ id: 'acme/one', files: MODEL_FILES });
  const env = { HF_ENDPOINT: servers.hub.url };
  const world = await makeWorld({
    folder,
    files: { [CALLER]: callerOf('plan-only: true'), 'models.yaml': servers.config('acme/one') },
    env,
  });
  const command = async (...args: string[]): Promise<void> => {
    const { status, stderr } = await weighbridge(args, { cwd: world.repository, env });
    assert.equal(status, 0, stderr);
  };
  const run = async (name: string): Promise<string> => {
    const own = path.join(folder, name);
    await mkdir(own);
    const [plan] = await runWorkflow(CALLER, { ...world, folder: own });
    assert.equal(plan?.result, 'success', JSON.stringify(plan));
    return plan.summary;
  };
  await command('plan', '--lock');
  await commit(world.repository, {});
  await servers.hub.updateFile('acme/one', 'config.json', '{"model_type":"qwen2"}');
  await command('update');
  await commit(world.repository, {});
  assert.match(await run('moved'), /## 1 model would be published\n[\s\S]*\| revision/);
  await commit(world.repository, { 'notes.txt': 'nothing of it\n' });
  assert.match(await run('same'), /## Nothing changes for the 1 model/);
});
