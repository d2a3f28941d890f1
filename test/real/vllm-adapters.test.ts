import assert from 'node:assert/strict';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { loraFiles } from '../support/lora.ts';
import { requireToolAsRoot } from '../support/tools.ts';
import { CONTAINER_TOOLS } from './podman.ts';
import { complete, NEW, requireVllm, servedModels } from './vllm/engine.ts';
import { EngineWorld, MODEL_ID, type ServerStart } from './vllm/world.ts';

// A LoRA adapter served by the real vLLM, from a fat and a slim image: it has to answer otherwise than its model, which
// answers as it does alone.

const skip = requireVllm(NEW) || requireToolAsRoot(...CONTAINER_TOOLS);
const ADAPTER_ID = 'org/tiny-lora';

describe('an adapter in the real vLLM', { skip, concurrency: false }, () => {
  let world: EngineWorld;
  let texts: readonly string[] | undefined;

  before(async () => {
    world = await EngineWorld.start({ versions: [NEW] });
    // The shapes of tiny_model.py.
    const files = loraFiles({
      base: MODEL_ID,
      hidden: 256,
      layers: 4,
      rank: 12,
      fill: index => Math.sin(index * 1.7) * 0.4,
    });
    await world.hub.addModel({ id: ADAPTER_ID, files });
    await world.publish('tiny', NEW, { model: { adapters: [{ id: ADAPTER_ID, name: 'poet' }] } });
  });

  after(() => world?.[Symbol.asyncDispose]());

  async function serve(t: TestContext, name: string, start: ServerStart): Promise<void> {
    const { result, seconds } = await world.serve(start, async (url, hasEnded) => {
      const models = await servedModels(url, hasEnded);
      assert.deepEqual(
        models.map(({ id }) => id),
        [MODEL_ID, 'poet'],
      );
      return [await complete(url, MODEL_ID), await complete(url, 'poet')];
    });
    t.diagnostic(
      `${name}: ${seconds} s, the model says ${JSON.stringify(result[0])}, the adapter ${JSON.stringify(result[1])}`,
    );
    assert.notEqual(result[1], result[0]);
    assert.deepEqual(result, texts ?? result);
    texts = result;
  }

  test('from a fat image', t => serve(t, 'fat', { image: world.imageOf('tiny', NEW, 'fat') }));

  test('from a slim image', async t => {
    const volume = path.join(world.folder, 'volume');
    await mkdir(volume);
    await chmod(volume, 0o777);
    await serve(t, 'slim', {
      image: world.imageOf('tiny', NEW, 'slim'),
      volumes: [`${volume}:/models`],
      env: { HF_ENDPOINT: world.hub.url },
    });
    const config = await readFile(
      path.join(volume, 'tiny', '.weighbridge', 'adapters', ADAPTER_ID, 'adapter_config.json'),
      'utf8',
    );
    assert.equal(JSON.parse(config).r, 12);
  });
});
