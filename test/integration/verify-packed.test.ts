import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/load-config.ts';
import { isRight, verifyImage } from '../../src/inspect/verify-image.ts';
import { RunCache } from '../../src/publish/run-cache.ts';
import { BOOTSTRAP, MODEL_FILES, World } from '../support/world.ts';

/** More files than an image has layers, so that neighbors share them; two large ones are too much for one. */
const SHARDS = 140;
const isLarge = (index: number): boolean => Math.floor(index / 2) % 30 === 0;
const LIMIT = 1_500_000;

const files = {
  'README.md': MODEL_FILES['README.md'],
  LICENSE: MODEL_FILES.LICENSE,
  'config.json': MODEL_FILES['config.json'],
  ...Object.fromEntries(
    Array.from({ length: SHARDS }, (_, index) => [
      `model-${String(index + 1).padStart(5, '0')}-of-00${SHARDS}.safetensors`,
      Buffer.alloc(isLarge(index) ? LIMIT * 0.6 : 1000, index + 1),
    ]),
  ),
};

test('an image is verified under other limits than it was published with: it tells which files share a layer', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files });
  const openBase = (name: string) => world.open(name, 'pull');
  const yaml = world.config('acme/x');
  const layersOf: number[] = [];
  for (const limits of ['', `layer_limits: { r0: ${LIMIT} }\n`]) {
    await world.publish(`${limits}${yaml}`, { variants: ['fat'] });
    layersOf.push(world.manifest(0, 'v0.6.0-fat').layers.length);
    const store = world.open(`${world.registry(0).host}/acme/hf-x`, 'pull');
    for (const config of [undefined, yaml, `layer_limits: { r0: 1000000 }\n${yaml}`]) {
      const [check] = await verifyImage(store, 'v0.6.0-fat', {
        hub: world.hubClient(),
        isDeep: false,
        rebuild: {
          bootstrap: BOOTSTRAP,
          readBase: new RunCache({ openBase }).baseImage,
          config: config === undefined ? undefined : parseConfig(config, 'models.yaml'),
        },
      });
      assert.deepEqual(check?.problems, []);
      assert.ok(check && isRight(check));
    }
  }
  assert.ok((layersOf[0] ?? 0) < (layersOf[1] ?? 0), `${layersOf}: the limit divides the files otherwise`);
});
