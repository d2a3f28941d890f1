import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { weighbridge } from '../support/command.ts';
import { limited, PARTS, SHARDED, SMALL_FILES } from '../support/sharded-model.ts';
import { temporaryFolder } from '../support/tools.ts';
import { World } from '../support/world.ts';

// What people and machines are told of a file that a registry would not take.

test('a divided file is in the plan, its reasons, its JSON and the image’s inspection', async t => {
  await using world = await World.start();
  const folder = await temporaryFolder(t);
  await world.hub.addModel({ id: 'acme/x', files: SHARDED });
  const file = path.join(folder, 'models.yaml');
  await writeFile(file, limited(world));
  const env = { HF_ENDPOINT: world.hub.url, DOCKER_CONFIG: folder };
  const call = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await weighbridge(args, { env });
    assert.equal(status, 0, stdout + stderr);
    return stdout;
  };
  const note =
    /model\.safetensors has 2\.5 MB and 127\.0\.0\.1:\d+ takes no layer\s+above 1 MB: it is\s+divided into 3\s+files\./;
  assert.match(await call('plan', '-c', file), note);
  assert.match(await call('plan', '-c', file, '--explain', 'x'), note);
  const [model] = JSON.parse(await call('plan', '-c', file, '--json')).models;
  assert.deepEqual(
    model.dividedFiles.map((one: { path: string; parts: { path: string }[] }) => [
      one.path,
      one.parts.map(part => part.path),
    ]),
    [['model.safetensors', PARTS.map(part => `${part}.safetensors`)]],
  );
  await call('publish', '-c', file);
  const image = `${world.registry(0).host}/acme/hf-x:v0.6.0-fat`;
  const inspected = await call('inspect', image, '--files');
  for (const part of PARTS) assert.match(inspected, new RegExp(`${part}\\.safetensors`));
});

test('a registry that cannot have the fat image is named in the plan, the result and the summary', async t => {
  await using world = await World.start({}, {});
  const folder = await temporaryFolder(t);
  const files = { ...SMALL_FILES, 'model.gguf': Buffer.alloc(1_200_000, 1) };
  await world.hub.addModel({ id: 'acme/x', files });
  const file = path.join(folder, 'models.yaml');
  await writeFile(file, limited(world));
  const env = { HF_ENDPOINT: world.hub.url, DOCKER_CONFIG: folder };
  const planned = await weighbridge(['plan', '-c', file], { env });
  assert.equal(planned.status, 0, planned.stderr);
  assert.match(planned.stdout, /r0 does not get the fat\s+image: model\.gguf has 1\.2 MB/);
  const result = path.join(folder, 'result.json');
  const published = await weighbridge(['publish', '-c', file, '--result', result], { env });
  assert.equal(published.status, 0, published.stderr);
  const { images } = JSON.parse(await readFile(result, 'utf8')).models[0];
  assert.deepEqual(
    images
      .map((image: { registry: string; variant: string; status: string }) =>
        [image.registry, image.variant, image.status].join(' '),
      )
      .sort(),
    ['r0 fat skipped', 'r0 slim published', 'r1 fat published', 'r1 slim published'],
  );
  const summarised = await weighbridge(['summary', '--result', result], { env });
  assert.equal(summarised.status, 0, summarised.stderr);
  assert.match(summarised.stdout, /- \*\*fat\*\* is left out for r0: model\.gguf has 1\.2 MB/);
});
