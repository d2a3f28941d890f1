import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BufferPool } from '../core/buffer-pool.ts';
import { NetworkError } from '../core/errors.ts';
import { HttpClient } from './client.ts';
import { serve } from './loopback.fixtures.ts';

// A machine that stands still for most of a second is busy, and the server is not silent.
const IDLE_MS = 1000;
/** On a machine that stands still for a while the silence is noticed first. */
const ENDED = /not complete after|did not answer in time/;

function client(t: TestContext, idleTimeoutMs = IDLE_MS): HttpClient {
  const http = new HttpClient({ env: {}, idleTimeoutMs, retry: { attempts: 1 } });
  t.after(() => http.close());
  return http;
}

const get = (url: string) => ({ method: 'GET', url, purpose: 'reading a test' }) as const;
const isSilence = (error: unknown): boolean => {
  assert.ok(error instanceof NetworkError, String(error));
  assert.match(error.message, /did not answer in time/);
  return true;
};

test('a server that never answers is left', async t => {
  const { url, requests } = await serve(t, () => undefined);
  await assert.rejects(client(t).request(get(url)), isSilence);
  // None if the machine stood still while it was on its way.
  assert.ok(requests.length <= 1, 'asked again');
});

/** A client that waits for ten minutes on a clock that the test moves, and the warnings that it gives. */
function patientClient(t: TestContext): { readonly http: HttpClient; readonly told: readonly string[] } {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const told: string[] = [];
  const http = new HttpClient({
    env: {},
    idleTimeoutMs: 600_000,
    onEvent: event => event.type === 'warning' && told.push(event.text),
  });
  t.after(() => http.close());
  return { http, told };
}

test('after half a minute it is said what is being waited for, once, and without secrets', async t => {
  const { http, told } = patientClient(t);
  const arrived = Promise.withResolvers<ServerResponse>();
  const { url } = await serve(t, (_, response) => arrived.resolve(response));
  const answer = http.request(get(`${url}/v2?token=secret`));
  const response = await arrived.promise;
  t.mock.timers.tick(29_000);
  assert.deepEqual(told, []);
  t.mock.timers.tick(2000);
  t.mock.timers.tick(60_000);
  assert.deepEqual(told, [`still waiting for ${new URL(url).host}: reading a test`]);
  response.end('late');
  assert.equal((await (await answer).bytes()).toString(), 'late');
});

test('it is said too if the rest of a document does not come', async t => {
  const { http, told } = patientClient(t);
  const { url } = await serve(t, (_, response) => {
    response.write('first');
    t.after(() => response.end());
  });
  const response = await http.request(get(url));
  const document = response.bytes();
  document.catch(() => undefined);
  t.mock.timers.tick(29_000);
  assert.deepEqual(told, []);
  t.mock.timers.tick(2000);
  assert.deepEqual(told, [`still waiting for ${new URL(url).host}: reading a test`]);
  response.stream.destroy();
  await assert.rejects(document);
});

test('a server that stops in the middle of a body is left', async t => {
  const { url } = await serve(t, (_, response) => response.write('x'));
  const response = await client(t).request(get(url));
  await assert.rejects(response.bytes(), isSilence);
});

test('a request may wait longer than the others', async t => {
  const { url } = await serve(t, (_, response) => {
    setTimeout(() => response.end('late'), 3 * IDLE_MS);
  });
  const response = await client(t).request({ ...get(url), idleTimeoutMs: 60_000 });
  assert.equal((await response.bytes()).toString(), 'late');
});

test('a server that goes slowly is not left', async t => {
  // Longer than the client waits in all, and far from it each time: a machine that stands still for a second makes no stall of it.
  const idleMs = 1500;
  const { url } = await serve(t, async (_, response) => {
    for (let i = 0; i < 12; i++) {
      response.write('x'.repeat(300));
      await sleep(idleMs / 10);
    }
    response.end();
  });
  const response = await client(t, idleMs).request(get(url));
  assert.equal((await response.bytes()).toString(), 'x'.repeat(3600));
});

