import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { MediaType } from '../../src/oci/types.ts';
import type { LsJson } from '../../src/report/json/ls-json.ts';
import type { PruneJson } from '../../src/report/json/prune-json.ts';
import { startWeighbridge, weighbridge } from '../support/command.ts';
import { IS_LONG } from '../support/long.ts';
import { assertWhole, PRUNED, publishVersions, snapshotOf } from '../support/many-versions.ts';
import { temporaryFolder } from '../support/tools.ts';
import { until } from '../support/until.ts';
import { MODEL_FILES, putBase, World } from '../support/world.ts';

const isShort = IS_LONG ? false : 'only with WEIGHBRIDGE_LONG=1';

/** A model published on four vLLM versions, the last of which is the file's. */
async function publishedOften(t: TestContext, world: World) {
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'models.yaml');
  const env = { HF_ENDPOINT: world.hub.url };
  const run = (...args: string[]) => weighbridge([...args, '-c', file], { env });
  for (const version of ['v0.6.0', 'v0.7.0', 'v0.8.0', 'v0.9.0']) {
    putBase(world.registry(0), version, version);
    const yaml = world.config('acme/x').replace('v0.6.0', version);
    await writeFile(file, yaml);
    await world.publish(yaml);
  }
  return { file, run };
}

test('prune lists, and with --yes deletes, what neither the file nor the retention keeps', async t => {
  await using world = await World.start();
  const { run } = await publishedOften(t, world);
  const repository = world.registry(0).repository('acme/hf-x');
  const before = new Set(repository.tags.keys());

  const listed = await run('prune', '--keep', '2', '--json');
  assert.equal(listed.status, 0, listed.stderr);
  const { repositories, isDryRun } = JSON.parse(listed.stdout) as PruneJson;
  assert.equal(isDryRun, true);
  const versions = repositories[0]?.removed.map(({ version, variant }) => `${version} ${variant}`);
  assert.deepEqual(versions, ['v0.6.0 slim', 'v0.7.0 slim', 'v0.6.0 fat', 'v0.7.0 fat']);
  assert.ok(repositories[0]?.removed.every(({ freedBytes }) => freedBytes > 0));
  assert.deepEqual(new Set(repository.tags.keys()), before);

  const done = await run('prune', '--keep', '2', '--yes');
  assert.equal(done.status, 0, done.stderr);
  assert.match(done.stdout, /4 images of 1 repository deleted/);
  const left = [...repository.tags.keys()];
  assert.ok(left.includes('v0.9.0-fat') && left.includes('v0.8.0-slim'));
  assert.ok(!left.some(tag => /v0\.[67]\.0/.test(tag)));
  // What is left is whole: publishing the same again changes nothing.
  const again = await world.publish(world.config('acme/x').replace('v0.6.0', 'v0.9.0'));
  assert.deepEqual(
    again.map(({ status }) => status),
    ['unchanged', 'unchanged'],
  );

  const ls = JSON.parse((await run('ls', '--json')).stdout) as LsJson;
  assert.deepEqual(ls.models[0]?.images.map(({ version, variant }) => `${version} ${variant}`).sort(), [
    'v0.8.0 fat',
    'v0.8.0 slim',
    'v0.9.0 fat',
    'v0.9.0 slim',
  ]);
  assert.match((await run('ls')).stdout, /^MODEL +VARIANT +VERSION/);
});

test('repositories are listed in the order of the file, one that cannot be judged in its place', async t => {
  await using world = await World.start();
  for (const id of ['acme/x', 'acme/z']) await world.hub.addModel({ id, files: MODEL_FILES });
  const file = path.join(await temporaryFolder(t), 'models.yaml');
  const others = ['gone', 'z'].map(short => `  - { id: acme/${short}, short: ${short} }\n`);
  await writeFile(file, `${world.config('acme/x').trimEnd()}\n${others.join('')}`);
  const { status, stdout } = await weighbridge(['prune', '--json', '-c', file], {
    env: { HF_ENDPOINT: world.hub.url },
  });
  assert.equal(status, 1);
  const { repositories } = JSON.parse(stdout) as PruneJson;
  assert.deepEqual(
    repositories.map(({ short, error }) => [short, error?.code]),
    [
      ['x', undefined],
      ['gone', 'HUB_NOT_FOUND'],
      ['z', undefined],
    ],
  );
});

