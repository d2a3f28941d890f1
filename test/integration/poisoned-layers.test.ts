import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { BUNDLE_TYPE } from '../../src/attest/bundle.ts';
import { keySigner } from '../../src/attest/signers/key-signer.ts';
import { statementAbout, statementBytes } from '../../src/attest/statement.ts';
import { listStatements, readStoredBundle } from '../../src/attest/stored-statements.ts';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import { imageSigning } from '../../src/engine/signing.ts';
import { layerKindOf, readLayerDescriptor } from '../../src/image/format/layer-annotations.ts';
import { type Descriptor, type Manifest, MediaType } from '../../src/oci/types.ts';
import { openLayerIndex } from '../../src/publish/target/layer-index.ts';
import type { ImageSigning } from '../../src/publish/types.ts';
import { putArtifact } from '../../src/store/attach-artifact.ts';
import type { EmbeddedRegistry } from '../../src/testkit/registry.ts';
import { temporaryFolder } from '../support/tools.ts';
import { MODEL_FILES, putBase, type SeenImage, World } from '../support/world.ts';

const REPOSITORY = 'acme/hf-x';

const REGISTRIES = [
  ['', {}],
  [', also by a registry that asks for no blobs', { takesAnyManifest: true }],
] as const;
for (const [how, quirks] of REGISTRIES)
  test(`a layer that one registry claims falsely reaches no other one, and is replaced where it was${how}`, async () => {
    const genuine = await genuineManifest();
    await using world = await World.start({ quirks }, {});
    await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
    const { stranger, weights } = poison(world.registry(0), 'v0.5.9-fat', genuine);

    const images = await world.publish(world.config('acme/x'));
    assert.deepEqual([...new Set(images.map(({ status }) => status))], ['published']);
    for (const registry of world.registries) {
      const published = fatManifest(registry);
      assert.equal(weightsOf(published).digest, weights.digest);
      for (const { digest } of published.layers) assert.ok(registry.repository(REPOSITORY).blobs.has(digest));
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

test('a claim of another size is not believed where all other layers are what they should be', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  await world.publish(world.config('acme/x'));
  const genuine = fatManifest(world.registry(0));
  const tags = [...world.registry(0).repository(REPOSITORY).tags.keys()].filter(tag => tag.endsWith('-fat'));
  for (const tag of tags) poison(world.registry(0), tag, genuine, size => size + 512);
  await world.publish(world.config('acme/x'));
  assert.deepEqual(fatManifest(world.registry(0)), genuine);
});

test('contents that are right under the path of another file are not the layer: its whole tar is hashed', async () => {
  const genuine = await genuineManifest();
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const weights = weightsOf(genuine);
  await world.publish(world.config('acme/x'));
  const bytes = Buffer.from((await world.registry(0).readBlob(weights.digest)) ?? assert.fail());
  const [file = assert.fail()] = readLayerDescriptor(weights)?.files ?? [];
  // The header of the tar is not hashed with the file.
  bytes.write('usr/bin/vllm\0', file.offset - 512);
  const tags = [...world.registry(0).repository(REPOSITORY).tags.keys()].filter(tag => tag.endsWith('-fat'));
  for (const tag of tags) poison(world.registry(0), tag, genuine, undefined, bytes);
  await world.publish(world.config('acme/x'), { signing: signingOf(world, privateKey) });
  assert.equal(weightsOf(fatManifest(world.registry(0))).digest, weights.digest);
});

test('a forced publish brings each layer that a registry lacks, whatever its manifests name', async () => {
  const genuine = await genuineManifest();
  await using world = await World.start({ quirks: { takesAnyManifest: true } });
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const bytes = Buffer.from(JSON.stringify(genuine));
  const manifests = [{ mediaType: genuine.mediaType, bytes }];
  world.registry(0).putImage(REPOSITORY, 'v0.6.0-fat', { blobs: [], manifests });
  await world.publish(world.config('acme/x'), { isForced: true });
  const { blobs } = world.registry(0).repository(REPOSITORY);
  const { layers, config } = fatManifest(world.registry(0));
  assert.deepEqual(
    [...layers, config].filter(({ digest }) => !blobs.has(digest)),
    [],
  );
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

describe('where publishes are signed', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const statusesOf = (images: readonly SeenImage[]) => [...new Set(images.map(({ status }) => status))];

  test("a stranger's manifest under the model's own tag is not believed without our signature", async () => {
    const genuine = await genuineManifest();
    await using world = await World.start();
    await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
    const { weights } = poison(world.registry(0), 'v0.6.0-fat', genuine);
    await world.publish(world.config('acme/x'), { signing: signingOf(world, privateKey) });
    assert.equal(weightsOf(fatManifest(world.registry(0))).digest, weights.digest);

    await using unsigned = await World.start();
    await unsigned.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
    const { stranger } = poison(unsigned.registry(0), 'v0.6.0-fat', genuine);
    await unsigned.publish(unsigned.config('acme/x'));
    assert.equal(weightsOf(fatManifest(unsigned.registry(0))).digest, stranger, 'as docs/security.md says');
  });

  test('nor with the signature of another key, nor with ours of another image', async () => {
    const genuine = await genuineManifest();
    await using world = await World.start();
    await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
    await world.publish(world.config('acme/x'), { signing: signingOf(world, privateKey) });
    const ours = world.registry(0).manifest(REPOSITORY, 'v0.6.0-fat')?.digest ?? assert.fail();
    const { weights } = poison(world.registry(0), 'v0.6.0-fat', genuine);
    const store = world.open(`${world.registry(0).host}/${REPOSITORY}`);
    const forged = (await store.getManifest('v0.6.0-fat')) ?? assert.fail();
    const subject = { mediaType: forged.mediaType, digest: forged.digest, size: forged.bytes.length };
    const [own = assert.fail()] = (await listStatements(store, ours)).filter(({ kind }) => kind === 'image');
    const other = keySigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    const statement = statementBytes(statementAbout(forged.digest, 'image', {}));
    for (const bundle of [await readStoredBundle(store, own), await other.sign(statement)])
      await putArtifact(store, subject, {
        artifactType: BUNDLE_TYPE,
        annotations: own.descriptor.annotations ?? {},
        files: [{ mediaType: BUNDLE_TYPE, bytes: bundle }],
      });
    assert.ok((await listStatements(store, forged.digest)).length === 2);

    // The genuine image is still signed under its other tags: nothing of the stranger is taken, nothing has to be read.
    const images = await world.publish(world.config('acme/x'), { signing: signingOf(world, privateKey) });
    assert.deepEqual(statusesOf(images).sort(), ['published', 'unchanged']);
    assert.equal(weightsOf(fatManifest(world.registry(0))).digest, weights.digest);
  });

  test('an entry that shares a folder is believed like the repository itself: with signing, only what we signed', async () => {
    const genuine = await genuineManifest();
    for (const isSigned of [true, false]) {
      await using world = await World.start();
      await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
      const { stranger, weights } = poison(world.registry(0), 'v0.6.0-fat', genuine);
      const more = '    folder: x\n  - { id: acme/x, short: x }\n';
      const yaml = world.config('acme/x', more).replace('short: x\n', 'short: x-long\n');
      await world.publish(yaml, isSigned ? { signing: signingOf(world, privateKey) } : {});
      const { layers } = world.manifest(0, 'v0.6.0-fat', 'acme/hf-x-long');
      const has = (digest: Digest) => layers.some(layer => layer.digest === digest);
      assert.deepEqual([has(weights.digest), has(stranger)], [isSigned, !isSigned]);
    }
  });

  test('signed images are believed: an unchanged run moves nothing, and a new base image moves no weights', async () => {
    await using world = await World.start();
    await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
    await world.publish(world.config('acme/x'), { signing: signingOf(world, privateKey) });
    const [hub, registry] = [world.hub.log, world.registry(0).log];
    const [hubStart, registryStart] = [hub.length, registry.length];
    const again = await world.publish(world.config('acme/x'), { signing: signingOf(world, privateKey) });
    assert.deepEqual(statusesOf(again), ['unchanged']);
    putBase(world.registry(0), 'v0.6.0', 'another');
    const moved = await world.publish(world.config('acme/x'), { signing: signingOf(world, privateKey) });
    assert.deepEqual(statusesOf(moved), ['published']);
    const isWeights = ({ path: place }: { path: string }) => place.includes('.safetensors');
    assert.deepEqual(hub.slice(hubStart).filter(isWeights), []);
    const { digest } = weightsOf(fatManifest(world.registry(0)));
    const reads = registry
      .slice(registryStart)
      .filter(one => one.path.includes(digest) && one.method === 'GET');
    assert.deepEqual(reads, []);
  });

  test('what was published unsigned is read back once, hashed, and signed: unchanged, and nothing is uploaded', async () => {
    await using world = await World.start();
    await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
    await world.publish(world.config('acme/x'));
    const uploads = () =>
      world
        .registry(0)
        .log.filter(({ method, path: place }) => method === 'PATCH' && place.includes(REPOSITORY));
    const before = uploads().length;
    const { digest } = weightsOf(fatManifest(world.registry(0)));
    const reads = () =>
      world.registry(0).log.filter(one => one.path.includes(digest) && one.method === 'GET').length;
    const images = await world.publish(world.config('acme/x'), { signing: signingOf(world, privateKey) });
    assert.deepEqual(statusesOf(images), ['unchanged']);
    assert.equal(uploads().length, before);
    assert.equal(reads(), 1);
    await world.publish(world.config('acme/x'), { signing: signingOf(world, privateKey) });
    assert.equal(reads(), 1);
  });
});

function signingOf(world: World, key: KeyObject): ImageSigning {
  return imageSigning(
    {
      ...{ signer: keySigner(key), tool: { version: '0.1.0', builderId: 'https://builder.example' } },
      ...{ vex: [], hub: world.hubClient(), hashes: new Map() },
    },
    true,
  );
}

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
  given?: Buffer,
): { stranger: Digest; weights: Descriptor } {
  const weights = weightsOf(genuine);
  const bytes = given ?? Buffer.alloc(sizeOf(weights.size), 'code of a stranger');
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
