import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { weighbridge } from '../support/command.ts';
import { onlyLong } from '../support/long.ts';
import { temporaryFolder } from '../support/tools.ts';
import { MODEL_FILES, putBase, World } from '../support/world.ts';

test('outdated names what a publish would change, and why, until it is published', {
  skip: onlyLong,
}, async t => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  await world.hub.addModel({ id: 'acme/y', files: MODEL_FILES });
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'models.yaml');
  await writeFile(file, `${world.config('acme/x')}  - { id: acme/y, short: y }\n`);
  const env = { HF_ENDPOINT: world.hub.url };
  const run = async (...args: string[]) => {
    const result = await weighbridge([...args, '-c', file], { env });
    assert.equal(result.status, 0, result.stderr);
    return result.stdout;
  };
  const matrix = async () =>
    JSON.parse(await run('outdated', '--format', 'github')).include.map(
      (job: { models: string }) => job.models,
    );

  assert.match(
    await run('outdated'),
    /^x\n {2}r0 slim: not published yet\n {2}r0 fat: not published yet\ny\n/,
  );
  await run('publish');
  assert.equal(await run('outdated'), 'Everything is up to date.\n');
  assert.deepEqual(await matrix(), []);

  await world.hub.updateFile('acme/y', 'config.json', '{"model_type":"qwen2"}');
  assert.match(await run('outdated'), /^y\n {2}r0 slim: revision changed: [0-9a-f]{12} → [0-9a-f]{12}\n/);
  assert.deepEqual(await matrix(), ['y']);
  assert.deepEqual(JSON.parse(await run('outdated', '--json')).models.length, 1);
  await run('publish', '--model', 'y');

  putBase(world.registry(0), 'v0.6.0', 'another base');
  assert.match(
    await run('outdated'),
    /x\n {2}r0 slim: base image changed: sha256:[0-9a-f]{12} → sha256:[0-9a-f]{12}/,
  );
  assert.deepEqual(await matrix(), ['x', 'y']);
  await run('publish', '--model', 'x,y');
  assert.deepEqual(await matrix(), []);
});

test('a registry that cannot be asked is told, and the status is 1', async t => {
  await using world = await World.start({}, {});
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'models.yaml');
  await writeFile(file, world.config('acme/x'));
  world.registry(1).faults.add({ match: /hf-x/, kind: 'status', status: 403, times: 1000 });
  const env = { HF_ENDPOINT: world.hub.url, DOCKER_CONFIG: folder };
  for (const args of [[], ['--json'], ['--format', 'github']]) {
    const { status, stdout } = await weighbridge(['outdated', '-c', file, ...args], { env });
    assert.equal(status, 1, stdout);
    assert.notEqual(stdout, '');
  }
});

test('shards are disjoint and together all models; a wrong one is an error', async t => {
  await using world = await World.start();
  for (const name of ['x', 'y', 'z']) await world.hub.addModel({ id: `acme/${name}`, files: MODEL_FILES });
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'models.yaml');
  const more = '  - { id: acme/y, short: y }\n  - { id: acme/z, short: z }\n';
  await writeFile(file, `${world.config('acme/x')}${more}`);
  const env = { HF_ENDPOINT: world.hub.url };
  const shorts = async (shard: string): Promise<string[]> => {
    const result = await weighbridge(['plan', '-c', file, '--json', '--shard', shard], { env });
    return JSON.parse(result.stdout).models.map((model: { short: string }) => model.short);
  };
  assert.deepEqual(await shorts('0/2'), ['x', 'z']);
  assert.deepEqual(await shorts('1/2'), ['y']);
  const wrong = await weighbridge(['plan', '-c', file, '--shard', '2/2'], { env });
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /With 2 shards the index is 0 to 1/);
});
