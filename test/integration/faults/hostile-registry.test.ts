import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../../src/core/digest.ts';
import { describeError, WeighbridgeError } from '../../../src/core/errors.ts';
import { serve } from '../../../src/http/loopback.fixtures.ts';
import { MediaType } from '../../../src/oci/types.ts';
import { listReferrers } from '../../../src/store/referrers.ts';
import type { RegistryOptions } from '../../../src/testkit/registry.ts';
import { BASE_REPOSITORY, LOGIN, MODEL_FILES, World } from '../../support/world.ts';

const ALWAYS = Number.POSITIVE_INFINITY;
const AUTH = { kind: 'bearer', ...LOGIN } as const;

async function published(options: RegistryOptions, spoil?: (world: World) => void) {
  const world = await World.start(options);
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  spoil?.(world);
  const images = await world
    .publish(world.config('acme/x'), { variants: ['slim'] })
    .finally(() => world[Symbol.asyncDispose]());
  const [image] = images;
  const error = image !== undefined && 'error' in image ? image.error : undefined;
  return { world, status: image?.status, error: error as WeighbridgeError | undefined };
}

test('a challenge from where a redirect leads gets no login', async t => {
  const thief = await serve(t, (_, response) => response.end('{"token":"x"}'));
  for (const challenge of [`Bearer realm="${thief.url}/token",service="x"`, 'Basic realm="x"']) {
    const { world, error } = await published(
      { auth: AUTH, quirks: { redirectBlobs: true } },
      ({ registries }) => {
        const headers = { 'www-authenticate': challenge };
        registries[0]?.faults.add({ match: /GET cdn/, kind: 'status', status: 401, headers, times: ALWAYS });
      },
    );
    assert.equal(error?.code, 'REGISTRY_BAD_ANSWER');
    assert.match(error?.message ?? '', /where .* keeps it, refused it \(status 401/);
    assert.equal(world.registry(0).leakedTokens, 0);
  }
  assert.deepEqual(
    thief.requests.map(request => request.headers),
    [],
  );
});

test('a challenge from an upload host gets no login', async t => {
  const thief = await serve(t, (_, response) => response.end('{"token":"x"}'));
  const { world, error } = await published(
    { auth: AUTH, quirks: { uploadsElsewhere: true } },
    ({ registries }) => {
      registries[0]?.faults.add({
        match: ({ method, path }) => method === 'PUT' && path.includes('/uploads/'),
        kind: 'status',
        status: 401,
        headers: { 'www-authenticate': `Bearer realm="${thief.url}/token",service="x"` },
        times: ALWAYS,
      });
    },
  );
  assert.ok(error instanceof WeighbridgeError);
  assert.equal(world.registry(0).leakedTokens, 0);
  assert.equal(thief.requests.length, 0);
});

test('a manifest that is confirmed and not kept is not published', async () => {
  const forgets = await published({ quirks: { forgetsManifests: true, hidesDigests: true } });
  assert.equal(forgets.status, 'failed');
  assert.match(forgets.error?.message ?? '', /it said 201, and nothing is there/);
});

test('registries that answer in their own way are understood', async () => {
  for (const quirks of [
    { hidesDigests: true },
    { manifestStatus: 202 },
    { manifestStatus: 202, hidesDigests: true },
    { emptyToken: true },
  ] as const) {
    const { status, error } = await published({ auth: AUTH, quirks });
    assert.equal(status, 'published', `${JSON.stringify(quirks)} ${error?.message}`);
  }
  const bare = await published({}, ({ registries }) => {
    registries[0]?.faults.add({
      match: /HEAD .*blobs/,
      kind: 'edit',
      headers: { 'content-length': undefined },
      times: ALWAYS,
    });
  });
  assert.equal(bare.status, 'published', bare.error?.message);
});

test('a base layer of another size than its manifest says is not mounted', async () => {
  const { world, error } = await published({}, world => {
    const [layer] = world.manifest(0, 'v0.6.0', BASE_REPOSITORY).layers;
    if (layer !== undefined) world.registry(0).damageBlob(layer.digest, Buffer.alloc(layer.size + 10));
  });
  assert.equal(error?.code, 'INTEGRITY_SIZE');
  assert.equal(world.registry(0).log.filter(({ query }) => query.includes('mount=')).length, 1);
});

test('125,000 tags on a page are no defect, and millions of nothings are not read', async t => {
  await using world = await World.start();
  const tags = Array.from({ length: 125_000 }, (_, index) => `t${index}`);
  const body = JSON.stringify({ name: 'x', tags });
  world.registry(0).faults.add({ match: /tags\/list/, kind: 'status', status: 200, body, times: ALWAYS });
  const store = world.open(`${world.registry(0).host}/acme/x`);
  assert.equal((await store.listTags(1000)).length, 1000);
  assert.equal((await store.listTags(1_000_000)).length, 125_000);
  const nothings = `{"tags":[${'{},'.repeat(2_000_000)}"v1"]}`;
  const server = await serve(t, (_, response) => response.end(nothings));
  const crowded = world.open(`${new URL(server.url).host}/acme/x`);
  await assert.rejects(crowded.listTags(10), { code: 'REGISTRY_BAD_ANSWER' });
});

test('what a registry says reaches no terminal as it is', async () => {
  const words = '\u001b[2J\u202e##[error]own\n::set-env name=A::b\u0007';
  const body = JSON.stringify({ errors: [{ code: 'DENIED', message: words }] });
  const headers = { 'docker-content-digest': words.replace(/[^ -~]/g, '') };
  for (const fault of [
    { match: /POST/, kind: 'status', status: 400, body },
    { match: /PUT .*manifests/, kind: 'status', status: 400, body },
    { match: /PUT .*manifests/, kind: 'edit', headers },
    { match: /GET .*manifests/, kind: 'edit', headers },
  ] as const) {
    const { error } = await published({}, ({ registries }) => {
      registries[0]?.faults.add({ ...fault, times: ALWAYS });
    });
    const shown = describeError(error);
    assert.doesNotMatch(shown, /[\p{Cc}\p{Bidi_Control}]|##\[|(^|\s)::/u, JSON.stringify(shown));
  }
});

test('an index that lists the same again and again, and indexes in it, costs few requests', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const registry = world.registry(0);
  const type = 'application/vnd.oci.image.index.v1+json';
  const index = (manifests: unknown[]): Buffer =>
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, manifests }));
  const levels = [index([])];
  for (let depth = 0; depth < 5; depth++) {
    const inner = levels.at(-1) as Buffer;
    const entry = { mediaType: type, digest: digestOf(inner), size: inner.length };
    levels.push(index(Array.from({ length: 5000 }, () => entry)));
  }
  const manifests = levels.map(bytes => ({ mediaType: type, bytes }));
  registry.putImage('acme/hf-x', 'v0.6.0-slim', { blobs: [], manifests });
  const [image] = await world.publish(world.config('acme/x'), { variants: ['slim'] });
  assert.equal(image?.status, 'published');
  const asked = registry.log.filter(
    ({ method, path }) => method === 'GET' && path.includes('hf-x/manifests'),
  );
  assert.ok(asked.length < 20, `${asked.length} manifests were read`);
});

