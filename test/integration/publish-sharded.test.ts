import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../src/core/digest.ts';
import { IntegrityError, RegistryError } from '../../src/core/errors.ts';
import { safetensorsFile, seededRandom, sizeOf } from '../../src/testkit/sample/safetensors.ts';
import { filesOfLayer } from '../support/layer-files.ts';
import { LIMIT, limited, PARTS, SHARDED, SMALL_FILES, TENSORS, WHOLE } from '../support/sharded-model.ts';
import { tensorsOf } from '../support/tensors.ts';
import { World } from '../support/world.ts';

/** Requests for weights, headers of which the plan reads. */
const weightReads = (world: World): number =>
  world.hub.log.filter(({ path }) => path.includes('/resolve/') && path.endsWith('.safetensors')).length;
const statuses = (images: readonly { status: string }[]): string[] => [
  ...new Set(images.map(image => image.status)),
];

/** The model's files in the fat image, as they come out of its layers. */
async function filesOf(world: World, registry = 0): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const { digest } of world.manifest(registry, 'v0.6.0-fat').layers) {
    const bytes = (await world.registry(registry).readBlob(digest)) as Buffer;
    assert.equal(digestOf(bytes), digest);
    for (const [path, content] of await filesOfLayer(bytes)) {
      if (path.startsWith('models/x/')) files.set(path.slice('models/x/'.length), content);
    }
  }
  return files;
}

test('a file above the limit arrives in parts that hold its tensors, and an index names them', async () => {
  await using world = await World.start({ quirks: { maxBlobBytes: LIMIT } }, {});
  await world.hub.addModel({ id: 'acme/x', files: SHARDED });
  const images = await world.publish(limited(world));
  assert.deepEqual(statuses(images), ['published']);
  for (const registry of [0, 1]) {
    const files = await filesOf(world, registry);
    assert.deepEqual(
      [...files.keys()].sort(),
      [
        ...['LICENSE', 'README.md', 'config.json', 'model.safetensors.index.json'],
        ...PARTS.map(part => `${part}.safetensors`),
      ].sort(),
    );
    const index = JSON.parse(String(files.get('model.safetensors.index.json')));
    const tensors = new Map<string, Buffer>();
    for (const part of PARTS) {
      for (const [name, bytes] of tensorsOf(files.get(`${part}.safetensors`) as Buffer)) {
        assert.equal(index.weight_map[name], `${part}.safetensors`);
        tensors.set(name, bytes);
      }
    }
    assert.deepEqual(tensors, tensorsOf(WHOLE));
    assert.deepEqual(Object.keys(index.weight_map).sort(), [...tensors.keys()].sort());
    assert.equal(
      index.metadata.total_size,
      TENSORS.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    );
  }
  for (const { size } of world.manifest(0, 'v0.6.0-fat').layers) assert.ok(size <= LIMIT, `${size}`);
  const part = world
    .manifest(0, 'v0.6.0-fat')
    .layers.find(layer => layer.annotations?.['io.weighbridge.file.path'] === `${PARTS[1]}.safetensors`);
  assert.equal(part?.annotations?.['io.weighbridge.file.source'], 'model.safetensors');
  assert.match(part?.annotations?.['io.weighbridge.file.range'] ?? '', /^bytes \d+-\d+\/\d+$/);
  const notice = await licenseFile(world, 'NOTICE');
  assert.match(
    notice,
    /model\.safetensors is divided into 3 files, from\n +model-00001-of-00003\.safetensors on/,
  );
  const { model } = JSON.parse(await licenseFile(world, 'licenses.json'));
  assert.deepEqual(model.dividedFiles, [
    { path: 'model.safetensors', parts: PARTS.map(name => `${name}.safetensors`) },
  ]);
});

async function licenseFile(world: World, name: string): Promise<string> {
  for (const { digest } of world.manifest(0, 'v0.6.0-fat').layers) {
    const files = await filesOfLayer((await world.registry(0).readBlob(digest)) as Buffer);
    const found = files.get(`licenses/${name}`);
    if (found !== undefined) return String(found);
  }
  throw new Error(`no /licenses/${name}`);
}

