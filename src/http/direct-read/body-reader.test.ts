import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { BufferPool } from '../../core/buffer-pool.ts';
import { selfSigned } from '../../testkit/authority.ts';
import { HttpClient } from '../client.ts';
import { serve } from '../loopback.fixtures.ts';
import type { HttpResponse } from '../types.ts';

const BODY = randomBytes(3 * 1024 * 1024 + 17);
const DIGEST = sha256(BODY);

/** Small, so that a body is many of them. */
const BUFFER_BYTES = 256 * 1024;

/** Knows what is out, and spoils what has come back, so that a late reader would notice. */
class SpoilingPool extends BufferPool {
  readonly made = new Set<ArrayBufferLike>();
  readonly out = new Set<ArrayBufferLike>();

  constructor() {
    super(BUFFER_BYTES);
  }

  override take(): Buffer {
    const buffer = super.take();
    this.made.add(buffer.buffer);
    this.out.add(buffer.buffer);
    return buffer;
  }

  override release(chunk: Uint8Array): void {
    chunk.fill(0xee);
    this.out.delete(chunk.buffer);
    super.release(chunk);
  }
}

function client(t: TestContext, idleTimeoutMs = 5000): HttpClient {
  const http = new HttpClient({ env: {}, idleTimeoutMs });
  t.after(() => http.close());
  return http;
}

function get(http: HttpClient, url: string): Promise<HttpResponse> {
  return http.request({ method: 'GET', url, purpose: 'reading a test', isRetryable: false });
}

test('whatever the pace of the server and of the reader, a body is what was sent', async t => {
  let pieces: readonly number[] = [];
  const { url } = await serve(t, async (_, response) => {
    response.writeHead(200, { 'content-length': BODY.length });
    let start = 0;
    for (const piece of pieces) {
      response.write(BODY.subarray(start, start + piece));
      start += piece;
      await turn();
    }
    response.end(BODY.subarray(start));
  });
  const http = client(t);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 200_000 }), { maxLength: 12 }),
      fc.array(fc.nat(3), { maxLength: 12 }),
      async (lengths, pauses) => {
        pieces = lengths;
        const pool = new SpoilingPool();
        const hash = createHash('sha256');
        let count = 0;
        for await (const chunk of (await get(http, url)).chunks(pool)) {
          for (let left = pauses[count++] ?? 0; left > 0; left--) await sleep(1);
          hash.update(chunk);
          pool.release(chunk);
        }
        assert.equal(hash.digest('hex'), DIGEST);
        assert.equal(pool.out.size, 0);
      },
    ),
    { numRuns: 40 },
  );
});

test('chunks may be kept while the next ones come', async t => {
  const { url } = await serve(t, (_, response) => response.end(BODY));
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await get(client(t), url)).chunks(new BufferPool(BUFFER_BYTES)))
    chunks.push(chunk);
  assert.equal(sha256(Buffer.concat(chunks)), DIGEST);
});

test('the connection of a body that was read whole serves the next request, also for one that is not taken over', async t => {
  const server = await serve(t, (request, response) => response.end(request.url === '/small' ? 'x' : BODY));
  const http = client(t);
  const pool = new SpoilingPool();
  for (let round = 0; round < 20; round++) {
    const hash = createHash('sha256');
    for await (const chunk of (await get(http, server.url)).chunks(pool)) {
      hash.update(chunk);
      pool.release(chunk);
    }
    assert.equal(hash.digest('hex'), DIGEST);
    assert.equal(String(await (await get(http, `${server.url}/small`)).bytes()), 'x');
  }
  // One is filled, one waits, one is read.
  assert.ok(pool.made.size <= 3, `${pool.made.size} buffers`);
  // The agent is told of a free connection a moment after its body has ended, when the next request may have begun.
  assert.ok(server.connections <= 2, `${server.connections} connections`);
});

test('a connection on which more came than was announced is not used again', async t => {
  const server = await serve(t, (request, response) => {
    const head = `HTTP/1.1 200 OK\r\ncontent-length: ${BODY.length}\r\n\r\n`;
    if (request.url === '/more') request.socket.write(Buffer.concat([Buffer.from(head), BODY, BODY]));
    else response.end('x');
  });
  const http = client(t);
  const hash = createHash('sha256');
  for await (const chunk of (await get(http, `${server.url}/more`)).chunks(new BufferPool(BUFFER_BYTES)))
    hash.update(chunk);
  assert.equal(hash.digest('hex'), DIGEST);
  assert.equal(String(await (await get(http, server.url)).bytes()), 'x');
  assert.equal(server.connections, 2);
});

