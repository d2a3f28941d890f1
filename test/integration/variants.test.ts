import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Variant } from '../../src/config/types.ts';
import { digestOf } from '../../src/core/digest.ts';
import { HttpClient } from '../../src/http/client.ts';
import { createHub } from '../../src/hub/create-hub.ts';
import { ModelPackAnnotation } from '../../src/image/format/modelpack.ts';
import { isRight, verifyImage } from '../../src/inspect/verify-image.ts';
import type { Manifest } from '../../src/oci/types.ts';
import { makeBaseImage } from '../../src/testkit/base-image.ts';
import { PARTS, SHARDED, WHOLE } from '../support/sharded-model.ts';
import { BASE_REPOSITORY, MODEL_FILES, World } from '../support/world.ts';

const ALL: readonly Variant[] = ['slim', 'fat', 'weights', 'modelpack'];
const WEIGHTS_FIRST = '    layer_order: weights-first\n';

const digestsOf = (manifest: Manifest, kind: string): string[] =>
  manifest.layers
    .filter(layer => layer.annotations?.['io.weighbridge.layer.kind'] === kind)
    .map(layer => layer.digest);

async function published(world: World, more: string, variants = ALL) {
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES }).catch(() => undefined);
  return await world.publish(world.config('acme/x', more), { variants });
}

test('fat, weights and modelpack tar share every layer of the model, and each is moved once', async () => {
  await using world = await World.start();
  const images = await published(world, '    variants: [fat, weights, modelpack]\n    modelpack: tar\n');
  assert.deepEqual(
    images.map(({ variant, status }) => `${variant} ${status}`),
    ['fat published', 'weights published', 'modelpack published'],
  );
  const [fat, weights, modelpack] = ['v0.6.0-fat', 'weights', 'modelpack'].map(tag => world.manifest(0, tag));
  for (const kind of ['weights', 'files']) {
    const own = digestsOf(fat as Manifest, kind);
    assert.ok(own.length > 0);
    assert.deepEqual(digestsOf(weights as Manifest, kind), own);
    assert.deepEqual(digestsOf(modelpack as Manifest, kind), own);
  }
  const [, second, third] = images;
  // What is left for the others: links, licenses and documents.
  assert.ok((second?.bytes.uploaded ?? 0) < 100_000, `${second?.bytes.uploaded} bytes for weights`);
  assert.ok((third?.bytes.uploaded ?? 0) < 20_000, `${third?.bytes.uploaded} bytes for modelpack`);
  assert.ok((second?.bytes.downloaded ?? 0) < 100_000, `${second?.bytes.downloaded} bytes read for weights`);
});

for (const { form, times } of [
  { form: 'tar', times: 1 },
  { form: 'raw', times: 2 },
]) {
  test(`fat, weights and modelpack ${form} in one publish: each weight file is read and uploaded ${times === 1 ? 'once' : 'twice'}`, async () => {
    await using world = await World.start();
    const images = await published(
      world,
      `    variants: [fat, weights, modelpack]\n    modelpack: ${form}\n`,
    );
    const weights = Object.entries(MODEL_FILES).filter(([path]) => path.endsWith('.safetensors'));
    for (const [path, bytes] of weights) {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const isOfFile = (asked: string) => asked.includes(path) || asked.includes(sha256);
      const reads = world.hub.log.filter(
        entry => entry.origin === 'cdn' && entry.method === 'GET' && isOfFile(entry.path),
      );
      assert.equal(reads.length, times, path);
    }
    const total = weights.reduce((sum, [, bytes]) => sum + bytes.length, 0);
    const uploaded = images.reduce((sum, image) => sum + image.bytes.uploaded, 0);
    assert.ok(uploaded > total * times && uploaded < total * (times + 0.5), `${uploaded} of ${total}`);
  });
}

for (const { limits, raw } of [
  { limits: { layer_target: '1MB' }, raw: ['model.safetensors'] },
  { limits: { layer_limits: '1MB' }, raw: PARTS.map(part => `${part}.safetensors`) },
]) {
  const [[key, size]] = Object.entries(limits) as [[string, string]];
  test(`${key}: fat is divided, and raw blobs are ${raw.length === 1 ? "the Hub's files" : 'divided like it'}`, async () => {
    await using world = await World.start();
    await world.hub.addModel({ id: 'acme/x', files: SHARDED });
    const config = world.config('acme/x', '    variants: [fat, weights, modelpack]\n');
    const yaml =
      key === 'layer_target'
        ? `${config}    layer_target: ${size}\n`
        : `layer_limits: {r0: ${size}}\n${config}`;
    for (const status of ['published', 'unchanged']) {
      const images = await world.publish(yaml, { variants: ALL });
      assert.deepEqual(
        images.map(image => `${image.variant} ${image.status}`),
        ['fat', 'weights', 'modelpack'].map(variant => `${variant} ${status}`),
      );
    }
    const weightsOf = (tag: string) =>
      world
        .manifest(0, tag)
        .layers.filter(layer => layer.annotations?.['io.weighbridge.layer.kind'] === 'weights');
    const pathsOf = (tag: string) =>
      weightsOf(tag).map(layer => layer.annotations?.['io.weighbridge.file.path']);
    assert.deepEqual(
      pathsOf('v0.6.0-fat'),
      PARTS.map(part => `${part}.safetensors`),
    );
    assert.deepEqual(pathsOf('modelpack'), raw);
    if (raw.length === 1) assert.equal(weightsOf('modelpack')[0]?.digest, digestOf(WHOLE));
  });
}

