import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../core/digest.ts';
import { type EmbeddedRegistry, startRegistry } from './registry.ts';

const BYTES = Buffer.from('hello, registry');
const DIGEST = digestOf(BYTES);

test('POST, PATCH, PUT brings a blob, and its digest is checked', async () => {
  await using registry = await startRegistry();
  const first = await open(registry);
  assert.equal(first.headers.get('range'), '0-0');
  const patched = await send('PATCH', locationOf(first, registry), BYTES);
  assert.equal(patched.status, 202);
  assert.equal(patched.headers.get('range'), `0-${BYTES.length - 1}`);
  const done = await send('PUT', withDigest(locationOf(patched, registry), DIGEST));
  assert.equal(done.status, 201);
  assert.equal(done.headers.get('docker-content-digest'), DIGEST);
  assert.deepEqual(await registry.readBlob(DIGEST), BYTES);
  assert.equal(registry.openUploads, 0);
  assert.equal(registry.counters.uploadedBytes, BYTES.length);
});

test('a wrong digest is refused, and the upload is over', async () => {
  await using registry = await startRegistry();
  const location = withDigest(locationOf(await open(registry), registry), digestOf('other'));
  const refused = await send('PUT', location, BYTES);
  assert.deepEqual([refused.status, await codeOf(refused)], [400, 'DIGEST_INVALID']);
  assert.equal(registry.blobSize(digestOf('other')), undefined);
  assert.equal((await fetch(location)).status, 404);
});

test('a blob can come in one POST, or not', async () => {
  await using registry = await startRegistry();
  const url = `${registry.url}/v2/acme/x/blobs/uploads/?digest=${DIGEST}`;
  assert.equal((await send('POST', url, BYTES)).status, 201);
  registry.quirks.ignoresPostDigest = true;
  assert.equal((await send('POST', url, BYTES)).status, 202);
});

test('a ranged PATCH has to go on where the session stands', async () => {
  await using registry = await startRegistry();
  const location = locationOf(await open(registry), registry);
  const patch = (start: number, end: number) =>
    send('PATCH', location, BYTES.subarray(start, end), { 'content-range': `${start}-${end - 1}` });
  assert.equal((await patch(0, 5)).status, 202);
  const outOfOrder = await patch(7, 9);
  assert.equal(outOfOrder.status, 416);
  assert.equal(outOfOrder.headers.get('range'), '0-4');
  assert.equal((await send('PATCH', location, 'x', { 'content-range': 'bytes 5-5/15' })).status, 400);
  assert.equal((await patch(5, BYTES.length)).status, 202);
  assert.equal((await send('PUT', withDigest(location, DIGEST))).status, 201);
});

test('what has arrived stays when a PATCH breaks off', async () => {
  await using registry = await startRegistry();
  const location = locationOf(await open(registry), registry);
  await new Promise<void>(resolve => {
    const outgoing = request(location, { method: 'PATCH', headers: { 'content-length': '1000' } });
    outgoing.on('error', () => resolve());
    outgoing.write(BYTES);
    void until(() => registry.log.some(({ receivedBytes }) => receivedBytes === BYTES.length)).then(() =>
      outgoing.destroy(),
    );
  });
  const status = await fetch(location);
  assert.deepEqual([status.status, status.headers.get('range')], [204, `0-${BYTES.length - 1}`]);
  assert.equal((await send('PUT', withDigest(location, DIGEST))).status, 201);
});

test('as with Docker’s registry, an old Location is good for nothing', async () => {
  await using registry = await startRegistry({ quirks: { newestLocationOnly: true } });
  const first = locationOf(await open(registry), registry);
  const second = locationOf(await send('PATCH', first, BYTES), registry);
  assert.equal((await fetch(first)).status, 404);
  assert.equal((await fetch(second)).status, 204);
  assert.equal((await send('PUT', withDigest(second, DIGEST))).status, 201);
});

test('a blob is mounted from where it is, and only if it is there', async () => {
  await using registry = await startRegistry();
  await put(registry, 'acme/from');
  const mount = async (from: string) =>
    (await send('POST', `${registry.url}/v2/acme/to/blobs/uploads/?mount=${DIGEST}&from=${from}`)).status;
  const has = async () => (await fetch(`${registry.url}/v2/acme/to/blobs/${DIGEST}`)).status;
  assert.equal(await has(), 404, 'another repository’s blob');
  assert.equal(await mount('acme/none'), 202);
  registry.quirks.mount = 'refuse';
  assert.equal(await mount('acme/from'), 202);
  registry.quirks.mount = 'ok';
  assert.equal(await mount('acme/from'), 201);
  assert.equal(await has(), 200);
  assert.equal(registry.counters.mounts, 1);
});

