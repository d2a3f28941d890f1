import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startHub } from '../../../src/testkit/hub.ts';
import { type EmbeddedRegistry, startRegistry } from '../../../src/testkit/registry.ts';
import { IS_LONG } from '../../support/long.ts';
import { pull, tagsOf } from '../../support/pull.ts';
import { temporaryFolder } from '../../support/tools.ts';
import { startPublish } from '../../support/two-targets.ts';
import { BASE_REPOSITORY, MODEL_FILES, putBase } from '../../support/world.ts';

const MODELS = 24;
const CHANGED_EACH_TIME = 4;
const KILLS = 15;

const writesOf = (registries: readonly EmbeddedRegistry[]): number =>
  registries.flatMap(({ log }) => log).filter(({ method }) => ['POST', 'PATCH', 'PUT'].includes(method))
    .length;

test(`${MODELS} models on two registries, killed ${KILLS} times while they change: the last run makes everything right`, {
  skip: IS_LONG ? false : 'in the long form',
}, async t => {
  await using hub = await startHub();
  await using first = await startRegistry();
  await using second = await startRegistry();
  await using third = await startRegistry();
  putBase(first, 'v0.6.0');
  const names = Array.from({ length: MODELS }, (_, index) => `m${index}`);
  const weights = (name: string, turn: number) => Buffer.from(`${name} ${turn} `.repeat(20_000));
  for (const name of names) {
    const { 'README.md': card, LICENSE: license } = MODEL_FILES;
    const files = { 'README.md': card, LICENSE: license, 'config.json': `{"n":"${name}"}` };
    await hub.addModel({
      id: `acme/${name}`,
      files: { ...files, 'a.safetensors': weights(name, -1), 'b.safetensors': weights(`${name}b`, -1) },
    });
  }
  const folder = await temporaryFolder(t);
  const list = names.map(name => `  - { id: acme/${name}, short: ${name} }\n`).join('');
  const write = async (file: string, registries: Readonly<Record<string, EmbeddedRegistry>>) => {
    const lines = Object.entries(registries).map(([key, { host }]) => `  ${key}: ${host}/acme\n`);
    const defaults = `defaults: { base_image: "${first.host}/${BASE_REPOSITORY}:v0.6.0" }`;
    await writeFile(file, `registries:\n${lines.join('')}${defaults}\nmodels:\n${list}`);
    return file;
  };
  const file = await write(path.join(folder, 'models.yaml'), { a: first, b: second });
  const env = { HOME: folder, TMPDIR: folder, XDG_CACHE_HOME: folder, DOCKER_CONFIG: folder };
  const publish = () =>
    startPublish(file, hub, { ...env, WEIGHBRIDGE_LAYER_INDEX: path.join(folder, 'layers.jsonl') });

  const before = writesOf([first, second]);
  const seen = { killed: 0, endedBefore: 0 };
  let share = 200;
  while (seen.killed < KILLS) {
    for (let index = 0; index < CHANGED_EACH_TIME; index++) {
      const name = names[(seen.killed * CHANGED_EACH_TIME + index) % MODELS] as string;
      await hub.updateFile(`acme/${name}`, 'a.safetensors', weights(name, seen.killed));
    }
    const start = writesOf([first, second]);
    const limit = start + Math.random() * share;
    const { child, ended } = publish();
    while (child.exitCode === null && writesOf([first, second]) < limit) await sleep(2);
    child.kill('SIGKILL');
    const { status, stderr } = await ended;
    if (child.signalCode === 'SIGKILL') seen.killed += 1;
    else {
      // It had less to do than was drawn: from now on less is drawn.
      assert.equal(status, 0, stderr);
      seen.endedBefore += 1;
      share = Math.max(10, (writesOf([first, second]) - start) / 2);
    }
    // Whatever a tag names is whole at any moment.
    for (const { host } of [first, second])
      for (const name of names.slice(0, 4))
        for (const tag of await tagsOf(host, `acme/hf-${name}`)) await pull(host, `acme/hf-${name}`, tag);
  }
  const last = await publish().ended;
  assert.equal(last.status, 0, last.stderr);

  // The same, undisturbed and from nothing, to a registry that has seen none of it.
  const clean = await write(path.join(folder, 'clean.yaml'), { a: third });
  const undisturbed = await startPublish(clean, hub, { ...env, WEIGHBRIDGE_LAYER_INDEX: '' }).ended;
  assert.equal(undisturbed.status, 0, undisturbed.stderr);
  const digestsOf = (registry: string, images: typeof last.images) =>
    images.filter(image => image.registry === registry).map(({ variant, digest }) => `${variant} ${digest}`);
  assert.equal(digestsOf('a', undisturbed.images).length, MODELS * 2);
  for (const registry of ['a', 'b'])
    assert.deepEqual(digestsOf(registry, last.images), digestsOf('a', undisturbed.images));
  for (const { host } of [first, second])
    for (const name of names)
      for (const tag of ['v0.6.0-slim', 'v0.6.0-fat']) await pull(host, `acme/hf-${name}`, tag);
  assert.deepEqual((await readdir(folder)).sort(), ['clean.yaml', 'layers.jsonl', 'models.yaml']);
  t.diagnostic(`${JSON.stringify(seen)}; ${writesOf([first, second]) - before} writes`);
});
