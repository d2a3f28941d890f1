import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startHub } from './hub.ts';

const FILES = { 'config.json': '{}', 'model.safetensors': { sizeBytes: 1000, seed: 1 } };

test('a gated model shows what it is to all, and its files to those who may', async () => {
  await using hub = await startHub({
    token: 'hf_all',
    tokens: {
      hf_other: { name: 'other', repositories: [] },
      hf_member: { name: 'm', repositories: ['acme/g'] },
    },
  });
  await hub.addModel({ id: 'acme/g', gated: 'manual', files: FILES });
  const metadata = await fetch(`${hub.url}/api/models/acme/g?blobs=true`);
  assert.equal(metadata.status, 200);
  assert.equal(((await metadata.json()) as { gated: unknown }).gated, 'manual');
  assert.equal((await fetch(`${hub.url}/api/models/acme/g/tree/main`)).status, 200);
  const file = async (token?: string) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const url = `${hub.url}/acme/g/resolve/main/config.json`;
    const response = await fetch(url, { headers, redirect: 'manual' });
    return [response.status, response.headers.get('x-error-code')];
  };
  assert.deepEqual(await file(), [401, 'GatedRepo']);
  assert.deepEqual(await file('hf_other'), [403, 'GatedRepo']);
  assert.deepEqual(await file('hf_member'), [307, null]);
  assert.deepEqual(await file('hf_all'), [307, null]);
});

test('the gate also stands before the place that small files are redirected to', async () => {
  await using hub = await startHub();
  const sha = await hub.addModel({ id: 'acme/g', gated: 'auto', files: FILES });
  const response = await fetch(`${hub.url}/api/resolve-cache/models/acme/g/${sha}/config.json`);
  assert.equal(response.status, 401);
});

test('a private model does not exist for others; a disabled one says so', async () => {
  await using hub = await startHub({ token: 'hf_t', tokens: { hf_o: { name: 'o', repositories: [] } } });
  await hub.addModel({ id: 'acme/p', isPrivate: true, files: FILES });
  const status = async (headers: Record<string, string> = {}) =>
    (await fetch(`${hub.url}/api/models/acme/p`, { headers })).status;
  assert.equal(await status(), 401);
  assert.equal(await status({ authorization: 'Bearer hf_o' }), 404);
  assert.equal(await status({ authorization: 'Bearer hf_t' }), 200);
  hub.repository('acme/p').isDisabled = true;
  const disabled = await fetch(`${hub.url}/api/models/acme/p`, { headers: { authorization: 'Bearer hf_t' } });
  assert.equal(disabled.status, 403);
  assert.equal(disabled.headers.get('x-error-message'), 'Access to this resource is disabled.');
});

test('a renamed model redirects, relatively, wherever it is asked for', async () => {
  await using hub = await startHub();
  await hub.addModel({ id: 'acme/old', files: FILES });
  hub.rename('acme/old', 'acme/new');
  const location = async (path: string) => {
    const response = await fetch(`${hub.url}${path}`, { redirect: 'manual' });
    return [response.status, response.headers.get('location')];
  };
  assert.deepEqual(await location('/api/models/acme/old?blobs=true'), [
    307,
    '/api/models/acme/new?blobs=true',
  ]);
  assert.deepEqual(await location('/acme/old/resolve/main/config.json'), [
    307,
    '/acme/new/resolve/main/config.json',
  ]);
  const followed = await fetch(`${hub.url}/api/models/acme/old`);
  assert.equal(((await followed.json()) as { id: string }).id, 'acme/new');
});

test('limits are counted by kind and told in each answer', async () => {
  await using hub = await startHub({ rateLimits: { api: 2, windowMs: 60_000 } });
  await hub.addModel({ id: 'acme/x', files: FILES });
  const ask = async () => await fetch(`${hub.url}/api/models/acme/x`);
  assert.match((await ask()).headers.get('ratelimit') ?? '', /^"api";r=1;t=\d+$/);
  assert.equal((await ask()).status, 200);
  const refused = await ask();
  assert.equal(refused.status, 429);
  assert.match(refused.headers.get('ratelimit') ?? '', /^"api";r=0;t=\d+$/);
  const file = await fetch(`${hub.url}/acme/x/resolve/main/config.json`, { redirect: 'manual' });
  assert.equal(file.status, 307);
  assert.match(file.headers.get('ratelimit') ?? '', /^"resolvers";/);
});

test('who asks is told who they are', async () => {
  await using hub = await startHub({ tokens: { hf_a: { name: 'ann', repositories: [] } } });
  const response = await fetch(`${hub.url}/api/whoami-v2`, { headers: { authorization: 'Bearer hf_a' } });
  assert.equal(((await response.json()) as { name: string }).name, 'ann');
  assert.equal((await fetch(`${hub.url}/api/whoami-v2`)).status, 401);
});

test('every request is in the log, with what it cost', async () => {
  await using hub = await startHub({ token: 'hf_t' });
  await hub.addModel({ id: 'acme/x', files: FILES });
  const url = `${hub.url}/acme/x/resolve/main/model.safetensors`;
  await (await fetch(url, { headers: { range: 'bytes=0-99', authorization: 'Bearer hf_t' } })).arrayBuffer();
  assert.deepEqual(
    hub.log.map(({ origin, method, status, range, hasAuthorization }) => [
      origin,
      method,
      status,
      range,
      hasAuthorization,
    ]),
    [
      ['hub', 'GET', 302, 'bytes=0-99', true],
      ['cdn', 'GET', 206, 'bytes=0-99', false],
    ],
  );
  assert.equal(hub.log[1]?.bytes, 100);
});
