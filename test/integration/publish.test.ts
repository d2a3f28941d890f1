import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../src/core/digest.ts';
import { RegistryError } from '../../src/core/errors.ts';
import { LayerAnnotation } from '../../src/image/format/labels.ts';
import { listLayer } from '../support/layer-files.ts';
import { until } from '../support/until.ts';
import { MODEL_FILES, putBase, World } from '../support/world.ts';

const statuses = (images: readonly { registry: string; variant: string; status: string }[]): string[] =>
  images.map(image => `${image.registry} ${image.variant} ${image.status}`).sort();
/** What each plan reads: the license, the card, and what config.json says of the model's origin. */
const PLANNED = ['LICENSE', 'README.md', 'config.json'];
/** Without what each plan reads. */
const resolved = (world: World): string[] =>
  world.hub.log
    .filter(entry => entry.path.includes('/resolve/'))
    .map(entry => entry.path.split('/').slice(5).join('/'))
    .filter(path => !PLANNED.includes(path));
const uploaded = (world: World): number =>
  world.registries.reduce((sum, registry) => sum + registry.counters.uploadedBytes, 0);

test('slim and fat arrive whole at two registries, one of which wants a login', async () => {
  await using world = await World.start(
    {},
    { auth: { kind: 'bearer', user: 'robot', password: 'pässword' } },
  );
  const sha = await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const images = await world.publish(world.config('acme/x'));
  assert.deepEqual(statuses(images), [
    'r0 fat published',
    'r0 slim published',
    'r1 fat published',
    'r1 slim published',
  ]);
  for (const registry of [0, 1]) {
    for (const variant of ['slim', 'fat']) {
      assert.deepEqual(
        world.manifest(registry, `v0.6.0-${variant}`),
        world.manifest(registry, `r${sha}-${variant}`),
      );
    }
    const fat = world.manifest(registry, 'v0.6.0-fat');
    for (const layer of fat.layers) {
      const bytes = await world.registry(registry).readBlob(layer.digest);
      assert.equal(digestOf(bytes as Buffer), layer.digest);
      assert.equal(bytes?.length, layer.size);
    }
  }
  // One read of the Hub fed both, and nothing of the second copy of the weights was read at all.
  assert.deepEqual(resolved(world).filter(path => path.endsWith('.safetensors')).length, 3);
  assert.ok(!resolved(world).some(path => path.endsWith('.bin')));
  assert.equal(world.hub.leakedTokens, 0);
});

test('a weight layer names its file and its hash; the config starts vLLM on it', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  await world.publish(world.config('acme/x', '    serve_args: ["--port", "9000", "--dtype", "half"]\n'));
  const { layers, annotations } = world.manifest(0, 'v0.6.0-fat');
  const weights = layers.filter(layer => layer.annotations?.['io.weighbridge.layer.kind'] === 'weights');
  assert.deepEqual(
    weights.map(layer => [
      layer.annotations?.['io.weighbridge.file.path'],
      layer.annotations?.['io.weighbridge.file.sha256'],
    ]),
    Object.entries(MODEL_FILES)
      .filter(([path]) => path.endsWith('.safetensors'))
      .map(([path, bytes]) => [path, digestOf(bytes).slice(7)]),
  );
  const { config, rootfs, history } = await world.imageConfig(0, 'v0.6.0-fat');
  assert.deepEqual(config?.Entrypoint, [
    'vllm',
    'serve',
    '/models/x',
    '--served-model-name',
    'acme/x',
    '--port',
    '9000',
    '--dtype',
    'half',
  ]);
  assert.deepEqual(config?.Cmd, []);
  assert.deepEqual(config?.Env, [
    'PATH=/usr/bin',
    'HF_HOME=/root/.cache/huggingface',
    'HF_HUB_CACHE=/root/.cache/huggingface/hub',
    'MODEL_ID=acme/x',
    'MODEL_DIR=/models/x',
    'HF_HUB_OFFLINE=1',
  ]);
  assert.deepEqual(config?.ExposedPorts, { '9000/tcp': {} });
  assert.equal(config?.WorkingDir, '/vllm-workspace');
  assert.equal(config?.Labels?.maintainer, 'them');
  assert.equal(config?.Labels?.['org.opencontainers.image.licenses'], 'Apache-2.0');
  assert.equal(rootfs.diff_ids.length, layers.length);
  assert.equal(history?.length, layers.length);
  for (const [name, value] of Object.entries(annotations ?? {})) assert.equal(config?.Labels?.[name], value);
  const slim = await world.imageConfig(0, 'v0.6.0-slim');
  assert.deepEqual(slim.config?.Entrypoint, ['/opt/weighbridge/bootstrap']);
  assert.ok(slim.config?.Env?.includes('SERVE_ARGS=--port 9000 --dtype half'));
});