test('a byte now and then is silence, also where it goes on for ever', async t => {
  const { url } = await serve(t, (request, response) => {
    response.writeHead(200, request.url === '/large' ? { 'content-length': 4_000_000 } : {});
    const timer = setInterval(() => response.write('x'), IDLE_MS / 5);
    response.once('close', () => clearInterval(timer));
  });
  const http = client(t);
  const small = await http.request(get(url));
  await assert.rejects(small.bytes(), isSilence);
  const large = await http.request(get(`${url}/large`));
  await assert.rejects(async () => {
    for await (const _ of large.chunks(new BufferPool()));
  }, /nothing came for 1 s/);
});

test('interim answers and a head that does not end have a deadline', async t => {
  const server = createServer(socket => {
    socket.on('error', () => undefined);
    socket.once('data', (request: Buffer) => {
      const isInterim = String(request).startsWith('GET /interim');
      socket.write(isInterim ? '' : 'HTTP/1.1 200 OK\r\nx-more: ');
      const words = isInterim ? 'HTTP/1.1 102 Processing\r\n\r\n' : 'x';
      const timer = setInterval(() => socket.write(words), IDLE_MS / 5);
      socket.once('close', () => clearInterval(timer));
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const path of ['/interim', '/head'])
    await assert.rejects(client(t).request(get(`${url}${path}`)), ENDED, path);
});

test('a document has a deadline however fast it comes, and more than was announced is not kept', async t => {
  const { url } = await serve(t, (request, response) => {
    if (request.url === '/long') response.write('x'.repeat(2000));
    const timer = setInterval(() => response.write('x'.repeat(300)), IDLE_MS / 5);
    response.once('close', () => clearInterval(timer));
  });
  const http = client(t);
  await assert.rejects((await http.request(get(url))).bytes(20_000), ENDED);
  await assert.rejects((await http.request(get(`${url}/long`))).bytes(1000), { code: 'HTTP_TOO_LARGE' });
});

test('a reader that pauses is not taken for a server that stalls', async t => {
  const body = Buffer.alloc(8 * 1024 * 1024, 'x');
  const { url, requests } = await serve(t, (_, response) => response.end(body));
  const response = await client(t).request(get(url));
  let length = 0;
  let pauses = 0;
  // The pauses lie badly for a clock that runs on while nothing is asked of the server.
  for await (const chunk of response.stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (pauses * 2_000_000 < length && pauses++ < 4) await sleep(IDLE_MS * (0.5 + pauses));
  }
  assert.equal(length, body.length);
  assert.equal(pauses, 5);
  assert.equal(requests.length, 1);
});

test('a server that dies while the reader pauses is found out once it reads on', async t => {
  const { url } = await serve(t, (_, response) => response.writeHead(200).write(Buffer.alloc(32 * 1024)));
  const response = await client(t).request(get(url));
  await sleep(2 * IDLE_MS);
  await assert.rejects(response.bytes(), isSilence);
});

test('an upload waits for its own source, but not for a server that takes nothing', async t => {
  const { url } = await serve(t, (request, response) => {
    if (request.url === '/deaf') request.pause();
    else request.on('end', () => response.writeHead(201).end()).resume();
  });
  const http = client(t);
  const slow = http.upload({ method: 'PATCH', url, purpose: 'uploading a test' });
  await slow.write(Buffer.from('a'));
  await sleep(3 * IDLE_MS);
  await slow.write(Buffer.from('b'));
  assert.equal((await slow.end()).status, 201);

  const deaf = http.upload({ method: 'PATCH', url: `${url}/deaf`, purpose: 'uploading a test' });
  await assert.rejects(async () => {
    for (;;) await deaf.write(Buffer.alloc(1024 * 1024));
  }, isSilence);
});

test('a proxy that does not open its tunnel is left', async t => {
  const proxy = createServer(socket => socket.on('error', () => undefined));
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  const sockets = once(proxy, 'connection');
  const env = { HTTPS_PROXY: `http://user:hidden@127.0.0.1:${(proxy.address() as AddressInfo).port}` };
  const http = new HttpClient({ env, idleTimeoutMs: IDLE_MS, retry: { attempts: 1 } });
  t.after(async () => {
    http.close();
    proxy.close();
    (await sockets)[0].destroy();
  });
  await assert.rejects(http.request(get('https://hub.example/')), (error: unknown) => {
    assert.ok(error instanceof NetworkError);
    assert.match(error.message, /timed out|in time/);
    assert.doesNotMatch(error.message, /hidden/);
    return true;
  });
});
