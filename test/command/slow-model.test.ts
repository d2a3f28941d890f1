import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { PublishJson } from '../../src/report/json/publish-json.ts';
import { weighbridge } from '../support/command.ts';
import { temporaryFolder } from '../support/tools.ts';
import { until } from '../support/until.ts';
import { MODEL_FILES, World } from '../support/world.ts';

const NAMES = ['a', 'slow', 'b', 'c'];
const OTHERS = NAMES.filter(name => name !== 'slow');

for (const [what, request] of [
  ['the Hub answers late for it', /GET hub \/api\/models\/acme\/slow/],
  ['its license text comes late', /GET hub \/acme\/slow\/resolve\/.*LICENSE/],
] as const)
  test(`models are published as they are resolved: one waits because ${what}, the others are published`, async t => {
    const { world, run } = await startWorld(t);
    const isPublished = (name: string): boolean =>
      world.registry(0).manifest(`acme/hf-${name}`, 'v0.6.0-slim') !== undefined;
    const others = until(() => OTHERS.every(isPublished)).then(() => isPublished('slow'));
    const held = world.hub.faults.add({ match: request, kind: 'hold', until: others, times: 100 });
    const { status, stdout, stderr } = await run('publish', '--json');
    assert.equal(status, 0, stderr);
    assert.equal(await others, false);
    assert.ok(held.struck > 0);
    const { models } = JSON.parse(stdout) as PublishJson;
    assert.deepEqual(
      models.map(({ short, images }) => [short, ...new Set(images.map(image => image.status))]),
      NAMES.map(short => [short, 'published']),
    );
  });

test('with --locked each model is compared when its turn comes: one that differs fails in its place, the others are published', async t => {
  const { world, run, writeModels } = await startWorld(t);
  assert.equal((await run('plan', '--lock')).status, 0);
  await writeModels([...NAMES, 'new']);
  const { status, stdout, stderr } = await run('publish', '--locked', '--json');
  assert.equal(status, 1, stderr);
  const { models } = JSON.parse(stdout) as PublishJson;
  assert.deepEqual(
    models.map(({ short, error }) => [short, error?.code]),
    [...NAMES.map(short => [short, undefined]), ['new', 'LOCK_DIFFERS']],
  );
  assert.notEqual(world.registry(0).manifest('acme/hf-c', 'v0.6.0-fat'), undefined);
});

/** A Hub with a few models that may be redistributed, and a file that lists them. */
async function startWorld(t: TestContext) {
  const world = await World.start();
  t.after(() => world[Symbol.asyncDispose]());
  for (const name of [...NAMES, 'new'])
    await world.hub.addModel({
      id: `acme/${name}`,
      files: {
        'README.md': '---\nlicense: apache-2.0\n---\n',
        // Another text than the others', so that it is read for this one.
        LICENSE: `${MODEL_FILES.LICENSE}${'\n'.repeat(name.length)}`,
        'config.json': `{"n":"${name}"}`,
        'model.safetensors': Buffer.alloc(1000, 1),
      },
    });
  const folder = await temporaryFolder(t);
  const writeModels = async (names: readonly string[]): Promise<void> => {
    const models = names.map(name => `  - { id: acme/${name}, short: ${name} }\n`).join('');
    const [head = ''] = world.config('acme/x').split('models:\n');
    await writeFile(path.join(folder, 'models.yaml'), `${head}models:\n${models}`);
  };
  await writeModels(NAMES);
  const env = { HF_ENDPOINT: world.hub.url, DOCKER_CONFIG: folder };
  const run = (...args: string[]) => weighbridge(args, { cwd: folder, env });
  return { world, run, writeModels };
}