test('the same over TLS, which goes on delivering after a pause, and the connection is used again', async t => {
  const { key, cert } = selfSigned();
  const server = https.createServer({ key, cert }, (_, response) => {
    response.writeHead(200, { 'content-length': BODY.length }).end(BODY);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  t.after(() => {
    if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
  });
  const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
  let connections = 0;
  server.on('secureConnection', () => {
    connections += 1;
  });
  const http = client(t);
  const pool = new SpoilingPool();
  for (let round = 0; round < 6; round++) {
    const hash = createHash('sha256');
    for await (const chunk of (await get(http, url)).chunks(pool)) {
      await sleep(2);
      hash.update(chunk);
      pool.release(chunk);
    }
    assert.equal(hash.digest('hex'), DIGEST);
    // The agent hears of a free connection a moment after its body has ended.
    await turn();
  }
  assert.ok(pool.made.size <= 3, `${pool.made.size} buffers`);
  assert.ok(connections <= 2, `${connections} connections`);
});

test('switched off, a body comes through Node’s own streams, and none of the pool’s memory is used', async t => {
  const { url } = await serve(t, (_, response) =>
    response.writeHead(200, { 'content-length': BODY.length }).end(BODY),
  );
  for (const [value, isDirect] of [
    ['0', false],
    ['1', true],
    ['', true],
  ] as const) {
    const http = new HttpClient({ env: { WEIGHBRIDGE_DIRECT_READ: value } });
    t.after(() => http.close());
    const pool = new SpoilingPool();
    const hash = createHash('sha256');
    for await (const chunk of (await get(http, url)).chunks(pool)) {
      hash.update(chunk);
      pool.release(chunk);
    }
    assert.equal(hash.digest('hex'), DIGEST);
    assert.equal(pool.made.size > 0, isDirect);
  }
});

test('what came before a break is given out, and then the error', async t => {
  const { url } = await serve(t, async (request, response) => {
    response.writeHead(200, { 'content-length': BODY.length });
    response.write(BODY.subarray(0, 2_000_000));
    await sleep(50);
    request.socket.resetAndDestroy();
  });
  const response = await get(client(t), url);
  const chunks: Uint8Array[] = [];
  await assert.rejects(async () => {
    for await (const chunk of response.chunks(new BufferPool(BUFFER_BYTES))) chunks.push(chunk);
  }, /aborted|ECONNRESET|closed/);
  assert.deepEqual(Buffer.concat(chunks), BODY.subarray(0, 2_000_000));
});

test('a silent server is given up; a reader that takes its time is not', async t => {
  const { url } = await serve(t, (request, response) => {
    response.writeHead(200, { 'content-length': BODY.length });
    if (request.url === '/whole') response.end(BODY);
    else response.write(BODY.subarray(0, 1000));
  });
  const http = client(t, 150);
  await assert.rejects(async () => {
    for await (const _ of (await get(http, url)).chunks(new BufferPool(BUFFER_BYTES)));
  }, /nothing came for 0.15 s/);
  const hash = createHash('sha256');
  for await (const chunk of (await get(http, `${url}/whole`)).chunks(new BufferPool(BUFFER_BYTES))) {
    await sleep(100);
    hash.update(chunk);
  }
  assert.equal(hash.digest('hex'), DIGEST);
});

test('bytes that trickle are handed on within seconds', async t => {
  const { url } = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': BODY.length });
    response.write(BODY.subarray(0, 1000));
    setTimeout(() => response.write(BODY.subarray(1000, 3000)), 200);
  });
  const seen: number[] = [];
  for await (const chunk of (await get(client(t), url)).chunks(new BufferPool(BUFFER_BYTES))) {
    seen.push(chunk.length);
    if (seen.reduce((sum, length) => sum + length) === 3000) break;
  }
  assert.ok(seen.length <= 3);
});

test('a reader that stops early leaves no connection behind', async t => {
  const { url, requests } = await serve(t, (_, response) => response.end(BODY));
  for await (const _ of (await get(client(t), url)).chunks(new BufferPool(BUFFER_BYTES))) break;
  const socket = requests[0]?.socket;
  assert.ok(socket);
  if (!socket.destroyed) await new Promise(resolve => socket.once('close', resolve));
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
