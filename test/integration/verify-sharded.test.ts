import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../src/core/digest.ts';
import type { VerifyJson } from '../../src/report/json/verify-json.ts';
import { WEIGHBRIDGE } from '../support/command.ts';
import { LIMIT, limited, PARTS, SHARDED } from '../support/sharded-model.ts';
import { type RunResult, run } from '../support/tools.ts';
import { World } from '../support/world.ts';

async function verify(world: World, ...args: string[]): Promise<RunResult & { readonly json: VerifyJson }> {
  const env = { HF_ENDPOINT: world.hub.url, HF_TOKEN: undefined, DOCKER_CONFIG: '/nowhere', NO_COLOR: '1' };
  const reference = `${world.registry(0).host}/acme/hf-x:v0.6.0-fat`;
  const result = await run(WEIGHBRIDGE, ['verify', reference, '--json', ...args], { env });
  return { ...result, json: JSON.parse(result.stdout) };
}

async function published(): Promise<World> {
  const world = await World.start({ quirks: { maxBlobBytes: LIMIT } });
  await world.hub.addModel({ id: 'acme/x', files: SHARDED });
  await world.publish(limited(world), { variants: ['fat'] });
  return world;
}

for (const depth of [[], ['--deep']]) {
  test(`verify ${depth.join(' ')}: the parts of a file stand in for it`, async () => {
    await using world = await published();
    const { status, json, stderr } = await verify(world, ...depth);
    assert.equal(status, 0, stderr + JSON.stringify(json, null, 1));
    const [image] = json.images;
    assert.deepEqual(
      image?.files.map(file => [file.path, file.status]),
      [
        ...['LICENSE', 'README.md', 'config.json'],
        ...PARTS.map(part => `${part}.safetensors`),
        'model.safetensors.index.json',
      ].map(name => [name, 'same']),
    );
    assert.deepEqual(image?.leftOut, []);
  });
}

/** Puts an image in which a layer has other bytes, its digest and all that names it changed along. */
async function forge(world: World, name: string, change: (layer: Buffer) => void): Promise<void> {
  const manifest = world.manifest(0, 'v0.6.0-fat');
  const index = manifest.layers.findIndex(({ annotations }) =>
    annotations?.['io.weighbridge.files']?.includes(name),
  );
  const old = manifest.layers[index];
  assert.ok(old !== undefined);
  const layer = Buffer.from((await world.registry(0).readBlob(old.digest)) as Buffer);
  change(layer);
  const digest = digestOf(layer);
  const config = await world.imageConfig(0, 'v0.6.0-fat');
  const diffIds = config.rootfs.diff_ids.map((id, at) => (at === index ? digest : id));
  const configBytes = Buffer.from(
    JSON.stringify({ ...config, rootfs: { ...config.rootfs, diff_ids: diffIds } }),
  );
  const forged = Buffer.from(
    JSON.stringify({
      ...manifest,
      config: { ...manifest.config, digest: digestOf(configBytes), size: configBytes.length },
      layers: manifest.layers.map((one, at) => (at === index ? { ...one, digest } : one)),
    }),
  );
  world.registry(0).putImage('acme/hf-x', 'v0.6.0-fat', {
    blobs: [layer, configBytes],
    manifests: [{ mediaType: manifest.mediaType, bytes: forged }],
  });
}

test('data of a part that is not the file’s is seen with --deep, though every digest is right', async () => {
  await using world = await published();
  await forge(world, `${PARTS[1]}.safetensors`, layer => {
    layer[500_000] = (layer[500_000] ?? 0) ^ 1;
  });
  const { status, json } = await verify(world, '--deep');
  assert.equal(status, 1);
  const wrong = json.images[0]?.files.filter(file => file.status === 'different').map(file => file.path);
  assert.deepEqual(
    wrong,
    PARTS.map(part => `${part}.safetensors`),
  );
  assert.match(json.images[0]?.problems.join() ?? '', /model\.safetensors is not what it must be/);
});

test('a tensor of another name in a header is seen with --deep', async () => {
  await using world = await published();
  await forge(world, `${PARTS[1]}.safetensors`, layer => {
    const at = layer.indexOf('model.layers.');
    layer.write('modem', at);
  });
  const { status, json } = await verify(world, '--deep');
  assert.equal(status, 1);
  assert.match(json.images[0]?.problems.join() ?? '', /another size or header than its tensors need/);
});

test('an index that names other files is seen', async () => {
  await using world = await published();
  await forge(world, 'model.safetensors.index.json', layer => {
    const at = layer.indexOf(`${PARTS[2]}.safetensors`);
    layer.write(`${PARTS[1]}.safetensors`, at);
  });
  const { status, json } = await verify(world, '--deep');
  assert.equal(status, 1);
  assert.deepEqual(
    json.images[0]?.files.filter(file => file.status === 'different').map(file => file.path),
    ['model.safetensors.index.json'],
  );
});
