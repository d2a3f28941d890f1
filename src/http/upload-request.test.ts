import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { InterruptedError, NetworkError } from '../core/errors.ts';
import { HttpClient } from './client.ts';
import { serve } from './loopback.fixtures.ts';

function client(t: TestContext): HttpClient {
  const http = new HttpClient({ env: {} });
  t.after(() => http.close());
  return http;
}

const patch = (url: string) => ({ method: 'PATCH', url, purpose: 'uploading a test' }) as const;
const MIB = Buffer.alloc(1024 * 1024, 'm');

test('a body arrives as it was written, with its length or in chunks', async t => {
  const bodies: [string | undefined, string | undefined, string][] = [];
  const { url } = await serve(t, async (request, response) => {
    const hash = createHash('sha256');
    for await (const chunk of request) hash.update(chunk);
    bodies.push([
      request.headers['content-length'],
      request.headers['transfer-encoding'],
      hash.digest('hex'),
    ]);
    response.writeHead(202, { location: '/next' }).end();
  });
  for (const size of [{ sizeBytes: 3 * MIB.length }, {}]) {
    const upload = client(t).upload({ ...patch(url), ...size });
    for (let i = 0; i < 3; i++) await upload.write(MIB);
    const response = await upload.end();
    assert.deepEqual([response.status, response.headers.location], [202, '/next']);
    response.discard();
  }
  const sha256 = createHash('sha256')
    .update(Buffer.concat([MIB, MIB, MIB]))
    .digest('hex');
  assert.deepEqual(bodies, [
    [String(3 * MIB.length), undefined, sha256],
    [undefined, 'chunked', sha256],
  ]);
});

test('a writer is held back until the server reads', async t => {
  const { url, server } = await serve(t, () => undefined);
  const arrived = once(server, 'request');
  const upload = client(t).upload(patch(url));
  let written = 0;
  let waiting: Promise<void> | undefined;
  while (waiting === undefined) {
    waiting = upload.write(MIB);
    written += 1;
  }
  let isHeld = true;
  const released = waiting.then(() => {
    isHeld = false;
  });
  // More than what the buffers of two sockets take, so that only a reader can let the writer go on.
  const more = Buffer.alloc(16 * MIB.length);
  const last = upload.write(more);
  const [request, response] = await arrived;
  assert.equal(isHeld, true);
  request.resume();
  await Promise.all([released, last]);
  const answer = upload.end();
  request.on('end', () => response.writeHead(201).end());
  assert.equal((await answer).status, 201);
  assert.ok(written >= 1);
});

test('a server that answers before the end is heard, and its connection is not used again', async t => {
  const { url, requests } = await serve(t, (request, response) => {
    request.once('data', () => response.writeHead(413).end('too much'));
  });
  const upload = client(t).upload(patch(url));
  while (!upload.isAnswered) {
    await upload.write(MIB);
    await new Promise(resolve => setImmediate(resolve));
  }
  assert.equal(upload.write(MIB), undefined);
  const response = await upload.end();
  assert.equal(response.status, 413);
  const request = requests[0];
  assert.ok(request);
  const isClosed = new Promise(resolve => request.socket.once('close', resolve));
  assert.equal((await response.bytes()).toString(), 'too much');
  await isClosed;
});

test('a connection that breaks fails the write that waits, those after it, and the end', async t => {
  const { url } = await serve(t, request => {
    request.once('data', () => request.socket.resetAndDestroy());
  });
  const upload = client(t).upload(patch(url));
  const isBroken = (error: unknown): boolean => error instanceof NetworkError && error.code === 'NETWORK';
  await assert.rejects(async () => {
    for (;;) await upload.write(MIB);
  }, isBroken);
  assert.throws(() => upload.write(MIB), isBroken);
  await assert.rejects(upload.end(), isBroken);
});

test('an abort and a destroy both let a waiting writer go', async t => {
  const { url } = await serve(t, () => undefined);
  const controller = new AbortController();
  const fill = async (upload: { write(chunk: Uint8Array): Promise<void> | undefined }): Promise<void> => {
    for (;;) await upload.write(MIB);
  };
  const aborted = fill(client(t).upload({ ...patch(url), signal: controller.signal }));
  setImmediate(() => controller.abort());
  await assert.rejects(aborted, InterruptedError);

  const upload = client(t).upload(patch(url));
  const destroyed = fill(upload);
  setImmediate(() => upload.destroy());
  await assert.rejects(destroyed, NetworkError);
});

test('silence after the end is noticed, also where the writer has paused before it', async t => {
  const { url } = await serve(t, request => {
    request.resume();
  });
  const upload = client(t).upload({ ...patch(url), sizeBytes: 3, idleTimeoutMs: 100 });
  await upload.write(Buffer.from('abc'));
  // The clock of the connection has run out by now, and rightly nothing came of it.
  await sleep(300);
  await assert.rejects(upload.end(), /did not answer in time/);
});
