import assert from 'node:assert/strict';
import { get, type IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { digestOf } from '../core/digest.ts';
import { type EmbeddedHub, startHub } from './hub.ts';
import { startRegistry } from './registry.ts';
import { bytesContent } from './server/content.ts';
import { paced } from './server/pace.ts';

const SIZE = 300_000;

test('status: in place of the answer, so many times, after so many that go through', async () => {
  await using hub = await hubWithFile();
  const fault = hub.faults.add({
    match: /GET hub .*\/api\/models/,
    kind: 'status',
    status: 503,
    headers: { 'retry-after': '1' },
    body: 'busy',
    skip: 1,
    times: 2,
  });
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await fetch(`${hub.url}/api/models/acme/x`)).status);
  assert.deepEqual(statuses, [200, 503, 503, 200]);
  assert.equal(fault.struck, 2);
});

test('reset and truncate: the answer ends after so many bytes', async () => {
  await using hub = await hubWithFile();
  for (const kind of ['reset', 'truncate'] as const) {
    hub.faults.add({ match: /GET cdn .*w\.bin/, kind, afterBytes: 100_000 });
    const { received, failed } = await download(await linkOf(hub));
    assert.ok(failed, kind);
    assert.ok(received <= 100_000, `${kind}: ${received}`);
    // A reset may overtake bytes that are still on their way; an orderly end does not.
    if (kind === 'truncate') assert.equal(received, 100_000);
  }
  assert.deepEqual(await download(await linkOf(hub)), { received: SIZE, failed: false });
});

test('stall: the answer stops and the connection stays', async () => {
  await using hub = await hubWithFile();
  hub.faults.add({ match: /GET cdn/, kind: 'stall', afterBytes: 1000 });
  const response = await responseOf(await linkOf(hub));
  const reader = response[Symbol.asyncIterator]();
  let received = 0;
  while (received < 1000) received += (await reader.next()).value.length;
  assert.equal(received, 1000);
  const more = reader.next().then(
    () => 'more',
    () => 'ended',
  );
  const later = new Promise(resolve => setTimeout(resolve, 100, 'silence'));
  assert.equal(await Promise.race([more, later]), 'silence');
  response.destroy();
});

test('corrupt: one bit, where it was asked for', async () => {
  await using hub = await hubWithFile();
  const link = await linkOf(hub);
  const good = Buffer.from(await (await fetch(link)).arrayBuffer());
  hub.faults.add({ match: /cdn/, kind: 'corrupt', afterBytes: 12_345 });
  const bad = Buffer.from(await (await fetch(link)).arrayBuffer());
  const differences = [...bad.keys()].filter(index => bad[index] !== good[index]);
  assert.deepEqual(differences, [12_345]);
});

test('wrong-length: the answer is whole by its own account, and short', async () => {
  await using hub = await hubWithFile();
  hub.faults.add({ match: /cdn/, kind: 'wrong-length' });
  assert.deepEqual(await download(await linkOf(hub)), { received: SIZE - 1, failed: false });
});

test('edit: headers and text of the usual answer are changed', async () => {
  await using hub = await hubWithFile();
  hub.faults.add({
    match: /resolve/,
    kind: 'edit',
    headers: { 'x-repo-commit': undefined, 'x-linked-size': 'many' },
  });
  const response = await fetch(`${hub.url}/acme/x/resolve/main/w.bin`, { redirect: 'manual' });
  assert.deepEqual(
    [response.status, response.headers.get('x-repo-commit'), response.headers.get('x-linked-size')],
    [302, null, 'many'],
  );
  hub.faults.add({ match: /api/, kind: 'edit', editBody: text => text.replace('w.bin', '../w.bin') });
  assert.match(await (await fetch(`${hub.url}/api/models/acme/x`)).text(), /"\.\.\/w\.bin"/);
});

test('slow: the bytes come whole, a few at a time', async () => {
  await using hub = await hubWithFile();
  hub.faults.add({ match: /cdn/, kind: 'slow', bytesPerSecond: 3_000_000 });
  assert.deepEqual(await download(await linkOf(hub)), { received: SIZE, failed: false });
  const pieces: number[] = [];
  const fault = { match: /./, kind: 'slow', bytesPerSecond: 50_000 } as const;
  const pace = { fault, socket: new Socket(), flush: () => undefined };
  for await (const piece of paced(bytesContent(Buffer.alloc(2500)).read(0, 2500), pace))
    pieces.push(piece.length);
  assert.deepEqual(pieces, [1000, 1000, 500], 'a fiftieth of a second each');
});

test('a fault of an upload counts the request’s bytes', async () => {
  await using registry = await startRegistry();
  const bytes = Buffer.alloc(SIZE, 1);
  const open = async () => {
    const response = await fetch(`${registry.url}/v2/acme/x/blobs/uploads/`, { method: 'POST' });
    return response.headers.get('location') ?? '';
  };
  registry.faults.add({ match: /PATCH registry/, kind: 'reset', afterBytes: 100_000 });
  const broken = await open();
  await assert.rejects(fetch(broken, { method: 'PATCH', body: bytes }));
  const status = await fetch(broken);
  assert.equal(status.headers.get('range'), '0-99999');

  registry.faults.add({ match: /PATCH registry/, kind: 'corrupt', afterBytes: 5 });
  const turned = await fetch(await open(), { method: 'PATCH', body: bytes });
  const location = `${turned.headers.get('location')}&digest=${digestOf(bytes)}`;
  assert.equal((await fetch(location, { method: 'PUT' })).status, 400);
});

test('lose-answer: the work is done and nobody hears of it', async () => {
  await using registry = await startRegistry();
  const bytes = Buffer.from('blob');
  registry.faults.add({ match: /POST registry/, kind: 'lose-answer' });
  const url = `${registry.url}/v2/acme/x/blobs/uploads/?digest=${digestOf(bytes)}`;
  await assert.rejects(fetch(url, { method: 'POST', body: bytes }));
  assert.deepEqual(await registry.readBlob(digestOf(bytes)), bytes);
});

async function hubWithFile(): Promise<EmbeddedHub> {
  const hub = await startHub();
  await hub.addModel({ id: 'acme/x', files: { 'w.bin': { sizeBytes: SIZE, seed: 3 } } });
  return hub;
}

async function linkOf(hub: EmbeddedHub): Promise<string> {
  const response = await fetch(`${hub.url}/acme/x/resolve/main/w.bin`, { redirect: 'manual' });
  return response.headers.get('location') ?? '';
}

async function download(url: string): Promise<{ received: number; failed: boolean }> {
  let received = 0;
  try {
    for await (const chunk of await responseOf(url)) received += chunk.length;
    return { received, failed: false };
  } catch {
    return { received, failed: true };
  }
}

function responseOf(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, resolve).on('error', reject);
  });
}
