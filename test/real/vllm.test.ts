import assert from 'node:assert/strict';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { requireToolAsRoot } from '../support/tools.ts';
import { CONTAINER_TOOLS } from './podman.ts';
import { type Answer, ask, NEW, OLD, requireVllm } from './vllm/engine.ts';
import { EngineWorld, MODEL_ID, type ServerStart } from './vllm/world.ts';

// Images as published, run by podman with the real vLLM, two versions about a year apart: every one has to serve the model
// and to complete a chat with the same words.

const skip = requireVllm(NEW, OLD) || requireToolAsRoot(...CONTAINER_TOOLS);

describe('the real vLLM', { skip, concurrency: false }, () => {
  let world: EngineWorld;
  const texts = new Map<string, string>();

  before(async () => {
    world = await EngineWorld.start({ versions: [NEW, OLD] });
    for (const version of [NEW, OLD]) await world.publish('tiny', version);
    await world.publish('parts', NEW, { top: 'layer_limits: { lab: 5MB }' });
  });

  after(() => world?.[Symbol.asyncDispose]());

  async function serve(t: TestContext, name: string, start: ServerStart): Promise<Answer> {
    const { result: answer, seconds, status } = await world.serve(start, ask);
    t.diagnostic(
      `${name}: ${seconds} s to the answer ${JSON.stringify(answer.text)}, ${status} after SIGTERM`,
    );
    assert.equal(answer.id, MODEL_ID);
    return answer;
  }

  function sameWords(version: string, { text }: Answer): void {
    assert.equal(text, texts.get(version) ?? text);
    texts.set(version, text);
  }

  for (const version of [NEW, OLD]) {
    test(`${version}: fat`, async t => {
      const answer = await serve(t, `fat ${version}`, { image: world.imageOf('tiny', version, 'fat') });
      assert.equal(answer.maxModelLen, 128);
      sameWords(version, answer);
    });

    test(`${version}: slim with an empty volume, and again with what it has brought`, async t => {
      const volume = path.join(world.folder, `volume-${version}`);
      await mkdir(volume);
      await chmod(volume, 0o777);
      const image = world.imageOf('tiny', version, 'slim');
      const start = { image, volumes: [`${volume}:/models`] };
      const cold = await serve(t, `slim ${version}, cold`, { ...start, env: { HF_ENDPOINT: world.hub.url } });
      sameWords(version, cold);
      assert.ok((await readdir(path.join(volume, 'tiny'))).includes('model-00001-of-00002.safetensors'));
      if (version !== NEW) return;
      const warm = await serve(t, `slim ${version}, warm`, {
        ...start,
        env: { HF_ENDPOINT: 'http://127.0.0.1:9' },
      });
      sameWords(version, warm);
    });
  }

  test("a flag after the image is added to the image's own", async t => {
    const image = world.imageOf('tiny', NEW, 'fat');
    const answer = await serve(t, `fat ${NEW}, --max-model-len 64`, {
      image,
      args: ['--max-model-len', '64'],
    });
    assert.equal(answer.maxModelLen, 64);
    sameWords(NEW, answer);
  });

  test('a model in more and smaller files than its repository has', async t => {
    sameWords(NEW, await serve(t, `divided ${NEW}`, { image: world.imageOf('parts', NEW, 'fat') }));
  });

  test('the fat image as a volume of the base image', async t => {
    const image = world.imageOf('tiny', NEW, 'fat');
    const answer = await serve(t, `weights as a volume ${NEW}`, {
      image: world.baseOf(NEW),
      flags: ['--mount', `type=image,source=${image},destination=/weights`],
      args: [
        '/weights/models/tiny',
        '--served-model-name',
        MODEL_ID,
        '--enforce-eager',
        '--max-model-len',
        '128',
      ],
    });
    sameWords(NEW, answer);
  });
});