test('one manifest that cannot be read, and nothing of that repository is deleted', async t => {
  await using world = await World.start();
  const { run } = await publishedOften(t, world);
  const repository = world.registry(0).repository('acme/hf-x');
  const count = repository.manifests.size;
  world.registry(0).faults.add({
    match: /GET registry \/v2\/acme\/hf-x\/manifests\/sha256/,
    kind: 'status',
    status: 400,
    skip: 3,
    times: Number.POSITIVE_INFINITY,
  });
  const { status, stdout } = await run('prune', '--keep', '1', '--yes');
  assert.equal(status, 1, stdout);
  assert.doesNotMatch(stdout, /Nothing to delete/);
  assert.match(stdout, /Not looked through: .*hf-x\./);
  assert.equal(repository.manifests.size, count);
});

test('a registry that does not delete is said, and what to set there', async t => {
  await using world = await World.start();
  const { run } = await publishedOften(t, world);
  world.registry(0).quirks.deleteManifests = false;
  const { status, stdout } = await run('prune', '--keep', '1', '--yes');
  assert.equal(status, 1);
  assert.match(stdout, /405/);
  assert.match(stdout, /storage\.delete\.enabled/);
});

test('images of a model that left the file go with --removed alone, and foreign ones never', {
  skip: isShort,
}, async t => {
  await using world = await World.start();
  const { run, file } = await publishedOften(t, world);
  const { tags } = world.registry(0).repository('acme/hf-x');
  await world.hub.addModel({ id: 'acme/y', files: MODEL_FILES });
  await writeFile(file, world.config('acme/y').replace('short: x', 'short: y'));
  assert.match((await run('prune', '--yes')).stdout, /Nothing to delete/);
  const foreign = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] }),
  );
  world.registry(0).putImage('acme/hf-x', 'foreign', {
    blobs: [],
    manifests: [{ mediaType: MediaType.ociIndex, bytes: foreign }],
  });
  assert.equal((await run('prune', '--yes', '--removed', 'x')).status, 0);
  assert.deepEqual([...tags.keys()], ['foreign']);
  assert.equal((await run('prune', '--removed', 'y')).status, 2);
});

test('a retention of nothing is refused with its place', async t => {
  await using world = await World.start();
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'models.yaml');
  await writeFile(file, `retention: { keep: 0, younger_than: 3 weeks }\n${world.config('acme/x')}`);
  const { status, stderr } = await weighbridge(['prune', '-c', file]);
  assert.equal(status, 2);
  assert.match(stderr, /models\.yaml:1:20: .*at least 1/);
  assert.match(stderr, /such as 30d/);
});

test('a prune that is killed at any of 20 moments leaves every image whole, and the next one ends it', {
  skip: isShort,
}, async t => {
  await using world = await World.start();
  await publishVersions(world);
  const registry = world.registry(0);
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'models.yaml');
  const yaml = world.config('acme/x', '    variants: [slim]\n    arch: [linux/amd64, linux/arm64]\n');
  await writeFile(file, yaml.replace('v0.6.0', 'v0.9.0'));
  const args = ['prune', '--yes', '--keep', '2', '-c', file];
  const env = { HF_ENDPOINT: world.hub.url };
  const restore = snapshotOf(registry.repository(PRUNED));
  const deletes = () => registry.log.filter(({ method }) => method === 'DELETE').length;
  const kept = (tags: Iterable<string>) => [...tags].filter(tag => /^v0\.[89]/.test(tag)).sort();
  const tagsBefore = kept(registry.repository(PRUNED).tags.keys());

  assert.equal((await weighbridge(args, { env })).status, 0);
  const all = deletes();
  const stays = assertWhole(registry, PRUNED);
  let killed = 0;
  for (let moment = 0; moment < 20; moment++) {
    restore();
    const before = deletes();
    const at = Math.floor((moment * all) / 20);
    // The request at which the signal comes is held, so that it is in the middle of it.
    const child = startWeighbridge(args, { env });
    const closed = new Promise<void>(resolve => child.once('close', () => resolve()));
    const fault = registry.faults.add({ match: /^DELETE /, kind: 'hold', skip: at, until: closed });
    await Promise.race([closed, until(() => deletes() - before > at)]);
    child.kill('SIGKILL');
    await closed;
    fault.remove();
    if (deletes() - before === at + 1) killed += 1;
    const whole = assertWhole(registry, PRUNED);
    for (const digest of stays) assert.ok(whole.has(digest), `killed at ${at}: ${digest} is lost`);
    assert.deepEqual(kept(registry.repository(PRUNED).tags.keys()), tagsBefore);
  }
  assert.equal(killed, 20);
  assert.equal((await weighbridge(args, { env })).status, 0);
  assert.deepEqual(assertWhole(registry, PRUNED), stays);
});
