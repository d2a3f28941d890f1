import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { InterruptedError, NetworkError, WeighbridgeError } from '../core/errors.ts';
import type { ProgressEvent } from '../core/events.ts';
import { HttpClient, type HttpClientOptions } from './client.ts';
import { serve } from './loopback.fixtures.ts';

function client(t: TestContext, options: HttpClientOptions = {}): HttpClient {
  const http = new HttpClient({ env: {}, ...options, retry: { attempts: 3, baseMs: 1, ...options.retry } });
  t.after(() => http.close());
  return http;
}

const get = (url: string) => ({ method: 'GET', url, purpose: 'reading a test' }) as const;

test('a status that may pass is tried again, and each try is told', async t => {
  const { url, requests } = await serve(t, (_, response) => {
    response.writeHead(requests.length < 3 ? 503 : 200).end('body');
  });
  const events: ProgressEvent[] = [];
  const response = await client(t, { onEvent: event => events.push(event) }).request(get(url));
  assert.equal((await response.bytes()).toString(), 'body');
  assert.equal(requests.length, 3);
  assert.deepEqual(
    events.map(event => event.type === 'retry' && [event.what, event.attempt, event.reason]),
    [
      ['reading a test', 1, 'status 503'],
      ['reading a test', 2, 'status 503'],
    ],
  );
});

test('the last status is an answer and not an error', async t => {
  const { url, requests } = await serve(t, (_, response) => response.writeHead(502).end());
  assert.equal((await client(t).request(get(url))).status, 502);
  assert.equal(requests.length, 3);
});

test('what must not be sent twice is sent once', async t => {
  const { url, requests } = await serve(t, (_, response) => response.writeHead(503).end());
  const response = await client(t).request({ ...get(url), method: 'POST', body: 'x', isRetryable: false });
  assert.equal(response.status, 503);
  assert.equal(requests.length, 1);
});

test('the wait a server asks for is kept, and one that is too long is not waited for', async t => {
  const { url, requests } = await serve(t, (request, response) => {
    const wait = request.url === '/short' ? '0' : '9999';
    response.writeHead(429, { ratelimit: `"api";r=0;t=${wait}` }).end();
  });
  const events: ProgressEvent[] = [];
  const http = client(t, { onEvent: event => events.push(event), retry: { maxServerWaitMs: 1000 } });
  assert.equal((await http.request(get(`${url}/long`))).status, 429);
  assert.equal(requests.length, 1);
  assert.equal((await http.request(get(`${url}/short`))).status, 429);
  assert.equal(requests.length, 4);
  const { delayMs } = await new Promise<{ delayMs: number }>((resolve, reject) => {
    const controller = new AbortController();
    const onEvent = (event: ProgressEvent) => {
      if (event.type !== 'retry') return;
      resolve(event);
      controller.abort();
    };
    const patient = client(t, { onEvent, retry: { maxServerWaitMs: 1e8 } });
    patient.request({ ...get(`${url}/long`), signal: controller.signal }).then(reject, () => undefined);
  });
  assert.ok(delayMs >= 9_999_000, String(delayMs));
});

test('a connection that breaks is tried again; a server that is gone is named', async t => {
  const { url, requests, server } = await serve(t, (request, response) => {
    if (requests.length === 1) request.socket.resetAndDestroy();
    else response.end('ok');
  });
  const http = client(t);
  assert.equal((await (await http.request(get(url))).bytes()).toString(), 'ok');
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
  await assert.rejects(http.request(get(url)), (error: unknown) => {
    assert.ok(error instanceof NetworkError);
    assert.match(error.message, /^reading a test: 127\.0\.0\.1:\d+ refused the connection$/);
    return true;
  });
});

test('a redirect keeps a login at its origin and loses it elsewhere for good', async t => {
  const other = await serve(t, (request, response) => {
    if (request.url === '/back') response.writeHead(302, { location: `${home.url}/end` }).end();
    else response.end('other');
  });
  const home = await serve(t, (request, response) => {
    const location = { '/a': '/b?q=1', '/b?q=1': `${other.url}/back` }[request.url ?? ''];
    if (location === undefined) response.end('home');
    else response.writeHead(307, { location }).end();
  });
  const headers = { Authorization: 'Bearer s', Cookie: 'c', range: 'bytes=5-' };
  const response = await client(t).request({ ...get(`${home.url}/a`), headers });
  assert.equal(response.url, `${home.url}/end`);
  assert.equal((await response.bytes()).toString(), 'home');
  const seen = [...home.requests.slice(0, 2), ...other.requests, ...home.requests.slice(2)];
  assert.deepEqual(
    seen.map(({ url, headers: { authorization, cookie, range } }) => [url, authorization, cookie, range]),
    [
      ['/a', 'Bearer s', 'c', 'bytes=5-'],
      ['/b?q=1', 'Bearer s', 'c', 'bytes=5-'],
      ['/back', undefined, undefined, 'bytes=5-'],
      ['/end', undefined, undefined, 'bytes=5-'],
    ],
  );
});

test('redirects can be had as they are, and what changes something does not follow them', async t => {
  const { url, requests } = await serve(t, (_, response) =>
    response.writeHead(307, { location: '/b' }).end(),
  );
  const http = client(t);
  const plain = await http.request({ ...get(url), followRedirects: false });
  const post = await http.request({ ...get(url), method: 'POST' });
  assert.deepEqual([plain.status, post.status, requests.length], [307, 307, 2]);
});