test('an upload can be given up, or not', async () => {
  await using registry = await startRegistry();
  const location = locationOf(await open(registry), registry);
  registry.quirks.deleteUploads = false;
  assert.equal((await send('DELETE', location)).status, 405);
  registry.quirks.deleteUploads = true;
  assert.equal((await send('DELETE', location)).status, 204);
  assert.equal((await fetch(location)).status, 404);
});

test('GHCR’s limit holds for a length that is said, not for chunks', async () => {
  await using registry = await startRegistry({ quirks: { patchMaxContentLengthBytes: 10 } });
  const location = locationOf(await open(registry), registry);
  const refused = await send('PATCH', location, BYTES);
  assert.equal(refused.status, 416);
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(BYTES);
      controller.close();
    },
  });
  const chunked = await fetch(location, { method: 'PATCH', body, duplex: 'half' });
  assert.equal(chunked.status, 202);
  assert.equal((await send('PUT', withDigest(location, DIGEST))).status, 201);
});

test('a full disk, a second PATCH, a short one, a lost session: as the quirks say', async () => {
  await using registry = await startRegistry();
  const patch = async () => await send('PATCH', locationOf(await open(registry), registry), BYTES);
  registry.quirks.fullAfterBytes = 5;
  const full = await patch();
  assert.equal(full.status, 500);
  assert.match(await full.text(), /no space left on device/);
  delete registry.quirks.fullAfterBytes;

  registry.quirks.shortPatchBytes = 5;
  assert.equal((await patch()).headers.get('range'), '0-4');
  delete registry.quirks.shortPatchBytes;

  registry.quirks.singlePatch = true;
  const again = locationOf(await patch(), registry);
  assert.equal((await send('PATCH', again, BYTES)).status, 405);
  delete registry.quirks.singlePatch;

  registry.quirks.loseUploads = 1;
  const lost = locationOf(await patch(), registry);
  assert.equal((await fetch(lost)).status, 404);
  const kept = locationOf(await patch(), registry);
  assert.equal((await fetch(kept)).status, 204);
});

test('a registry that only measures checks digests and keeps what is small', async () => {
  await using registry = await startRegistry({ discardBlobs: true });
  const large = Buffer.alloc(3 * 1024 * 1024, 7);
  const location = locationOf(await open(registry), registry);
  assert.equal((await send('PUT', withDigest(location, digestOf('other')), large)).status, 400);
  const second = locationOf(await open(registry), registry);
  assert.equal((await send('PUT', withDigest(second, digestOf(large)), large)).status, 201);
  assert.equal(registry.blobSize(digestOf(large)), large.length);
  assert.equal(await registry.readBlob(digestOf(large)), undefined);
  const head = await send('HEAD', `${registry.url}/v2/acme/x/blobs/${digestOf(large)}`);
  assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(large.length)]);
  await put(registry, 'acme/x');
  assert.deepEqual(await registry.readBlob(DIGEST), BYTES);
});

async function open(registry: EmbeddedRegistry): Promise<Response> {
  return await send('POST', `${registry.url}/v2/acme/x/blobs/uploads/`);
}

async function put(registry: EmbeddedRegistry, repository: string): Promise<void> {
  const url = `${registry.url}/v2/${repository}/blobs/uploads/?digest=${DIGEST}`;
  assert.equal((await send('POST', url, BYTES)).status, 201);
}

function send(method: string, url: string, body?: Buffer | string, headers = {}): Promise<Response> {
  return fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
}

function locationOf(response: Response, registry: EmbeddedRegistry): string {
  return new URL(response.headers.get('location') ?? '', registry.url).href;
}

function withDigest(location: string, digest: string): string {
  const url = new URL(location);
  url.searchParams.set('digest', digest);
  return url.href;
}

async function codeOf(response: Response): Promise<string | undefined> {
  const body = (await response.json()) as { errors: { code: string }[] };
  return body.errors[0]?.code;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}
