import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type EmbeddedHub, startHub } from './hub.ts';

const WEIGHTS = { sizeBytes: 2_500_000, seed: 'w' };
const CONFIG = '{"model_type":"qwen2"}';
const IDENTITY = { 'accept-encoding': 'identity' };

test('a file in LFS is at a signed link of another origin; the length said is the redirect’s own', async () => {
  await using hub = await hubWithModel();
  const response = await ask(`${hub.url}/acme/x/resolve/main/model.safetensors`);
  assert.equal(response.status, 302);
  const location = response.headers.get('location') ?? '';
  assert.equal(new URL(location).origin, hub.cdnUrl);
  assert.notEqual(hub.cdnUrl, hub.url);
  assert.equal(response.headers.get('x-linked-size'), '2500000');
  assert.notEqual(response.headers.get('content-length'), '2500000');
  assert.match(response.headers.get('x-repo-commit') ?? '', /^[0-9a-f]{40}$/);
  const bytes = Buffer.from(await (await fetch(location)).arrayBuffer());
  assert.equal(
    `"${createHash('sha256').update(bytes).digest('hex')}"`,
    response.headers.get('x-linked-etag'),
  );
});

test('the CDN gives ranges and refuses those past the end', async () => {
  await using hub = await hubWithModel();
  const link = await linkOf(hub);
  const whole = Buffer.from(await (await fetch(link)).arrayBuffer());
  const range = async (value: string) => await fetch(link, { headers: { range: value } });
  const part = await range('bytes=1048570-1048590');
  assert.equal(part.status, 206);
  assert.equal(part.headers.get('content-range'), 'bytes 1048570-1048590/2500000');
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), whole.subarray(1048570, 1048591));
  assert.deepEqual(Buffer.from(await (await range('bytes=-7')).arrayBuffer()), whole.subarray(-7));
  const past = await range('bytes=2500000-');
  assert.equal(past.status, 416);
  assert.equal(past.headers.get('content-range'), 'bytes */2500000');
});

test('the CDN refuses a token, and counts it', async () => {
  await using hub = await hubWithModel();
  const response = await fetch(await linkOf(hub), { headers: { authorization: 'Bearer hf_t' } });
  assert.equal(response.status, 400);
  assert.equal(hub.leakedTokens, 1);
});

test('the CDN refuses a link that was changed or is too old', async t => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 });
  await using hub = await hubWithModel({ linkTtlMs: 60_000 });
  const link = await linkOf(hub);
  assert.equal((await fetch(link)).status, 200);
  const longer = new URL(link);
  longer.searchParams.set('Expires', '99999999999999');
  assert.equal((await fetch(longer)).status, 403);
  t.mock.timers.tick(60_001);
  assert.equal((await fetch(link)).status, 403);
});

test('an expired link can be asked for', async () => {
  await using hub = await hubWithModel();
  hub.faults.add({ match: /resolve\/main\/model/, kind: 'expire-link' });
  assert.equal((await fetch(await linkOf(hub))).status, 403);
  assert.equal((await fetch(await linkOf(hub))).status, 200);
});

test('a small file is at another path of the Hub itself', async () => {
  await using hub = await hubWithModel();
  const url = `${hub.url}/acme/x/resolve/main/config.json`;
  const response = await ask(url);
  assert.equal(response.status, 307);
  assert.match(
    response.headers.get('location') ?? '',
    /^\/api\/resolve-cache\/models\/acme\/x\/[0-9a-f]{40}\/config\.json/,
  );
  const followed = await fetch(url, { headers: IDENTITY });
  assert.equal(await followed.text(), CONFIG);
  const oid = createHash('sha1').update(`blob ${CONFIG.length}\0${CONFIG}`).digest('hex');
  assert.equal(followed.headers.get('etag'), `"${oid}"`);
  const part = await fetch(url, { headers: { ...IDENTITY, range: 'bytes=2-6' } });
  assert.deepEqual([part.status, await part.text()], [206, CONFIG.slice(2, 7)]);
});

test('a small file comes compressed and without a length to those who allow it', async () => {
  await using hub = await hubWithModel({ smallFiles: 'direct' });
  const response = await fetch(`${hub.url}/acme/x/resolve/main/config.json`, {
    headers: { 'accept-encoding': 'gzip' },
  });
  assert.equal(response.headers.get('content-encoding'), 'gzip');
  assert.equal(response.headers.get('content-length'), null);
  assert.equal(await response.text(), CONFIG);
});

test('what is not there is told apart: file, revision, repository', async () => {
  await using hub = await hubWithModel({ token: 'hf_t' });
  const tell = async (path: string, headers = {}) => {
    const response = await ask(`${hub.url}${path}`, headers);
    return [response.status, response.headers.get('x-error-code')];
  };
  const token = { authorization: 'Bearer hf_t' };
  assert.deepEqual(await tell('/acme/x/resolve/main/nope'), [404, 'EntryNotFound']);
  assert.deepEqual(await tell('/acme/x/resolve/nope/config.json'), [404, 'RevisionNotFound']);
  assert.deepEqual(await tell('/api/models/acme/x/revision/nope'), [404, 'RevisionNotFound']);
  assert.deepEqual(await tell('/api/models/acme/none'), [401, null]);
  assert.deepEqual(await tell('/api/models/acme/none', token), [404, 'RepoNotFound']);
  assert.deepEqual(await tell('/api/models/acme/x', { authorization: 'Bearer wrong' }), [401, null]);
});

async function hubWithModel(options: Parameters<typeof startHub>[0] = {}): Promise<EmbeddedHub> {
  const hub = await startHub(options);
  await hub.addModel({ id: 'acme/x', files: { 'config.json': CONFIG, 'model.safetensors': WEIGHTS } });
  return hub;
}

function ask(url: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { redirect: 'manual', headers: { ...IDENTITY, ...headers } });
}

async function linkOf(hub: EmbeddedHub): Promise<string> {
  const response = await ask(`${hub.url}/acme/x/resolve/main/model.safetensors`);
  return response.headers.get('location') ?? '';
}