test('a weights image is an ordinary image without a base or a command', async () => {
  await using world = await World.start();
  await published(world, '    variants: [weights]\n    serve_args: ["--port", "9000"]\n');
  const manifest = world.manifest(0, 'weights');
  const config = JSON.parse(String(await world.registry(0).readBlob(manifest.config.digest)));
  assert.equal(config.os, 'linux');
  assert.equal(config.architecture, 'amd64');
  assert.deepEqual(config.config.Env, ['MODEL_ID=acme/x', 'MODEL_DIR=/models/x', 'SERVE_ARGS=--port 9000']);
  assert.equal(config.config.Entrypoint, undefined);
  assert.equal(config.config.Labels['io.weighbridge.variant'], 'weights');
  assert.deepEqual(
    config.rootfs.diff_ids,
    manifest.layers.map(layer => layer.digest),
  );
  assert.equal(config.history.length, manifest.layers.length);
  const kinds = manifest.layers.map(layer => layer.annotations?.['io.weighbridge.layer.kind']);
  assert.deepEqual(kinds.slice(-3), ['files', 'links', 'licenses']);
});

test('raw blobs have the digests of the Hub, and one that is there is not read', async () => {
  await using world = await World.start();
  await published(world, '    variants: [modelpack]\n');
  const manifest = world.manifest(0, 'modelpack') as Manifest;
  assert.equal(manifest.artifactType, 'application/vnd.cncf.model.manifest.v1+json');
  for (const { annotations, digest, size } of manifest.layers) {
    const path = annotations?.['org.cncf.model.filepath'] ?? '';
    const bytes = Buffer.from(MODEL_FILES[path as keyof typeof MODEL_FILES]);
    assert.equal(digest, `sha256:${createHash('sha256').update(bytes).digest('hex')}`, path);
    assert.equal(size, bytes.length);
  }
  const types = new Set(manifest.layers.map(layer => layer.mediaType.replace(/^.*model\./, '')));
  assert.deepEqual([...types].sort(), ['doc.v1.raw', 'weight.config.v1.raw', 'weight.v1.raw']);
  // Another client has them under another name: a HEAD is all it takes.
  const tags = '    variants: [modelpack]\n    tags: {modelpack: [again]}\n';
  const [image] = await published(world, tags);
  assert.equal(image?.status, 'published');
  assert.equal(image?.bytes.downloaded, 0);
});

test("an artifact's config says what the model's own files say", async () => {
  await using world = await World.start();
  const config = { architectures: ['LlamaForCausalLM'], model_type: 'llama', torch_dtype: 'bfloat16' };
  const quantization = { quant_method: 'awq', bits: 4 };
  const expected = [
    { id: 'acme/x', json: config, says: { paramSize: '300k', precision: 'bfloat16' } },
    {
      id: 'acme/y',
      json: { ...config, quantization_config: quantization },
      says: { precision: 'int4', quantization: 'awq' },
    },
    { id: 'acme/z', json: { model_type: 'llama' }, says: {} },
  ];
  for (const { id, json, says } of expected) {
    await world.hub.addModel({ id, files: { ...MODEL_FILES, 'config.json': JSON.stringify(json) } });
    await world.publish(world.config(id, '    variants: [modelpack]\n'), { variants: ALL });
    const manifest = world.manifest(0, 'modelpack');
    const written = JSON.parse(String(await world.registry(0).readBlob(manifest.config.digest)));
    assert.deepEqual(written.config, { format: 'safetensors', ...says }, id);
    assert.deepEqual(
      written.modelfs.diffIds,
      manifest.layers.map(layer => layer.digest),
    );
  }
});

test('weights first: the weights image is what the fat image begins with, whatever the base', async () => {
  await using world = await World.start();
  await published(world, `    variants: [fat, weights]\n${WEIGHTS_FIRST}`);
  const fat = world.manifest(0, 'v0.6.0-fat') as Manifest;
  const model = (world.manifest(0, 'weights') as Manifest).layers.slice(0, -2).map(layer => layer.digest);
  assert.deepEqual(
    fat.layers.slice(0, model.length).map(layer => layer.digest),
    model,
  );
  const config = JSON.parse(String(await world.registry(0).readBlob(fat.config.digest)));
  assert.deepEqual(config.rootfs.diff_ids.slice(0, model.length), model);
  assert.equal(
    config.history.filter((step: { empty_layer?: boolean }) => !step.empty_layer).length,
    fat.layers.length,
  );
});

test('a publish of all variants a second time changes nothing', async () => {
  await using world = await World.start();
  const more = `    variants: [slim, fat, weights, modelpack]\n${WEIGHTS_FIRST}`;
  await published(world, more);
  const images = await published(world, more);
  assert.deepEqual(new Set(images.map(image => image.status)), new Set(['unchanged']));
});

