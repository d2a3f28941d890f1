import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBootstrap } from '../../src/engine/bootstrap-files.ts';
import { createWeighbridge, parseConfig } from '../../src/index.ts';
import { verifyImage } from '../../src/inspect/verify-image.ts';
import { RunCache } from '../../src/publish/run-cache.ts';
import { MODEL_FILES, World } from '../support/world.ts';

/** Two entries of one model with other flags, in one folder. */
function settingsOf(world: World) {
  const text = `${world.config('acme/x', '    serve_args: [--max-model-len, "1024"]\n')}
  - id: acme/x
    short: x-long
    folder: x
    serve_args: [--max-model-len, "4096"]
`;
  return {
    env: { HF_ENDPOINT: world.hub.url, WEIGHBRIDGE_LAYER_INDEX: '' },
    file: parseConfig(text, 'models.yaml'),
  };
}

test('entries of one model that share a folder share its layers, which are moved once', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const { env, file } = settingsOf(world);
  await using weighbridge = createWeighbridge({ env });
  const outcomes = await weighbridge.publish(await weighbridge.plan(file), { variants: ['fat', 'slim'] });
  const images = outcomes.flatMap(outcome => outcome.images);
  assert.deepEqual(
    images.map(({ status }) => status),
    ['published', 'published', 'published', 'published'],
  );
  const [first, second] = ['acme/hf-x', 'acme/hf-x-long'].map(repository =>
    world.manifest(0, 'v0.6.0-fat', repository).layers.map(({ digest }) => digest),
  );
  assert.deepEqual(second, first);
  const weights = Object.entries(MODEL_FILES).filter(([name]) => name.endsWith('.safetensors'));
  const bytes = weights.reduce((sum, [, content]) => sum + content.length, 0);
  assert.ok(world.hub.servedBytes < bytes * 1.1, `${world.hub.servedBytes} bytes for ${bytes} of weights`);

  const again = await weighbridge.publish(await weighbridge.plan(file));
  assert.ok(again.flatMap(outcome => outcome.images).every(({ status }) => status === 'unchanged'));

  const openBase = (name: string) => world.open(name, 'pull');
  for (const [name, length] of [
    ['hf-x', '1024'],
    ['hf-x-long', '4096'],
  ]) {
    const reference = `${world.registry(0).host}/acme/${name}:v0.6.0-fat`;
    const { images: seen } = await weighbridge.inspect(reference);
    assert.equal(seen[0]?.entrypoint?.[2], '/models/x');
    assert.equal(seen[0]?.entrypoint?.at(-1), length);
    // Of two entries in one folder, the one whose repository it is.
    for (const variant of ['fat', 'slim']) {
      const store = world.open(`${world.registry(0).host}/acme/${name}`);
      const checks = await verifyImage(store, `v0.6.0-${variant}`, {
        hub: world.hubClient(),
        isDeep: false,
        rebuild: { bootstrap: readBootstrap(), readBase: new RunCache({ openBase }).baseImage, config: file },
      });
      assert.deepEqual(
        checks.flatMap(({ problems }) => problems),
        [],
      );
    }
  }
});

test('an entry that is published later mounts the layers that another one in its folder has', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const { env, file } = settingsOf(world);
  await using weighbridge = createWeighbridge({ env });
  await weighbridge.publish(await weighbridge.plan(file, { models: ['x'] }), { variants: ['fat'] });
  const before = world.hub.servedBytes;
  const plan = await weighbridge.plan(file, { models: ['x-long'] });
  const [outcome] = await weighbridge.publish(plan, { variants: ['fat'] });
  const [image] = outcome?.images ?? [];
  assert.equal(image?.status, 'published');
  assert.equal(image?.bytes.downloaded, 0);
  assert.ok((image?.bytes.mounted ?? 0) > 600_000);
  assert.ok(world.hub.servedBytes - before < 100_000, `${world.hub.servedBytes - before}`);
});