test('the slim image has its bootstrap in one folder: the program, its modules, the list of the model', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  await world.publish(world.config('acme/x'), { variants: ['slim'] });
  const { layers } = world.manifest(0, 'v0.6.0-slim');
  const layer = layers.find(({ annotations }) => annotations?.[LayerAnnotation.kind] === 'bootstrap');
  assert.ok(layer);
  const bytes = await world.registry(0).readBlob(layer.digest);
  assert.deepEqual(await listLayer(bytes as Buffer), [
    '755 opt/weighbridge/',
    '755 opt/weighbridge/bootstrap',
    '755 opt/weighbridge/modules/',
    '644 opt/weighbridge/modules/one.py',
    '644 opt/weighbridge/model.json',
  ]);
});

test('publishing again moves nothing and asks the Hub for no file', async () => {
  await using world = await World.start({}, {});
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const first = await world.publish(world.config('acme/x'));
  const [bytes, files] = [uploaded(world), resolved(world).length];
  const again = await world.publish(world.config('acme/x'));
  assert.deepEqual([...new Set(again.map(image => image.status))], ['unchanged']);
  assert.deepEqual(again.map(image => image.digest).sort(), first.map(image => image.digest).sort());
  assert.equal(uploaded(world), bytes);
  assert.equal(resolved(world).length, files);
});

test('one changed weight file of many is the only one read and moved', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  await world.publish(world.config('acme/x'));
  const [bytes, files] = [uploaded(world), resolved(world).length];
  await world.hub.updateFile('acme/x', 'model-00002-of-00003.safetensors', Buffer.alloc(200_000, 9));
  await world.publish(world.config('acme/x'));
  assert.deepEqual(resolved(world).slice(files), ['model-00002-of-00003.safetensors']);
  assert.ok(uploaded(world) - bytes < 260_000, `${uploaded(world) - bytes} bytes were uploaded`);
});

test('one changed small file is the only one read, although it shares a layer', async () => {
  await using world = await World.start({ quirks: { redirectBlobs: true } });
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  await world.publish(world.config('acme/x'));
  const files = resolved(world).length;
  await world.hub.updateFile('acme/x', 'generation_config.json', '{"top_k":1}');
  const images = await world.publish(world.config('acme/x'));
  assert.deepEqual(resolved(world).slice(files), ['generation_config.json']);
  assert.ok(images.every(image => image.status === 'published'));
});

test('a new base image moves no weight byte, to a registry that mounts', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  await world.publish(world.config('acme/x'));
  const [bytes, files] = [uploaded(world), resolved(world).length];
  putBase(world.registry(0), 'v0.7.0', 'a newer base');
  const images = await world.publish(world.config('acme/x').replace(':v0.6.0', ':v0.7.0'));
  assert.deepEqual(statuses(images), ['r0 fat published', 'r0 slim published']);
  assert.ok(uploaded(world) - bytes < 60_000, `${uploaded(world) - bytes} bytes were uploaded`);
  assert.deepEqual(resolved(world).slice(files), []);
});

test('a registry that is there later gets its layers from the other, not from the Hub', async () => {
  await using world = await World.start({}, {});
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const both = world.config('acme/x');
  await world.publish(both.replace(/ {2}r1:.*\n/, ''));
  const files = resolved(world).length;
  const images = await world.publish(both);
  assert.deepEqual(statuses(images), [
    'r0 fat unchanged',
    'r0 slim unchanged',
    'r1 fat published',
    'r1 slim published',
  ]);
  assert.deepEqual(resolved(world).slice(files), []);
  assert.deepEqual(world.manifest(1, 'v0.6.0-fat'), world.manifest(0, 'v0.6.0-fat'));
});

test('a target that fails does not stop the other', async () => {
  await using world = await World.start({}, { quirks: { fullAfterBytes: 250_000 } });
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const images = await world.publish(world.config('acme/x'));
  assert.deepEqual(
    images.filter(image => image.registry === 'r0').map(image => image.status),
    ['published', 'published'],
  );
  const fat = images.find(image => image.registry === 'r1' && image.variant === 'fat');
  assert.equal(fat?.status, 'failed');
  assert.ok(fat?.error instanceof RegistryError && fat.error.code === 'REGISTRY_FULL', String(fat?.error));
  assert.equal(world.registry(1).manifest('acme/hf-x', 'v0.6.0-fat'), undefined);
});

test('wrong bytes from the Hub are never published; slim, which has none of them, is', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  world.hub.faults.add({ match: /^GET cdn /, kind: 'corrupt', afterBytes: 1000, times: 100 });
  const images = await world.publish(world.config('acme/x'));
  assert.deepEqual(statuses(images), ['r0 fat failed', 'r0 slim published']);
  assert.match(String(images.find(image => image.variant === 'fat')?.error), /not what it must be/);
  assert.equal(world.registry(0).openUploads, 0);
});

test('one flipped bit is read again and published right', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  world.hub.faults.add({ match: /^GET cdn /, kind: 'corrupt', afterBytes: 1000, times: 1 });
  assert.deepEqual(statuses(await world.publish(world.config('acme/x'))), [
    'r0 fat published',
    'r0 slim published',
  ]);
});

