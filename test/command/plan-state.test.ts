import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { PlanJson } from '../../src/report/json/plan-json.ts';
import { weighbridge } from '../support/command.ts';
import { IS_LONG } from '../support/long.ts';
import { temporaryFolder } from '../support/tools.ts';
import { BASE_REPOSITORY, MODEL_FILES, World } from '../support/world.ts';

async function planned(t: TestContext) {
  const world = await World.start({}, {});
  t.after(() => world[Symbol.asyncDispose]());
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'models.yaml');
  await writeFile(file, world.config('acme/x'));
  const env = { HF_ENDPOINT: world.hub.url, DOCKER_CONFIG: folder, COLUMNS: '110' };
  const plan = (...args: string[]) => weighbridge(['plan', '-c', file, ...args], { env });
  const publish = () => weighbridge(['publish', '-c', file], { env });
  return { world, plan, publish };
}

test('the table says what would move, and after a publish that nothing would', async t => {
  const { world, plan, publish } = await planned(t);
  const before = await plan();
  assert.equal(before.status, 0, before.stderr);
  assert.match(before.stdout, /^MODEL .* TO MOVE$/m);
  assert.match(before.stdout, /^x .* 1\.[0-9] MiB$/m);
  assert.match(before.stdout, /fat: up to 6\d\d KiB to move/);
  assert.equal((await publish()).status, 0);
  const after = await plan();
  assert.match(after.stdout, /^x .* nothing$/m);
  assert.equal(after.stdout.match(/unchanged, nothing to do/g)?.length, 4);
  await world.hub.updateFile('acme/x', 'model-00002-of-00003.safetensors', Buffer.alloc(200_000, 9));
  assert.match((await plan()).stdout, /fat: up to 2\d\d KiB to move, 4\d\d KiB already there/);
});

test('a registry that wants a login is named, the plan does not depend on it', async t => {
  const { world, plan } = await planned(t);
  world.registry(1).faults.add({ match: /hf-x/, kind: 'status', status: 401, times: 100 });
  const { status, stdout } = await plan();
  assert.equal(status, 0);
  assert.match(stdout, /^x .* unknown$/m);
  assert.match(stdout, /fat: could not be read: [\s\S]*?127\.0\.0\.1:\d+\s+wants\s+a\s+login/);
  assert.match(stdout, /fat: up to 6\d\d KiB to move/);
});

test('a model of more files than a manifest can name is told by the plan, and keeps its slim image', {
  skip: IS_LONG ? false : 'the long form has it (WEIGHBRIDGE_LONG=1)',
}, async t => {
  await using world = await World.start();
  const more = Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`extra/${i}.json`, '1']));
  await world.hub.addModel({ id: 'acme/x', files: { ...MODEL_FILES, ...more } });
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'models.yaml');
  await writeFile(file, world.config('acme/x'));
  const { status, stdout } = await weighbridge(['plan', '-c', file], { env: { HF_ENDPOINT: world.hub.url } });
  assert.equal(status, 0);
  assert.match(stdout, /fat: cannot be built: acme\/x: 300\d\d files make a manifest of 4\.6 MiB/);
  assert.match(stdout, /slim: up to .* to move/);
});

test('without the look no registry is asked anything; JSON reads base images, and targets when asked to', async t => {
  const { world, plan } = await planned(t);
  assert.equal((await plan('--no-registry-state')).status, 0);
  assert.equal((await plan('--json', '--no-registry-state')).status, 0);
  assert.equal((await plan('--format', 'github', '--registry-state')).status, 0);
  assert.deepEqual(
    world.registries.map(registry => registry.log.length),
    [0, 0],
  );
  const model = async (...args: string[]) =>
    (JSON.parse((await plan('--json', ...args)).stdout) as PlanJson).models[0];
  const bare = await model();
  assert.deepEqual(Object.keys(bare?.layers ?? {}).sort(), ['fat', 'slim']);
  assert.match(bare?.base?.digest ?? '', /^sha256:/);
  assert.ok(bare?.images.every(image => image.state === undefined));
  const asked = world.registries.flatMap(registry => registry.log).map(entry => entry.path);
  assert.ok(asked.length > 0);
  assert.deepEqual(
    asked.filter(where => !where.startsWith(`/v2/${BASE_REPOSITORY}/`)),
    [],
  );
  assert.deepEqual(
    (await model('--registry-state'))?.images.map(image => image.state?.status),
    ['changed', 'changed', 'changed', 'changed'],
  );
});
