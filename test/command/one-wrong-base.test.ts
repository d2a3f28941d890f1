import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { OutdatedJson } from '../../src/report/json/outdated-json.ts';
import type { PlanJson } from '../../src/report/json/plan-json.ts';
import { weighbridge } from '../support/command.ts';
import { IS_LONG } from '../support/long.ts';
import { temporaryFolder } from '../support/tools.ts';
import { BASE_REPOSITORY, World } from '../support/world.ts';

const MODELS = IS_LONG ? 20 : 5;
const WRONG = 'm3';

/** Models for two registries, one of them on a base image that does not exist. */
async function start(t: TestContext) {
  const world = await World.start({}, {});
  t.after(() => world[Symbol.asyncDispose]());
  const names = Array.from({ length: MODELS }, (_, index) => `m${index}`);
  for (const name of names) {
    const card = '---\nlicense: apache-2.0\n---\n';
    await world.hub.addModel({
      id: `acme/${name}`,
      files: { 'README.md': card, 'config.json': `{"n":"${name}"}`, 'model.safetensors': name },
    });
  }
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'models.yaml');
  const wrong = `, base_image: "${world.registry(0).host}/${BASE_REPOSITORY}:v9"`;
  const models = names.map(
    name => `  - { id: acme/${name}, short: ${name}${name === WRONG ? wrong : ''} }\n`,
  );
  const head = world.config('acme/x').split('models:')[0];
  await writeFile(file, `${head}models:\n${models.join('')}`);
  const env = { HF_ENDPOINT: world.hub.url, COLUMNS: '120' };
  const run = async (...args: string[]) => await weighbridge([...args, '-c', file], { env });
  const baseRequests = () =>
    world
      .registry(0)
      .log.filter(({ path: asked }) => asked.includes(BASE_REPOSITORY))
      .map(({ path: asked }) => asked);
  return { world, run, baseRequests };
}

test('one wrong base image among many models is that model’s, and each base is read once', async t => {
  const { run, baseRequests } = await start(t);

  const table = await run('plan');
  assert.equal(table.status, 0, table.stderr);
  assert.equal(table.stdout.match(/could not be read/g), null);
  const rows = table.stdout.split('\n').filter(line => /^m\d+ .* unknown$/.test(line));
  assert.deepEqual(
    rows.map(row => row.split(' ')[0]),
    [WRONG],
  );
  assert.match(table.stdout, /fat: cannot be built: the base image 127\S+:v9 does not exist/);
  // Its index and config, and the tag that is not there.
  const asked = baseRequests();
  assert.equal(asked.filter(url => url.includes('/blobs/')).length, 1, asked.join('\n'));
  assert.equal(asked.filter(url => url.endsWith('/manifests/v0.6.0')).length, 1);
  assert.equal(asked.filter(url => url.endsWith('/manifests/v9')).length, 1);

  const { models } = JSON.parse((await run('plan', '--json', '--registry-state')).stdout) as PlanJson;
  const refused = models.filter(model => model.refused !== undefined);
  assert.deepEqual(
    refused.map(model => [model.short, model.refused?.fat?.code, model.refused?.slim?.code]),
    [[WRONG, 'BASE_NOT_FOUND', 'BASE_NOT_FOUND']],
  );
  assert.deepEqual(refused[0]?.layers, {});
  const [first] = models;
  assert.match(first?.base?.digest ?? '', /^sha256:/);
  const kinds = first?.layers?.fat?.map(layer => layer.kind);
  assert.deepEqual(kinds, ['base', 'base', 'weights', 'files', 'licenses']);

  assert.equal((await run('publish', '--json')).status, 1);
  const outdated = await run('outdated', '--json');
  const { models: left } = JSON.parse(outdated.stdout) as OutdatedJson;
  assert.deepEqual(
    left.map(model => model.short),
    [WRONG],
  );
  for (const { reasons } of left[0]?.images ?? []) assert.match(reasons.join(), /^cannot be built: the base/);

  const { stdout } = await run('plan', '--explain', 'm0');
  assert.match(stdout, /Layers\n {2}on 127\S+:v0\.6\.0, sha256:[0-9a-f]{64}\n/);
  assert.match(
    stdout,
    / {2}fat: 5 layers, [\d.]+ KiB\n {4}2 layers of the base, \d+ B\n {4}weights: model\.safetensors/,
  );
});