for (const form of ['raw', 'tar']) {
  test(`verify reads every byte of an artifact, ${form}`, async () => {
    await using world = await World.start();
    await published(world, `    variants: [modelpack]\n    modelpack: ${form}\n`);
    const store = world.open(`${world.registry(0).host}/acme/hf-x`, 'pull');
    const hub = createHub({ http: new HttpClient(), endpoint: world.hub.url });
    const rebuild = { bootstrap: [], readBase: () => assert.fail('it has no base image') };
    const verify = async (tag: string, isDeep: boolean) => {
      const [check = assert.fail()] = await verifyImage(store, tag, { hub, isDeep, rebuild });
      return check;
    };
    const check = await verify('modelpack', true);
    assert.ok(isRight(check), JSON.stringify(check.problems));
    assert.equal(check.variant, 'modelpack');

    // One file too many, and one of the model's files in another place.
    const manifest = world.manifest(0, 'modelpack');
    const [first = assert.fail(), ...rest] = manifest.layers;
    const bytes = Buffer.from('import os');
    const stranger = { ...first, digest: digestOf(bytes), size: bytes.length, annotations: {} };
    const moved = { ...first.annotations, [ModelPackAnnotation.path]: '../vllm' };
    for (const layers of [
      [...manifest.layers, stranger],
      [{ ...first, annotations: moved }, ...rest],
    ]) {
      const { mediaType } = manifest;
      const tampered = Buffer.from(JSON.stringify({ ...manifest, layers }));
      world
        .registry(0)
        .putImage('acme/hf-x', 'tampered', { blobs: [bytes], manifests: [{ mediaType, bytes: tampered }] });
      assert.notDeepEqual((await verify('tampered', false)).problems, []);
      assert.notDeepEqual((await verify('tampered', true)).problems, []);
    }
  });
}

test('a variant that is not listed is neither built nor mentioned', async () => {
  await using world = await World.start();
  const images = await published(world, '    variants: [weights]\n');
  assert.deepEqual(
    images.map(image => image.variant),
    ['weights'],
  );
});

test('a license that forbids a fat image forbids the weights in any form, with the same reason', async () => {
  await using world = await World.start();
  const card = '---\nlicense: llama3.1\n---\n';
  await world.hub.addModel({ id: 'acme/x', files: { ...MODEL_FILES, 'README.md': card } });
  const variants = '    variants: [fat, weights, modelpack]\n';
  const images = await world.publish(world.config('acme/x', variants), { variants: ALL });
  assert.deepEqual(
    images.map(image => image.status),
    ['skipped', 'skipped', 'skipped'],
  );
  assert.equal(new Set(images.map(image => image.reason)).size, 1);
});

test('an image does not depend on which other variants are listed', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const digests = new Set<string | undefined>();
  for (const variants of ['weights', 'slim, weights', 'fat, weights, modelpack']) {
    const images = await world.publish(world.config('acme/x', `    variants: [${variants}]\n`), {
      variants: ALL,
    });
    digests.add(images.find(({ variant }) => variant === 'weights')?.digest);
  }
  assert.equal(digests.size, 1, [...digests].join());
});

test('a slim image says who may fetch its model', async () => {
  await using world = await World.startWith({ hub: { token: 'hf_test' } });
  const settings = [
    { id: 'acme/open', says: undefined },
    { id: 'acme/gated', gated: 'auto', says: 'gated' },
    { id: 'acme/private', isPrivate: true, says: 'private' },
  ] as const;
  for (const { id, says, ...more } of settings) {
    await world.hub.addModel({ id, files: MODEL_FILES, ...more });
    const planned = await world.plan(world.config(id), 'hf_test');
    await world.publishPlanned(planned, { variants: ['slim'] });
    const { annotations } = world.manifest(0, 'v0.6.0-slim');
    assert.equal(annotations?.['io.weighbridge.model.access'], says, id);
  }
});

test('a base that has something in the folder of models is refused below it, and auto goes above it', async () => {
  await using world = await World.start();
  const large = { ...MODEL_FILES, 'model-00001-of-00003.safetensors': Buffer.alloc(900_000, 1) };
  await world.hub.addModel({ id: 'acme/x', files: large });
  await makeBaseImage(world.registry(0), BASE_REPOSITORY, 'v0.6.0', {
    layers: [{ 'opt/tool': 'tool' }, { 'models/.wh.old': '' }],
  });
  const order = async (layerOrder: string) => {
    const yaml = world.config('acme/x', `    variants: [fat]\n    layer_order: ${layerOrder}\n`);
    const [image] = await world.publish(yaml, { variants: ['fat'], isForced: true });
    return image;
  };
  const refused = await order('weights-first');
  assert.equal(refused?.status, 'failed');
  assert.match(
    String(refused?.error),
    /v0\.6\.0 has \/models\/\.wh\.old, which would hide or replace a model below it in \/models/,
  );
  assert.equal((await order('auto'))?.status, 'published');
  const [first] = (world.manifest(0, 'v0.6.0-fat') as Manifest).layers;
  assert.equal(first?.annotations, undefined, 'the base is below');
});