test('without the resharding the registry would not take it', async () => {
  await using world = await World.start({ quirks: { maxBlobBytes: LIMIT } });
  await world.hub.addModel({ id: 'acme/x', files: SHARDED });
  const images = await world.publish(world.config('acme/x'), { variants: ['fat'] });
  assert.ok(images[0]?.error instanceof RegistryError);
});

test('slim is the same with and without a limit', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: SHARDED });
  const [first] = await world.publish(world.config('acme/x'), { variants: ['slim'] });
  const [again] = await world.publish(limited(world), { variants: ['slim'] });
  assert.equal(again?.status, 'unchanged');
  assert.equal(again?.digest, first?.digest);
});

test('publishing again reads the header alone and moves nothing', async () => {
  await using world = await World.start({}, {});
  await world.hub.addModel({ id: 'acme/x', files: SHARDED });
  await world.publish(limited(world));
  const reads = weightReads(world);
  const moved = world.registries.map(registry => registry.counters.uploadedBytes);
  assert.deepEqual(statuses(await world.publish(limited(world))), ['unchanged']);
  // The header's length, and the header.
  assert.equal(weightReads(world) - reads, 2);
  assert.deepEqual(
    world.registries.map(registry => registry.counters.uploadedBytes),
    moved,
  );
});

test('another registry gets the parts from the first one, and another base moves none', async () => {
  await using world = await World.start({}, {});
  await world.hub.addModel({ id: 'acme/x', files: SHARDED });
  const only = limited(world).replace(/ {2}r1: .*\n/, '');
  await world.publish(only);
  const reads = weightReads(world);
  assert.deepEqual(statuses(await world.publish(limited(world))).sort(), ['published', 'unchanged']);
  assert.equal(weightReads(world) - reads, 2);
  assert.deepEqual(world.manifest(1, 'v0.6.0-fat'), world.manifest(0, 'v0.6.0-fat'));
});

test('forced, every part is read and checked again, and is the same', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: SHARDED });
  await world.publish(limited(world));
  const before = world.manifest(0, 'v0.6.0-fat');
  const reads = weightReads(world);
  await world.publish(limited(world), { isForced: true });
  assert.equal(weightReads(world) - reads, 2 + PARTS.length);
  assert.deepEqual(world.manifest(0, 'v0.6.0-fat'), before);
});

/** The one read of a part behind the plan's two. */
const readOfPart = (part: number) => ({ match: /^GET cdn .*/, skip: 2 + part }) as const;

test('wrong bytes in any part keep the image from being tagged; once, they are read again', async () => {
  for (const part of [0, 1, 2]) {
    await using world = await World.start();
    await world.hub.addModel({ id: 'acme/x', files: SHARDED });
    const fault = world.hub.faults.add({ ...readOfPart(part), kind: 'corrupt', afterBytes: 5000, times: 1 });
    const images = await world.publish(limited(world));
    assert.equal(fault.struck, 1);
    assert.deepEqual(statuses(images), ['published']);
    const files = await filesOf(world);
    const tensors = PARTS.flatMap(name => [...tensorsOf(files.get(`${name}.safetensors`) as Buffer)]);
    assert.deepEqual(new Map(tensors), tensorsOf(WHOLE));
  }
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: SHARDED });
  world.hub.faults.add({ ...readOfPart(1), kind: 'corrupt', afterBytes: 5000, times: 100 });
  const [fat] = await world.publish(limited(world), { variants: ['fat'] });
  assert.ok(fat?.error instanceof IntegrityError && fat.error.code === 'INTEGRITY_HASH');
  assert.equal(world.registry(0).manifest('acme/hf-x', 'v0.6.0-fat'), undefined);
  assert.equal(world.registry(0).openUploads, 0);
});

test('a download that breaks in a part goes on where it stood', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: SHARDED });
  const fault = world.hub.faults.add({ ...readOfPart(1), kind: 'reset', afterBytes: 300_000, times: 2 });
  assert.deepEqual(statuses(await world.publish(limited(world))), ['published']);
  assert.equal(fault.struck, 2);
});

