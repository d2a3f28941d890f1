import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BufferPool } from '../../../src/core/buffer-pool.ts';
import type { ByteSource } from '../../../src/core/byte-source.ts';
import { IntegrityError, InterruptedError } from '../../../src/core/errors.ts';
import { MIB } from '../../../src/core/units.ts';
import { HttpClient } from '../../../src/http/client.ts';
import { serve } from '../../../src/http/loopback.fixtures.ts';
import { createHub } from '../../../src/hub/create-hub.ts';
import type { RangeOptions } from '../../../src/hub/download/open-file.ts';
import { type EmbeddedHub, startHub } from '../../../src/testkit/hub.ts';
import type { Content } from '../../../src/testkit/server/content.ts';
import { sha256Hex } from '../../../src/testkit/server/content.ts';
import type { FaultRule, FaultTarget } from '../../../src/testkit/server/faults.ts';
import { generatedContent } from '../../../src/testkit/server/generated-content.ts';

const SEGMENTS = 6;
const PATH = 'model.safetensors';
/** A connection brings no more than this, as if the network's way were long. */
const THROTTLED: FaultRule = {
  match: /^GET cdn/,
  kind: 'slow',
  bytesPerSecond: 12 * MIB,
  times: Number.POSITIVE_INFINITY,
};

interface World {
  readonly hub: EmbeddedHub;
  readonly content: Content;
  readonly source: ByteSource;
  /** The most segments there were at once. */
  readonly mostSegments: () => number;
  readonly segmentsLeft: () => number;
  /** What the storage was asked for. */
  readonly parts: () => (string | undefined)[];
  readonly resolves: () => number;
}

async function world(t: TestContext, sizeBytes: number, faults: readonly FaultRule[] = []): Promise<World> {
  const hub = await startHub();
  t.after(() => hub.close());
  const content = generatedContent({ sizeBytes, seed: 'ranges' });
  const revision = await hub.addModel({ id: 'acme/x', files: { [PATH]: content } });
  for (const fault of faults) hub.faults.add(fault);
  const { ranges, ...counts } = eagerLanes();
  const http = new HttpClient({ retry: { baseMs: 1 }, env: {} });
  t.after(() => http.close());
  const { openFile } = createHub({ endpoint: hub.url, http, ranges });
  return {
    hub,
    content,
    source: openFile({ id: 'acme/x', revision }, { path: PATH, sizeBytes }),
    ...counts,
    parts: () => hub.log.filter(({ origin }) => origin === 'cdn').map(({ range }) => range),
    resolves: () => hub.log.filter(({ path }) => path.includes('/resolve/')).length,
  };
}

/** Ranges that are tried after a tenth of a second, so that a small file shows them. */
function eagerLanes() {
  let left = SEGMENTS;
  let least = SEGMENTS;
  const budget = {
    take(): boolean {
      if (left === 0) return false;
      left -= 1;
      least = Math.min(least, left);
      return true;
    },
    giveBack(): void {
      left += 1;
    },
    get left(): number {
      return left;
    },
  };
  const ranges: RangeOptions = {
    maxRanges: 4,
    windowMs: 100,
    windowBytes: 1e12,
    segmentBytes: 2 * MIB,
    budget,
  };
  return { ranges, mostSegments: () => SEGMENTS - least, segmentsLeft: () => left };
}

/** The sha256 of all bytes, each chunk spoilt once it has been read. */
async function hashOf(
  source: ByteSource,
  { isReaderSlow = false }: { readonly isReaderSlow?: boolean } = {},
): Promise<string> {
  const buffers = new BufferPool();
  const hash = createHash('sha256');
  let askedMs = performance.now();
  for await (const chunk of source.open({ start: 0, buffers })) {
    // Many times as long as the chunk took, however busy the machine is.
    if (isReaderSlow) await sleep(Math.max(20, 20 * (performance.now() - askedMs)));
    hash.update(chunk);
    chunk.fill(0xee);
    buffers.release(chunk);
    askedMs = performance.now();
  }
  return hash.digest('hex');
}

const isStoragePart = ({ origin, range }: FaultTarget): boolean => origin === 'cdn' && isBounded(range);
const isBounded = (range: string | undefined): boolean => /^bytes=\d+-\d+$/.test(range ?? '');

test('a Hub that limits each connection is asked for several ranges at once, and for its link once', async t => {
  const { source, content, ...seen } = await world(t, 40 * MIB, [THROTTLED]);
  assert.equal(await hashOf(source), await sha256Hex(content));
  assert.equal(seen.parts()[0], undefined, 'it began with the plain stream');
  assert.ok(seen.parts().filter(isBounded).length >= 4, seen.parts().join(' '));
  assert.ok(seen.mostSegments() >= 2 && seen.mostSegments() <= SEGMENTS);
  assert.equal(seen.segmentsLeft(), SEGMENTS);
  assert.equal(seen.resolves(), 1);
});