test('something attached that is not a manifest, or 20,000 of them, leaves what else is attached', async t => {
  const subject = digestOf('x');
  const odd = Buffer.from('{"schemaVersion":2}');
  const entry = (text: string) => ({ mediaType: MediaType.ociManifest, digest: digestOf(text), size: 1 });
  const typed = { ...entry('typed'), artifactType: 'a/scan' };
  const many = Array.from({ length: 20_000 }, (_, index) => ({ ...entry(`${index}`), artifactType: 'a/b' }));
  for (const [what, body, manifests, found] of [
    ['another shape', odd, [entry(String(odd)), typed], 2],
    ['other bytes', Buffer.from('other'), [entry('some'), typed], 2],
    ['too large', Buffer.alloc(5_000_000, ' '), [entry('some'), typed], 2],
    ['too many', odd, many, 10_000],
  ] as const) {
    const server = await serve(t, ({ url }, response) => {
      const isList = url?.includes('/referrers/') === true;
      response.setHeader('content-type', isList ? MediaType.ociIndex : MediaType.ociManifest);
      response.end(isList ? JSON.stringify({ schemaVersion: 2, manifests }) : body);
    });
    await using world = await World.start();
    const store = world.open(`${new URL(server.url).host}/acme/x`, 'pull');
    assert.equal((await listReferrers(store, subject)).length, found, what);
    if (what === 'too many') continue;
    assert.deepEqual(await listReferrers(store, subject, { artifactType: 'a/scan' }), [typed], what);
  }
});

test('an odd image of somebody else, under whatever tag, fails no target', async () => {
  const wrongDigest = { 'docker-content-digest': digestOf('another') };
  for (const [what, tag, fault] of [
    ['a manifest of another digest', 'v0.5.0-fat', { kind: 'edit', headers: wrongDigest }],
    ['the same under a tag of this image', 'v0.6.0-fat', { kind: 'edit', headers: wrongDigest }],
    ['a manifest without end', 'v0.6.0-slim', { kind: 'edit', editBody: () => ' '.repeat(9_000_000) }],
    ['a manifest that is not given', 'v0.5.0-fat', { kind: 'status', status: 403 }],
    ['tags that are not listed', 'v0.5.0-fat', { kind: 'status', status: 403, match: /tags\/list/ }],
    ['no JSON', 'v0.6.0-slim', { kind: 'edit', editBody: () => '<html>' }],
  ] as const) {
    await using world = await World.start();
    await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
    const manifests = [
      { mediaType: MediaType.ociIndex, bytes: Buffer.from('{"schemaVersion":2,"manifests":[]}') },
    ];
    world.registry(0).putImage('acme/hf-x', tag, { blobs: [], manifests });
    const times = world
      .registry(0)
      .faults.add({ match: new RegExp(`GET .*hf-x/manifests/${tag}`), times: 8, ...fault });
    const images = await world.publish(world.config('acme/x'));
    assert.deepEqual([...new Set(images.map(({ status }) => status))], ['published'], what);
    assert.ok(times.struck > 0, what);
  }
});
