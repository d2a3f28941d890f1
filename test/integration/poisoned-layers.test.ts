import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import { layerKindOf } from '../../src/image/format/layer-annotations.ts';
import { type Descriptor, type Manifest, MediaType } from '../../src/oci/types.ts';
import { openLayerIndex } from '../../src/publish/target/layer-index.ts';
import type { EmbeddedRegistry } from '../../src/testkit/registry.ts';
import { temporaryFolder } from '../support/tools.ts';
import { MODEL_FILES, World } from '../support/world.ts';

const REPOSITORY = 'acme/hf-x';

test('a layer that one registry claims falsely reaches no other one, and is replaced where it was', async () => {
  const genuine = await genuineManifest();
  await using world = await World.start({}, {});
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const { stranger, weights } = poison(world.registry(0), 'v0.5.9-fat', genuine);

  const images = await world.publish(world.config('acme/x'));
  assert.deepEqual([...new Set(images.map(({ status }) => status))], ['published']);
  for (const registry of world.registries) {
    const published = fatManifest(registry);
    assert.equal(weightsOf(published).digest, weights.digest);
    assert.ok(registry === world.registry(0) || registry.blobSize(stranger) === undefined);
  }
  assert.ok(
    world.events.some(event => event.type === 'warning' && event.text.includes('which it is not')),
    'the false claim is told',
  );
});

test('a claim of another size, or under a tag that is none of the model, is not believed', async () => {
  const genuine = await genuineManifest();
  for (const [tag, change] of [
    ['not-ours', (size: number) => size],
    ['v0.5.9-fat', (size: number) => size + 512],
  ] as const) {
    await using world = await World.start();
    await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
    const { weights } = poison(world.registry(0), tag, genuine, change);
    await world.publish(world.config('acme/x'));
    assert.equal(weightsOf(fatManifest(world.registry(0))).digest, weights.digest, tag);
  }
});

test("this machine's notes prove nothing: the bytes are read back, and wrong ones are made anew", async t => {
  const genuine = await genuineManifest();
  const folder = await temporaryFolder(t);
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const weights = weightsOf(genuine);
  const bytes = Buffer.alloc(weights.size, 7);
  const file = path.join(folder, 'layers.jsonl');
  await appendFile(file, `${JSON.stringify({ ...weights, digest: digestOf(bytes) })}\n`);
  const index = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] }),
  );
  const manifests = [{ mediaType: MediaType.ociIndex, bytes: index }];
  world.registry(0).putImage(REPOSITORY, 'x', { blobs: [bytes], manifests });
  await world.publish(world.config('acme/x'), { layerIndex: openLayerIndex(file) });
  assert.equal(weightsOf(fatManifest(world.registry(0))).digest, weights.digest);
});

async function genuineManifest(): Promise<Manifest> {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  await world.publish(world.config('acme/x'));
  return fatManifest(world.registry(0));
}

/** Puts a manifest under `tag` that claims the key of the weights for bytes of a stranger. */
function poison(
  registry: EmbeddedRegistry,
  tag: string,
  genuine: Manifest,
  sizeOf = (size: number): number => size,
): { stranger: Digest; weights: Descriptor } {
  const weights = weightsOf(genuine);
  const bytes = Buffer.alloc(sizeOf(weights.size), 'code of a stranger');
  const stranger = digestOf(bytes);
  const layers = genuine.layers.map(layer =>
    layer.digest === weights.digest ? { ...layer, digest: stranger, size: bytes.length } : layer,
  );
  const manifest = Buffer.from(JSON.stringify({ ...genuine, layers }));
  registry.putImage(REPOSITORY, tag, {
    blobs: [bytes],
    manifests: [{ mediaType: genuine.mediaType, bytes: manifest }],
  });
  return { stranger, weights };
}

function fatManifest(registry: EmbeddedRegistry): Manifest {
  const stored = registry.manifest(REPOSITORY, 'v0.6.0-fat');
  return JSON.parse(stored?.bytes.toString('utf8') ?? 'null');
}

function weightsOf({ layers }: Manifest): Descriptor {
  const found = layers.find(layer => layerKindOf(layer) === 'weights');
  assert.ok(found !== undefined);
  return found;
}