test('where the reader is the limit, a file is one request', async t => {
  const { source, content, ...seen } = await world(t, 24 * MIB);
  assert.equal(await hashOf(source, { isReaderSlow: true }), await sha256Hex(content));
  assert.deepEqual(seen.parts(), [undefined]);
  assert.equal(seen.resolves(), 1);
});

test('ranges that break, are refused for a while, or whose link has expired are taken up where they stood', async t => {
  const { hub, source, content, ...seen } = await world(t, 40 * MIB, [
    { match: isStoragePart, kind: 'reset', afterBytes: 1_500_000, times: 2, skip: 2 },
    {
      match: isStoragePart,
      kind: 'status',
      status: 429,
      headers: { 'retry-after': '0' },
      times: 1,
      skip: 1,
    },
    { match: isStoragePart, kind: 'status', status: 403, times: 1, skip: 1 },
    THROTTLED,
  ]);
  assert.equal(await hashOf(source), await sha256Hex(content));
  assert.ok(seen.parts().filter(isBounded).length >= 4);
  assert.ok(seen.resolves() >= 2 && seen.resolves() < 10, `${seen.resolves()} resolves`);
  assert.equal(seen.segmentsLeft(), SEGMENTS);
  assert.equal(hub.leakedTokens, 0);
});

test('a range that is not the one asked for is an error, and nothing is left behind', async t => {
  const { source, ...seen } = await world(t, 40 * MIB, [
    {
      match: isStoragePart,
      kind: 'edit',
      headers: { 'content-range': `bytes 0-${2 * MIB - 1}/${40 * MIB}` },
      times: 1,
    },
    THROTTLED,
  ]);
  await assert.rejects(
    hashOf(source),
    (error: unknown) => error instanceof IntegrityError && error.code === 'INTEGRITY_SIZE',
  );
  assert.equal(seen.segmentsLeft(), SEGMENTS);
});

test('an abort in the middle of several ranges closes every connection', async t => {
  const sockets = new Set<Socket>();
  const body = Buffer.alloc(40 * MIB, 'ranges ');
  const server = await serve(t, async (request, response) => {
    if (request.url !== '/storage') return void response.writeHead(302, { location: '/storage' }).end();
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const start = Number(first ?? 0);
    const end = last ? Number(last) + 1 : body.length;
    const range = { 'content-range': `bytes ${start}-${end - 1}/${body.length}` };
    response.writeHead(first === undefined ? 200 : 206, {
      'accept-ranges': 'bytes',
      'content-length': end - start,
      ...(first === undefined ? {} : range),
    });
    for (let at = start; at < end && !response.destroyed; at += 256 * 1024) {
      response.write(body.subarray(at, Math.min(end, at + 256 * 1024)));
      await sleep(20);
    }
    response.end();
  });
  server.server.on('connection', socket => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const { ranges, ...seen } = eagerLanes();
  const http = new HttpClient({ env: {} });
  const { openFile } = createHub({ endpoint: server.url, http, ranges });
  const source = openFile({ id: 'acme/x', revision: 'a'.repeat(40) }, { path: PATH, sizeBytes: body.length });
  const controller = new AbortController();
  const buffers = new BufferPool();
  await assert.rejects(async () => {
    for await (const chunk of source.open({ start: 0, buffers, signal: controller.signal })) {
      buffers.release(chunk);
      if (seen.mostSegments() >= 2) controller.abort();
    }
  }, InterruptedError);
  assert.equal(seen.segmentsLeft(), SEGMENTS);
  // What is still open are connections that wait for a next request.
  http.close();
  while (sockets.size > 0) await sleep(5);
});

test('a storage that promises ranges and sends the whole file is read as one stream', async t => {
  const body = Buffer.alloc(24 * MIB, 'no ranges ');
  let answers = 0;
  const server = await serve(t, async (request, response) => {
    if (request.url !== '/storage') return void response.writeHead(302, { location: '/storage' }).end();
    answers += 1;
    response.writeHead(200, { 'accept-ranges': 'bytes', 'content-length': body.length });
    for (let at = 0; at < body.length && !response.destroyed; at += 512 * 1024) {
      response.write(body.subarray(at, at + 512 * 1024));
      await sleep(20);
    }
    response.end();
  });
  const { ranges, ...seen } = eagerLanes();
  const http = new HttpClient({ env: {} });
  t.after(() => http.close());
  const { openFile } = createHub({ endpoint: server.url, http, ranges });
  const source = openFile({ id: 'acme/x', revision: 'a'.repeat(40) }, { path: PATH, sizeBytes: body.length });
  assert.equal(await hashOf(source), createHash('sha256').update(body).digest('hex'));
  assert.ok(answers > 1 && answers <= 6, `${answers} answers`);
  assert.equal(seen.segmentsLeft(), SEGMENTS);
});
