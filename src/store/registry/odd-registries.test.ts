import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readAll } from '../../core/byte-source.ts';
import { digestOf } from '../../core/digest.ts';
import { RegistryError } from '../../core/errors.ts';
import { HttpClient } from '../../http/client.ts';
import { serve } from '../../http/loopback.fixtures.ts';
import { parseManifest } from '../../oci/parse.ts';
import { type Descriptor, MediaType } from '../../oci/types.ts';
import { type EmbeddedRegistry, type RegistryOptions, startRegistry } from '../../testkit/registry.ts';
import type { Access } from '../auth/registry-auth.ts';
import { RegistryClient } from './registry-client.ts';
import { RegistryStore } from './registry-store.ts';
import { type KnownCapabilities, RegistryCapabilities } from './upload/registry-capabilities.ts';

// What registries do that the specification does not say, and that docker, containerd or skopeo take.

function storeAt(
  t: TestContext,
  registry: string,
  access: Access = 'push',
  repository = 'acme/x',
  known: KnownCapabilities = {},
): RegistryStore {
  const http = new HttpClient({ env: {}, retry: { attempts: 1 } });
  t.after(() => http.close());
  const capabilities = new RegistryCapabilities(known);
  const client = new RegistryClient({ http, registry, capabilities, credential: async () => undefined });
  return new RegistryStore(client, repository, access);
}

async function start(t: TestContext, options: RegistryOptions = {}): Promise<EmbeddedRegistry> {
  const registry = await startRegistry(options);
  t.after(() => registry.close());
  return registry;
}

const INDEX = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] }));

function putTags(registry: EmbeddedRegistry, count: number): string[] {
  const tags = Array.from({ length: count }, (_, index) => `v${String(index).padStart(5, '0')}`);
  const image = { blobs: [], manifests: [{ mediaType: MediaType.ociIndex, bytes: INDEX }] };
  for (const tag of tags) registry.putImage('acme/x', tag, image);
  return tags;
}

test('tags are read in pages that the registry gives: of 1,000 at most, or of 100', async t => {
  for (const maxTagsAsked of [100, 1000]) {
    const registry = await start(t, { quirks: { maxTagsAsked } });
    const tags = putTags(registry, 250);
    assert.deepEqual(await storeAt(t, registry.host).listTags(20_000), tags);
    assert.deepEqual(await storeAt(t, registry.host).listTags(120), tags.slice(0, 120));
  }
});

/** A registry whose list is `pages`: what each has, and the number of the page that its link leads to. */
async function serveList(
  t: TestContext,
  pages: (page: number) => {
    readonly has: readonly string[];
    readonly next?: number | undefined;
    readonly status?: number;
  },
): Promise<{ readonly host: string; readonly requests: readonly unknown[] }> {
  const server = await serve(t, (request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    const { has, next, status = 200 } = pages(Number(url.searchParams.get('page') ?? 0));
    const manifests = has.map(name => ({
      mediaType: MediaType.ociManifest,
      digest: digestOf(name),
      size: 1,
    }));
    const headers = {
      'content-type': MediaType.ociIndex,
      ...(next !== undefined && { link: `<${url.pathname}?page=${next}>; rel="next"` }),
    };
    response.writeHead(status, headers);
    response.end(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, tags: has, manifests }));
  });
  return { host: new URL(server.url).host, requests: server.requests };
}

for (const [what, pages, found] of [
  ['pages without entries', [[], [], ['a'], [], ['b']], ['a', 'b']],
  ['an empty last page with a link to itself', [['a'], ['b'], []], ['a', 'b']],
  ['an empty last page with a link to the first', [['a'], ['b'], []], ['a', 'b']],
  [
    'the same on two pages',
    [
      ['a', 'b'],
      ['b', 'c'],
    ],
    ['a', 'b', 'c'],
  ],
] as const) {
  test(`a list with ${what} is read to its end`, async t => {
    const back = what.includes('itself') ? 2 : what.includes('first') ? 1 : undefined;
    const { host } = await serveList(t, page => ({
      has: pages[page] ?? assert.fail(),
      next: page + 1 < pages.length ? page + 1 : back,
    }));
    const store = storeAt(t, host, 'pull');
    assert.deepEqual(await store.listTags(100), found);
    assert.deepEqual(
      (await store.fetchReferrers(digestOf('x')))?.map(({ digest }) => digest),
      found.map(digestOf),
    );
  });
}