test('a target that breaks in the middle of the parts does not stop the other', async () => {
  await using world = await World.start({}, { quirks: { fullAfterBytes: 1_500_000 } });
  await world.hub.addModel({ id: 'acme/x', files: SHARDED });
  const images = await world.publish(limited(world), { variants: ['fat'] });
  assert.deepEqual(images.map(({ registry, status }) => [registry, status]).sort(), [
    ['r0', 'published'],
    ['r1', 'failed'],
  ]);
  assert.equal(world.registry(1).manifest('acme/hf-x', 'v0.6.0-fat'), undefined);
  world.registry(1).quirks.fullAfterBytes = 1e9;
  const reads = weightReads(world);
  assert.deepEqual(statuses(await world.publish(limited(world), { variants: ['fat'] })).sort(), [
    'published',
    'unchanged',
  ]);
  assert.equal(weightReads(world) - reads, 2);
});

test('of a model in shards, only the large one is divided, and its index says so', async () => {
  await using world = await World.start({ quirks: { maxBlobBytes: LIMIT } });
  const small = safetensorsFile([{ name: 'embed.weight', shape: [10, 10] }], seededRandom(2));
  const index = {
    metadata: { total_size: 1 },
    weight_map: Object.fromEntries([
      ['embed.weight', 'model-00001-of-00002.safetensors'],
      ...TENSORS.map(({ name }) => [name, 'model-00002-of-00002.safetensors']),
    ]),
  };
  await world.hub.addModel({
    id: 'acme/x',
    files: {
      ...SMALL_FILES,
      'model-00001-of-00002.safetensors': small,
      'model-00002-of-00002.safetensors': WHOLE,
      'model.safetensors.index.json': JSON.stringify(index),
    },
  });
  assert.deepEqual(statuses(await world.publish(limited(world))), ['published']);
  const files = await filesOf(world);
  assert.deepEqual(files.get('model-00001-of-00002.safetensors'), small);
  assert.equal(files.has('model-00002-of-00002.safetensors'), false);
  const made = JSON.parse(String(files.get('model.safetensors.index.json')));
  assert.equal(made.weight_map['embed.weight'], 'model-00001-of-00002.safetensors');
  for (const { name } of TENSORS) {
    const bytes = files.get(made.weight_map[name]) as Buffer;
    assert.deepEqual(tensorsOf(bytes).get(name), tensorsOf(WHOLE).get(name));
  }
  assert.match(made.weight_map['model.layers.0.weight'], /^model-00002-of-00002-part-00001-of-00003\./);
});

test('a file that cannot be divided keeps the fat image from that registry alone', async () => {
  await using world = await World.start({}, {});
  const files = { ...SMALL_FILES, 'model.gguf': Buffer.alloc(1_200_000, 1) };
  await world.hub.addModel({ id: 'acme/x', files });
  const images = await world.publish(limited(world));
  assert.deepEqual(images.map(({ registry, variant, status }) => [registry, variant, status]).sort(), [
    ['r0', 'fat', 'skipped'],
    ['r0', 'slim', 'published'],
    ['r1', 'fat', 'published'],
    ['r1', 'slim', 'published'],
  ]);
  const skipped = images.find(image => image.status === 'skipped');
  assert.match(skipped?.reason ?? '', /^model\.gguf has 1\.2 MB and .* takes no layer above 1 MB, and only/);
  assert.equal(world.registry(0).manifest('acme/hf-x', 'v0.6.0-fat'), undefined);
});

test('a header that came wrong into the plan shows in the hash of the file', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: SHARDED });
  // The bit makes another name of a tensor's, and a header that is one all the same.
  const at = WHOLE.indexOf('model.layers.3') - 8;
  const fault = world.hub.faults.add({ match: /^GET cdn /, skip: 1, kind: 'corrupt', afterBytes: at });
  const planned = await world.plan(limited(world));
  assert.equal(fault.struck, 1);
  assert.equal(planned.resharding?.files[0]?.parts.length, PARTS.length);
  const [fat] = await world.publishPlanned(planned, { variants: ['fat'] });
  assert.ok(fat?.error instanceof IntegrityError, String(fat?.error ?? fat?.status));
  assert.equal(world.registry(0).manifest('acme/hf-x', 'v0.6.0-fat'), undefined);
});
