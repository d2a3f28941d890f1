import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { PlanJson } from '../../src/report/json/plan-json.ts';
import type { PublishJson } from '../../src/report/json/publish-json.ts';
import { makeBaseImage } from '../../src/testkit/base-image.ts';
import { startHub } from '../../src/testkit/hub.ts';
import { startRegistry } from '../../src/testkit/registry.ts';
import { weighbridge } from '../support/command.ts';
import { temporaryFolder } from '../support/tools.ts';

const BASE_BYTES = 3 * 1024 * 1024;
const WEIGHT_BYTES = 300_000;

test('what a plan says would move is what a publish moves: mounts and earlier models are counted', async t => {
  await using hub = await startHub();
  // The first has the base image and mounts it, the second gets it once for three models.
  await using near = await startRegistry();
  await using far = await startRegistry();
  await makeBaseImage(near, 'vllm/vllm-openai', 'v0.6.0', {
    layers: [{ 'opt/large': randomBytes(BASE_BYTES) }],
  });
  for (const name of ['a', 'b', 'c']) {
    const files = {
      'README.md': '---\nlicense: apache-2.0\n---\n',
      'model.safetensors': randomBytes(WEIGHT_BYTES),
    };
    await hub.addModel({ id: `acme/${name}`, files });
  }
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'models.yaml');
  await writeFile(
    file,
    `registries: { near: "${near.host}/models", far: "${far.host}/models" }
defaults: { base_image: "${near.host}/vllm/vllm-openai:v0.6.0" }
models: [{ id: acme/a, short: a }, { id: acme/b, short: b }, { id: acme/c, short: c }]
`,
  );
  const env = { HF_ENDPOINT: hub.url, DOCKER_CONFIG: folder, COLUMNS: '120' };
  const run = async (...args: string[]) => {
    const { status, stdout, stderr } = await weighbridge([...args, '-c', file], { env });
    assert.equal(status, 0, stderr);
    return stdout;
  };

  const { models } = JSON.parse(await run('plan', '--json', '--registry-state')) as PlanJson;
  const states = models.flatMap(model => model.images.map(image => image.state));
  const planned = states.reduce((sum, state) => sum + (state?.bytesToMove ?? 0), 0);
  const published = JSON.parse(await run('publish', '--json')) as PublishJson;
  const images = published.models.flatMap(model => model.images);
  const uploaded = images.reduce((sum, image) => sum + image.bytes.uploaded, 0);

  assert.ok(uploaded > BASE_BYTES + 6 * WEIGHT_BYTES, `${uploaded} uploaded`);
  assert.ok(uploaded < 2 * BASE_BYTES, `${uploaded} uploaded`);
  // Manifests and configs, about 40 KiB, are not foreseen.
  assert.ok(planned <= uploaded && planned > uploaded - 100_000, `${planned} planned, ${uploaded} uploaded`);
});