for (const [name, quirks] of Object.entries({
  GHCR: {
    patchMaxContentLengthBytes: 4096,
    relativeLocations: true,
    deleteUploads: false,
    claimsEmptyBlob: true,
    redirectBlobs: true,
  },
  'Google Artifact Registry': { singlePatch: true },
  Nexus: { mount: 'refuse' as const },
  Quay: { dropsEmptyBlobs: true, mount: 'refuse' as const },
})) {
  test(`the ways of ${name}`, async () => {
    await using world = await World.start({ quirks });
    await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
    assert.deepEqual(statuses(await world.publish(world.config('acme/x'))), [
      'r0 fat published',
      'r0 slim published',
    ]);
  });
}

test('a model that may not be fat is slim only, with the reason', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', gated: 'manual', files: MODEL_FILES });
  const images = await world.publish(world.config('acme/x'));
  assert.deepEqual(statuses(images), ['r0 fat skipped', 'r0 slim published']);
  assert.match(images.find(image => image.variant === 'fat')?.reason ?? '', /gated/);
  assert.equal(world.registry(0).manifest('acme/hf-x', 'v0.6.0-fat'), undefined);
});

test('forced, everything is read and sent again and comes out the same', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const first = await world.publish(world.config('acme/x'));
  const files = resolved(world).length;
  const again = await world.publish(world.config('acme/x'), { isForced: true });
  assert.equal(resolved(world).length, 2 * files);
  assert.deepEqual(
    again.map(image => image.digest),
    first.map(image => image.digest),
  );
});

test('a dry run writes nothing and says what would move', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const images = await world.publish(world.config('acme/x'), { isDryRun: true });
  assert.deepEqual(statuses(images), ['r0 fat skipped', 'r0 slim skipped']);
  assert.match(images[0]?.reason ?? '', /dry run: would move/);
  assert.equal(uploaded(world), 0);
});

test('labels and variables of models.yaml are in the image, and the source is the one that it names', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const more = `    env: { VLLM_LOGGING_LEVEL: DEBUG }
    labels: { org.opencontainers.image.source: "https://git.example/acme", com.acme.team: search }
`;
  await world.publish(world.config('acme/x', more));
  for (const variant of ['slim', 'fat']) {
    const { annotations = {}, config } = world.manifest(0, `v0.6.0-${variant}`);
    const bytes = (await world.registry(0).readBlob(config.digest)) as Buffer;
    const { Env, Labels } = JSON.parse(bytes.toString('utf8')).config;
    assert.ok(Env.includes('VLLM_LOGGING_LEVEL=DEBUG'));
    for (const names of [annotations, Labels]) {
      assert.equal(names['org.opencontainers.image.source'], 'https://git.example/acme');
      assert.equal(names['com.acme.team'], 'search');
      assert.equal(names['io.weighbridge.model.id'], 'acme/x');
    }
  }
});

test('an abort in mid-upload moves no tag', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  world.registry(0).faults.add({ match: /^PATCH/, kind: 'slow', bytesPerSecond: 20_000, times: 100 });
  const controller = new AbortController();
  const published = world.publish(world.config('acme/x'), { signal: controller.signal });
  const isUploading = () =>
    world.registry(0).log.some(({ method, receivedBytes }) => method === 'PATCH' && receivedBytes > 0);
  void until(isUploading).then(() => controller.abort());
  await assert.rejects(published, { name: 'InterruptedError' });
  assert.deepEqual([...world.registry(0).repository('acme/hf-x').tags.keys()], []);
});

test('a registry that has lost a blob of what it has published gets it again', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  await world.publish(world.config('acme/x'));
  const lost = world.manifest(0, 'v0.6.0-fat').layers.find(layer => layer.size > 250_000)?.digest;
  const { blobs } = world.registry(0).repository('acme/hf-x');
  assert.ok(lost !== undefined && blobs.delete(lost));
  // Another image of the same layers, so that a manifest has to be put.
  putBase(world.registry(0), 'v0.6.0', 'newer');
  const images = await world.publish(world.config('acme/x'));
  assert.deepEqual(statuses(images), ['r0 fat published', 'r0 slim published']);
  assert.ok(blobs.has(lost));
});

test('base layers are streamed to another registry once, and mounted there for the next model', async () => {
  await using world = await World.start({}, {});
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  await world.hub.addModel({ id: 'acme/y', files: MODEL_FILES });
  const forX = world.config('acme/x').replace(/ {2}r0:.*\n/, '');
  await world.publish(forX);
  const other = world.registry(1);
  const starts = other.counters.uploadsStarted;
  const images = await world.publish(forX.replaceAll('acme/x', 'acme/y').replace('short: x', 'short: y'), {
    siblings: [{ repository: `${other.host}/acme/hf-x`, tag: 'v0.6.0-slim' }],
  });
  assert.deepEqual(statuses(images), ['r1 fat published', 'r1 slim published']);
  assert.equal(other.counters.mounts, 2, 'the two layers of the base');
  // Its own: three weights, small files, the bootstrap, two folders of licenses, two configs.
  assert.equal(other.counters.uploadsStarted - starts, 9);
});