for (const [what, pages, why] of [
  ['in a circle', page => ({ has: [`v${page % 3}`], next: (page + 1) % 3 }), /its pages lead in a circle$/],
  ['to the same page for each link', () => ({ has: ['v0'], next: 1 }), /its pages lead in a circle$/],
  [
    'to empty pages without end',
    page => ({ has: [], next: page + 1 }),
    /pages one after the other have nothing new$/,
  ],
  ['to the same tags without end', page => ({ has: ['v0'], next: page + 1 }), /have nothing new$/],
  [
    'to a page that is not there',
    page => ({ has: [`v${page}`], next: 1, status: page === 0 ? 200 : 404 }),
    /404/,
  ],
] as const satisfies readonly (readonly [string, Parameters<typeof serveList>[1], RegExp])[]) {
  test(`a list whose links lead ${what} is not taken for the whole`, async t => {
    const { host, requests } = await serveList(t, pages);
    const store = storeAt(t, host, 'pull');
    const isTold = (error: unknown): boolean =>
      error instanceof RegistryError && error.message.includes(`${host}/acme/x`) && why.test(error.message);
    await assert.rejects(store.listTags(20_000), isTold);
    await assert.rejects(store.fetchReferrers(digestOf('x')), isTold);
    assert.ok(requests.length < 60);
    if (what === 'in a circle') assert.deepEqual(await store.listTags(2), ['v0', 'v1'], 'no more are needed');
  });
}

test('a wrong digest in the header of a tag is no other image; other bytes than the registry has are', async t => {
  const registry = await start(t, { quirks: { wrongDigests: true } });
  const store = storeAt(t, registry.host);
  const manifest = { mediaType: MediaType.ociIndex, digest: digestOf(INDEX), bytes: INDEX };
  await store.putManifest('v1', manifest);
  assert.deepEqual((await store.getManifest('v1'))?.digest, manifest.digest);
  assert.equal(await store.resolveTag('v1'), manifest.digest);
  const changed = registry.faults.add({
    match: /^GET registry .*manifests\/v1/,
    kind: 'corrupt',
    afterBytes: 20,
    times: 9,
  });
  await assert.rejects(store.getManifest('v1'), { code: 'INTEGRITY_HASH', message: /got bytes of/ });
  assert.equal(changed.struck, 3);
});

