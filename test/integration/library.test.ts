import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import path from 'node:path';
import { test } from 'node:test';
import { verifySigned } from '../../src/attest/verify-signed.ts';
import { createWeighbridge, type ProgressEvent, parseConfig, WeighbridgeError } from '../../src/index.ts';
import { temporaryFolder } from '../support/tools.ts';
import { MODEL_FILES, World } from '../support/world.ts';

test('the library plans, publishes to registries and into a folder, inspects and verifies', async t => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const folder = await temporaryFolder(t);
  const events: ProgressEvent[] = [];
  await using weighbridge = createWeighbridge({
    env: { HF_ENDPOINT: world.hub.url, WEIGHBRIDGE_LAYER_INDEX: '' },
    onEvent: event => events.push(event),
  });

  const plan = await weighbridge.plan(parseConfig(world.config('acme/x'), 'models.yaml'));
  assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan);
  const [published] = await weighbridge.publish(plan);
  assert.deepEqual(
    published?.images.map(({ variant, status }) => `${variant} ${status}`),
    ['slim published', 'fat published'],
  );
  const reference = published?.images[1]?.tags[0] ?? '';
  const inspected = await weighbridge.inspect(reference);
  assert.equal(inspected.images[0]?.model?.id, 'acme/x');
  assert.equal((await weighbridge.verify(reference, { isDeep: true })).ok, true);
  assert.ok(events.some(event => event.type === 'image' && event.status === 'published'));

  const place = path.join(folder, 'images');
  const [built] = await weighbridge.publish(plan, { to: `oci:${place}`, variants: ['fat'] });
  assert.deepEqual(
    built?.images.map(({ status }) => status),
    ['published'],
  );
  assert.equal((await weighbridge.verify(`oci:${place}:v0.6.0-fat`)).ok, true);
  await assert.rejects(
    weighbridge.plan(parseConfig(world.config('acme/x'), 'models.yaml'), { models: ['nothing'] }),
    (error: unknown) => error instanceof WeighbridgeError && error.code === 'USAGE',
  );
});

test('the library signs as the file says, also a plan that it did not make', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const env = { HF_ENDPOINT: world.hub.url, WEIGHBRIDGE_LAYER_INDEX: '', SIGNING_KEY: key };
  await using weighbridge = createWeighbridge({ env });
  const signing = 'signing: {mode: required, key: "env://SIGNING_KEY"}';
  const config = parseConfig(`${signing}\n${world.config('acme/x')}`, 'models.yaml');
  const plan = await weighbridge.plan(config);
  await weighbridge.publish(plan, { variants: ['fat'] });
  const copy = JSON.parse(JSON.stringify(plan));
  const [again] = await weighbridge.publish(copy, { variants: ['slim'], config });
  assert.deepEqual(again?.images[0]?.status, 'published');
  const store = world.open(`${world.registry(0).host}/acme/hf-x`);
  const trusted = { kind: 'key', key: publicKey, name: 'key' } as const;
  for (const variant of ['fat', 'slim']) {
    const [check] = await verifySigned(store, `v0.6.0-${variant}`, { trusted, policy: 'strict' });
    assert.deepEqual(check?.problems, [], variant);
  }
});

test('a call that is stopped rejects, and takes nothing from the environment unasked', async () => {
  await using world = await World.start();
  const controller = new AbortController();
  controller.abort();
  await using weighbridge = createWeighbridge({
    env: { HF_ENDPOINT: world.hub.url },
    signal: controller.signal,
  });
  await assert.rejects(weighbridge.plan(parseConfig(world.config('acme/x'), 'models.yaml')), {
    name: 'InterruptedError',
  });
});

test('a plan whose images have a model signature as a file is not published by who signs nothing', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const env = { HF_ENDPOINT: world.hub.url, WEIGHBRIDGE_LAYER_INDEX: '', SIGNING_KEY: key };
  await using weighbridge = createWeighbridge({ env });
  const signing = 'signing: {mode: required, key: "env://SIGNING_KEY", model_signature_file: true}';
  const config = parseConfig(`${signing}\n${world.config('acme/x')}`, 'models.yaml');
  const plan = await weighbridge.plan(config);
  const copy = JSON.parse(JSON.stringify(plan));
  const [refused] = await weighbridge.publish(copy, { variants: ['fat'] });
  const [image] = refused?.images ?? [];
  assert.ok(image?.status === 'failed' && image.error instanceof WeighbridgeError);
  assert.match(image.error.message, /x needs its model signature as a file, and signing is not configured/);
  const [published] = await weighbridge.publish(copy, { variants: ['fat'], config });
  assert.equal(published?.images[0]?.status, 'published');
});