for (const [name, location, message] of [
  ['a circle', '/again', /more than 10 redirects/],
  ['another protocol', 'file:///etc/passwd', /expected an HTTP address, got file:/],
  ['no address', 'http://[', /not a URL/],
] as const) {
  test(`a redirect to ${name} is an error that trying again does not change`, async t => {
    const { url, requests } = await serve(t, (_, response) => response.writeHead(302, { location }).end());
    const events: ProgressEvent[] = [];
    const http = client(t, { onEvent: event => events.push(event) });
    await assert.rejects(http.request(get(url)), (error: unknown) => {
      assert.ok(error instanceof NetworkError);
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual(events, []);
    assert.equal(requests.length, name === 'a circle' ? 11 : 1);
  });
}

test('one connection serves many requests, also where a body was not wanted', async t => {
  const server = await serve(t, (request, response) => {
    // What HEAD is told of is not sent.
    const headers = request.method === 'HEAD' ? { 'content-length': '9000000000' } : {};
    response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : 'small');
  });
  const http = client(t);
  for (let i = 0; i < 3; i++) {
    await (await http.request(get(server.url))).bytes();
    const head = await http.request({ ...get(server.url), method: 'HEAD' });
    const isOver = once(head.stream, 'close');
    head.discard();
    await isOver;
  }
  assert.equal(server.requests.length, 6);
  assert.equal(server.connections, 1);
});

test('a long body that is not wanted is cut off', async t => {
  const { url, requests } = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': '9000000000' }).write('x');
  });
  const response = await client(t).request(get(url));
  const request = requests[0];
  assert.ok(request);
  const isCut = once(request.socket, 'close');
  response.discard();
  await isCut;
});

test('an answer that is too long is refused', async t => {
  const { url } = await serve(t, (_, response) => response.end('x'.repeat(2000)));
  const response = await client(t).request(get(url));
  await assert.rejects(response.bytes(1000), (error: unknown) => {
    return error instanceof WeighbridgeError && error.code === 'HTTP_TOO_LARGE';
  });
});

test('a body that is cut short is an error and never a shorter body', async t => {
  const { url } = await serve(t, (request, response) => {
    if (request.url === '/length') response.writeHead(200, { 'content-length': '10' });
    response.write('12345', () => response.destroy());
  });
  for (const path of ['/length', '/chunked']) {
    const response = await client(t).request(get(url + path));
    await assert.rejects(response.bytes(), /reading a test: 127\.0\.0\.1:\d+ closed the connection/);
  }
});

test('an abort ends a request before, during and after its answer', async t => {
  const { url, requests, server } = await serve(t, (request, response) => {
    if (request.url === '/body') response.write('x');
  });
  const http = client(t);
  await assert.rejects(http.request({ ...get(url), signal: AbortSignal.abort() }), InterruptedError);
  assert.equal(requests.length, 0);

  const silent = new AbortController();
  server.once('request', () => silent.abort());
  await assert.rejects(http.request({ ...get(url), signal: silent.signal }), InterruptedError);
  assert.equal(requests.length, 1);

  const reading = new AbortController();
  const response = await http.request({ ...get(`${url}/body`), signal: reading.signal });
  response.stream.once('data', () => reading.abort());
  await assert.rejects(response.bytes(), InterruptedError);
});

test('an abort ends a request that still waits for a connection', async t => {
  const { url, requests } = await serve(t, () => undefined);
  const http = client(t);
  const all = new AbortController();
  const waiting = new AbortController();
  const most = Array.from({ length: 64 }, () => http.request({ ...get(url), signal: all.signal }));
  const last = http.request({ ...get(url), signal: waiting.signal });
  waiting.abort();
  await assert.rejects(last, InterruptedError);
  all.abort();
  await Promise.all(most.map(one => assert.rejects(one, InterruptedError)));
  assert.ok(requests.length <= 64);
});

test('what is not HTTP, and a compressed document that is broken, are told with the host', async t => {
  const other = createServer(socket => socket.once('data', () => socket.write('SSH-2.0-OpenSSH_9.6\r\n')));
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve));
  t.after(() => other.close());
  const http = client(t);
  const { port } = other.address() as AddressInfo;
  await assert.rejects(http.request(get(`http://127.0.0.1:${port}`)), {
    message: /^reading a test: the answer of 127\.0\.0\.1:\d+ is not valid HTTP \(Expected HTTP/,
  });
  const gzip = await serve(t, (_, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('a document').subarray(0, 20)),
  );
  await assert.rejects(http.requestBytes(get(gzip.url)), {
    message: /^reading a test: the compressed answer of 127\.0\.0\.1:\d+ is broken$/,
  });
});

test('requests are told of if that is wanted: each hop, without secrets, and why there is no answer', async t => {
  const { url } = await serve(t, (request, response) => {
    if (request.url === '/a?token=secret') response.writeHead(302, { location: '/b' }).end();
    else response.writeHead(200).end('x');
  });
  const events: ProgressEvent[] = [];
  const onEvent = (event: ProgressEvent) => events.push(event);
  const http = client(t, { env: { WEIGHBRIDGE_LOG_REQUESTS: '1' }, onEvent });
  await (await http.request(get(`${url}/a?token=secret`))).bytes();
  const upload = http.upload({ method: 'PATCH', url: `${url}/c`, purpose: 'uploading a test' });
  await upload.write(Buffer.from('x'));
  (await upload.end()).discard();
  await assert.rejects(
    http.request({ ...get('http://127.0.0.1:1/'), isRetryable: false }),
    /refused the connection/,
  );
  assert.deepEqual(
    events.map(event => event.type === 'request' && [event.method, event.url, event.status ?? event.reason]),
    [
      ['GET', `${url}/a?token=…`, 302],
      ['GET', `${url}/b`, 200],
      ['PATCH', `${url}/c`, 200],
      ['GET', 'http://127.0.0.1:1/', 'reading a test: 127.0.0.1:1 refused the connection'],
    ],
  );
  assert.ok(events.every(event => event.type === 'request' && Number.isInteger(event.durationMs)));
});