test('documents that come as gzip, or only say so, are read; one that is too large unpacked is not', async t => {
  const registry = await start(t, {
    quirks: { gzipDocuments: true },
    auth: { kind: 'bearer', user: 'ann', password: 'p', anonymousPull: true },
  });
  putTags(registry, 1);
  const store = storeAt(t, registry.host, 'pull');
  assert.deepEqual(await store.listTags(10), ['v00000']);
  assert.deepEqual((await store.getManifest('v00000'))?.bytes, INDEX);

  const bodies = { plain: '{"tags":["v1"]}', bomb: gzipSync(Buffer.alloc(64 * 1024 * 1024)) };
  for (const [name, body] of Object.entries(bodies)) {
    const server = await serve(t, (_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(body),
    );
    const tags = storeAt(t, new URL(server.url).host).listTags(10);
    if (name === 'plain') assert.deepEqual(await tags, ['v1']);
    else await assert.rejects(tags, { code: 'HTTP_TOO_LARGE' });
  }
});

test('a layer that a web server calls gzip is read as it is, if it is of its own length', async t => {
  const blob = gzipSync('a layer');
  const descriptor: Descriptor = {
    mediaType: MediaType.ociLayerGzip,
    digest: digestOf(blob),
    size: blob.length,
  };
  for (const length of [blob.length, undefined]) {
    const server = await serve(t, (_, response) => {
      const headers = { 'content-encoding': 'x-gzip', ...(length && { 'content-length': length }) };
      response.writeHead(200, headers).end(blob);
    });
    const bytes = readAll(storeAt(t, new URL(server.url).host).openBlob(descriptor), 1000);
    if (length !== undefined) assert.deepEqual(await bytes, blob);
    else await assert.rejects(bytes, /it comes encoded as "x-gzip"/);
  }
});

test('links that are signed for GET alone: the size of a blob, and what a tag names, are found out otherwise', async t => {
  const registry = await start(t, { quirks: { redirectBlobs: true, noHeadAtLinks: true } });
  const blob = Buffer.from('a blob of some bytes');
  const image = { blobs: [blob], manifests: [{ mediaType: MediaType.ociIndex, bytes: INDEX }] };
  registry.putImage('acme/x', 'v1', image);
  const store = storeAt(t, registry.host);
  assert.equal(await store.statBlob(digestOf(blob)), blob.length);
  assert.equal(await store.statBlob(digestOf('none')), undefined);
  assert.equal(registry.leakedTokens, 0);
  for (const status of [400, 405, 501]) {
    registry.faults.add({ match: /^HEAD registry .*manifests/, kind: 'status', status });
    assert.equal(await store.resolveTag('v1'), digestOf(INDEX));
  }
});

test('a mount that is forbidden leaves the upload', async t => {
  const registry = await start(t, { quirks: { mount: 'forbid' } });
  const blob = Buffer.from('a blob');
  registry.putImage('acme/other', 'v1', {
    blobs: [blob],
    manifests: [{ mediaType: MediaType.ociIndex, bytes: INDEX }],
  });
  const store = storeAt(t, registry.host);
  const descriptor = { mediaType: MediaType.ociLayerTar, digest: digestOf(blob), size: blob.length };
  assert.equal(await store.mountBlob(descriptor, `${registry.host}/acme/other`), false);
});

test('uploads are opened and ended by other statuses than those of the specification', async t => {
  const blob = Buffer.from('a blob');
  const statuses = [
    [200, 200],
    [204, 204],
    [202, 202],
  ] as const;
  for (const [opened, closed] of statuses) {
    const registry = await start(t, { quirks: { uploadStatus: { opened, closed } } });
    await upload(storeAt(t, registry.host), blob);
    assert.equal(registry.blobSize(digestOf(blob)), blob.length);
  }
});

test('a registry that counts the bytes of an upload where it should name the last has all of them', async t => {
  const blob = Buffer.alloc(9 * 1024 * 1024, 'x');
  for (const withoutStrategies of [[], ['streamed']] as const) {
    const registry = await start(t, { quirks: { countsRange: true } });
    await upload(storeAt(t, registry.host, 'push', 'acme/x', { withoutStrategies }), blob);
    assert.equal(registry.counters.uploadsStarted, 1);
  }
});

test('a blob that is confirmed and not kept, or kept in part, is not uploaded', async t => {
  for (const [held, words] of [
    [undefined, 'nothing'],
    [3, '3 bytes'],
  ] as const) {
    const server = await serve(t, (request, response) => {
      request.resume().on('end', () => {
        if (request.method === 'POST') response.writeHead(202, { location: '/upload' }).end();
        else if (request.method !== 'HEAD') response.writeHead(request.method === 'PUT' ? 201 : 202).end();
        else if (held === undefined) response.writeHead(404).end();
        else response.writeHead(200, { 'content-length': held }).end();
      });
    });
    await assert.rejects(upload(storeAt(t, new URL(server.url).host), Buffer.from('a blob')), {
      code: 'INTEGRITY_HASH',
      message: new RegExp(` holds ${words} of .* although the upload has ended$`),
    });
  }
});

test('an address of an upload keeps the spelling of its query, and gets the digest', async t => {
  const seen: (string | undefined)[] = [];
  const query = '_state=a%20b~c+d%2Bé&flag';
  const server = await serve(t, (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    const location = `/v2/acme/x/blobs/uploads/1?${query}`;
    request.resume().on('end', () => {
      if (request.method === 'POST') response.writeHead(202, { location: encodeURI(location) }).end();
      else if (request.method === 'HEAD') response.writeHead(200, { 'content-length': 1 }).end();
      else response.writeHead(request.method === 'PUT' ? 201 : 202).end();
    });
  });
  await upload(storeAt(t, new URL(server.url).host), Buffer.from('x'));
  const put = seen.find(line => line?.startsWith('PUT'));
  const digest = encodeURIComponent(digestOf('x'));
  assert.equal(put, `PUT /v2/acme/x/blobs/uploads/1?${encodeURI(query)}&digest=${digest}`);
});

test('a registry that refuses its list of referrers has none of its own', async t => {
  const registry = await start(t);
  putTags(registry, 1);
  for (const status of [401, 403, 400, 405]) {
    registry.faults.add({ match: /referrers/, kind: 'status', status });
    assert.equal(await storeAt(t, registry.host).fetchReferrers(digestOf(INDEX)), undefined);
  }
});

test('a registry that keeps its tags is not one that got other bytes, and is not asked again', async t => {
  const registry = await start(t, { quirks: { immutableTags: true } });
  putTags(registry, 1);
  const bytes = Buffer.from(`${INDEX} `);
  const manifest = { mediaType: MediaType.ociIndex, digest: digestOf(bytes), bytes };
  const store = storeAt(t, registry.host);
  await assert.rejects(store.putManifest('v00000', manifest), {
    code: 'TAG_IMMUTABLE',
    subject: `${registry.host}/acme/x:v00000`,
    message: /answered 400 \(TAG_INVALID: The image tag 'v00000' already exists/,
  });
  assert.equal(registry.log.length, 1);
  const others = [
    [
      412,
      { code: 'PRECONDITION', message: "Failed to process request due to 'x:v1' configured as immutable." },
    ],
    [
      400,
      {
        code: 'MANIFEST_INVALID',
        message: 'cannot update tag v1. The repository has enabled tag immutability',
      },
    ],
    [
      400,
      {
        ...{ code: 'BLOB_UPLOAD_INVALID', message: 'blob upload invalid' },
        detail: 'Repository does not allow updating assets: docker',
      },
    ],
  ] as const;
  for (const [status, error] of others) {
    const server = await serve(t, (_, response) =>
      response.writeHead(status).end(JSON.stringify({ errors: [error] })),
    );
    const put = storeAt(t, new URL(server.url).host).putManifest('v1', manifest);
    await assert.rejects(put, { code: 'TAG_IMMUTABLE' });
    assert.equal(server.requests.length, 1);
  }
});

test('what a gateway says in its own words is told', async t => {
  const bodies = [
    '{"message":"blocked by policy","statusCode":403}',
    '"blocked by policy"',
    'blocked by policy',
  ];
  for (const body of [...bodies, '<html><title>blocked by policy</title></html>']) {
    const server = await serve(t, (_, response) => response.writeHead(403).end(body));
    await assert.rejects(storeAt(t, new URL(server.url).host).listTags(10), {
      message: /\(status 403, blocked by policy\)$/,
    });
  }
});

test('where a repository has to be created first, that is what to do', async t => {
  const server = await serve(t, (_, response) =>
    response.writeHead(404).end('{"errors":[{"code":"NAME_UNKNOWN","message":"it does not exist"}]}'),
  );
  const store = storeAt(t, new URL(server.url).host);
  await assert.rejects(store.startUpload({ sizeBytes: 1 }), {
    code: 'REGISTRY_NOT_FOUND',
    remedy: /^Create the repository acme\/x in /,
  });
});

test('a document that names no type is what its fields say, if the server does not know it either', () => {
  const digest = digestOf('x');
  const config = { mediaType: MediaType.ociConfig, digest, size: 1 };
  const read = (value: object, type: string) => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, ...value }));
    const parsed = parseManifest(bytes, type, 'it');
    return parsed.kind === 'index' ? parsed.index.mediaType : parsed.manifest.mediaType;
  };
  for (const type of ['', 'application/json', 'application/octet-stream', 'text/plain']) {
    assert.equal(read({ config, layers: [] }, type), MediaType.ociManifest);
    assert.equal(read({ manifests: [] }, type), MediaType.ociIndex);
  }
  assert.equal(read({ config, layers: [] }, MediaType.dockerManifest), MediaType.dockerManifest);
  const refused = [
    { config, layers: [], manifests: [] },
    { layers: [] },
    { mediaType: 'text/plain', manifests: [] },
  ];
  for (const value of refused) assert.throws(() => read(value, 'application/json'), /neither an image/);
});

async function upload(store: RegistryStore, blob: Buffer): Promise<void> {
  const writer = await store.startUpload({ sizeBytes: blob.length });
  await writer.write(blob);
  await writer.commit(digestOf(blob));
}
