import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../src/core/digest.ts';
import { MIB } from '../../src/core/units.ts';
import { HttpClient } from '../../src/http/client.ts';
import { CopyHasher, fanOut } from '../../src/store/fan-out/fan-out.ts';
import { RegistryClient } from '../../src/store/registry/registry-client.ts';
import { RegistryStore } from '../../src/store/registry/registry-store.ts';
import {
  type KnownCapabilities,
  RegistryCapabilities,
} from '../../src/store/registry/upload/registry-capabilities.ts';
import { type EmbeddedRegistry, type RegistryOptions, startRegistry } from '../../src/testkit/registry.ts';
import type { FaultRule } from '../../src/testkit/server/faults.ts';
import { inPieces } from '../support/in-pieces.ts';

const BLOB = Buffer.from(Array.from({ length: 9 * MIB + 123 }, (_, i) => (i * 31 + (i >> 9)) % 253));
const RETRY = { baseMs: 1, maxMs: 5, attempts: 4, patienceMs: 0, maxServerWaitMs: 60_000 };
/** Breaks the first PATCH off once 5 MiB have come. */
const BREAK: FaultRule = { match: /^PATCH/, kind: 'reset', afterBytes: 5 * MIB };

interface Case {
  readonly name: string;
  readonly registry?: RegistryOptions;
  readonly known?: KnownCapabilities;
  readonly faults?: readonly FaultRule[];
  readonly sizeBytes?: number;
  /** Whether the digest is known before the first byte. */
  readonly isKnown?: boolean;
  /** The requests of the first blob, and of a second one: what was learnt is not asked again. */
  readonly first: string;
  readonly second?: string;
  /** Bytes of the blob that were read at the most, in blobs and a bit; default 1. */
  readonly reads?: number;
}

const STREAMED = 'POST PATCH PUT';
const RANGED = 'POST PATCH PATCH PATCH PUT';

const CASES: readonly Case[] = [
  { name: 'any registry: one streamed PATCH', first: STREAMED },
  {
    name: 'a small blob of a known digest goes with the closing PUT',
    sizeBytes: 1000,
    isKnown: true,
    first: 'POST PUT',
  },
  {
    name: 'a large blob of a known digest is streamed, because a stream can be gone on from',
    isKnown: true,
    first: STREAMED,
  },
  {
    name: 'a broken stream goes on in chunks from where the registry stands',
    faults: [BREAK],
    first: 'POST PATCH! GET PATCH PATCH PUT',
    second: STREAMED,
  },
  {
    name: 'Docker: the upload is lost with the broken stream, and starts again in chunks',
    registry: { quirks: { newestLocationOnly: true } },
    faults: [BREAK],
    first: 'POST PATCH! GET404 POST PATCH PATCH PATCH PUT',
    second: STREAMED,
    reads: 2,
  },
  {
    name: 'GHCR: a broken stream starts again in chunks of 4 MiB, which are resumed',
    registry: {
      quirks: { patchMaxContentLengthBytes: 4 * MIB, relativeLocations: true, deleteUploads: false },
    },
    known: { cancels: false, resumesStreams: false, takesLength: false },
    faults: [BREAK, { match: /^PATCH/, kind: 'lose-answer', skip: 1 }],
    first: 'POST PATCH! POST PATCH PATCH! PATCH416 GET PATCH PUT',
    second: STREAMED,
    reads: 2,
  },
  {
    name: 'a limit for lengths that are announced is learnt: then the same without one',
    registry: { quirks: { patchMaxContentLengthBytes: 4 * MIB } },
    first: 'POST PATCH416 GET POST PATCH PUT',
    second: STREAMED,
    reads: 2,
  },
  {
    name: 'ECR: ranged chunks lose data, which is found out once',
    registry: { quirks: { minChunkBytes: 5 * MIB, losesRangedBytes: true } },
    faults: [BREAK],
    first: 'POST PATCH! GET PATCH PUT400 POST PATCH PUT',
    second: STREAMED,
    reads: 2,
  },
  {
    name: 'a registry that wants larger chunks gets them',
    registry: { quirks: { minChunkBytes: 6 * MIB } },
    known: { withoutStrategies: ['streamed'] },
    first: 'POST PATCH PATCH PUT',
    second: 'POST PATCH PATCH PUT',
  },
  {
    name: 'Google: the second PATCH of an upload is refused, so a broken one starts again',
    registry: { quirks: { singlePatch: true } },
    faults: [BREAK],
    first: 'POST PATCH! GET PATCH405 POST PATCH PUT',
    second: STREAMED,
    reads: 2,
  },
  {
    name: 'zot: what a PATCH did not take is sent again',
    registry: { quirks: { shortPatchBytes: 3 * MIB } },
    first: 'POST PATCH GET PATCH PATCH PATCH PUT',
  },
  {
    name: 'a proxy with a limit for bodies: chunks below it',
    registry: { quirks: { maxBodyBytes: MIB } },
    first: `POST PATCH413 GET POST PATCH413 GET POST ${'PATCH '.repeat(10)}PUT`,
    second: `POST ${'PATCH '.repeat(10)}PUT`,
    reads: 2,
  },
  {
    name: 'no chunked transfer encoding: chunks of a known length',
    registry: { quirks: { needsLength: true } },
    known: { takesLength: false },
    first: 'POST PATCH411 GET POST PATCH PATCH PATCH PUT',
    second: RANGED,
  },
  {
    name: 'no PATCH at all, digest known: whole',
    registry: { quirks: { refusesPatch: true } },
    isKnown: true,
    first: 'POST PATCH405 GET POST PATCH405 POST PUT',
    reads: 2,
    second: 'POST PUT',
  },
  {
    name: 'no PATCH at all, digest unknown: read once for the digest, then whole',
    registry: { quirks: { refusesPatch: true } },
    first: 'POST PATCH405 GET POST PATCH405 POST POST PUT',
    second: 'POST POST PUT',
    reads: 3,
  },
  {
    name: 'an upload lost after its first PATCH starts again',
    registry: { quirks: { loseUploads: 1 } },
    first: 'POST PATCH PUT404 GET404 POST PATCH PATCH PATCH PUT',
    second: STREAMED,
    reads: 2,
  },
  {
    name: 'uploads at another host get no login',
    registry: { quirks: { uploadsElsewhere: true }, auth: { kind: 'bearer', user: 'u', password: 'p' } },
    faults: [BREAK],
    first: 'POST401 GET POST PATCH! GET PATCH PATCH PUT',
    second: 'POST401 GET POST PATCH PUT',
  },
  {
    name: 'a token that dies in mid-upload is renewed',
    registry: { auth: { kind: 'bearer', user: 'u', password: 'p', tokenTtlMs: 300 } },
    faults: [{ match: /^PATCH/, kind: 'slow', bytesPerSecond: 20 * MIB }],
    first: 'POST401 GET POST PATCH GET PUT',
  },
  {
    name: '429 in mid-upload is waited out',
    faults: [{ match: /^PATCH/, kind: 'status', status: 429, headers: { 'retry-after': '1' } }],
    first: 'POST PATCH429 GET POST PATCH PATCH PATCH PUT',
  },
];

for (const entry of CASES) {
  test(entry.name, async () => {
    await using registry = await startRegistry(entry.registry);
    for (const fault of entry.faults ?? []) registry.faults.add(fault);
    const http = new HttpClient({ retry: RETRY, idleTimeoutMs: 3000 });
    const capabilities = new RegistryCapabilities(entry.known);
    const push = async (repository: string): Promise<{ requests: string; reads: number }> => {
      const blob = BLOB.subarray(0, entry.sizeBytes ?? BLOB.length);
      const credential = async () => ({ kind: 'basic' as const, username: 'u', password: 'p' });
      const client = new RegistryClient({ http, registry: registry.host, credential, capabilities });
      const store = new RegistryStore(client, repository, 'push');
      const before = registry.log.length;
      const { digest, failures, readBytes } = await fanOut({
        source: inPieces(blob),
        hasher: new CopyHasher(),
        stores: [store],
        retry: RETRY,
        ...(entry.isKnown ? { digest: digestOf(blob) } : {}),
      });
      assert.deepEqual([...failures.values()].map(String), []);
      assert.deepEqual(await registry.readBlob(digest as `sha256:${string}`), blob);
      return { requests: requestsSince(registry, before), reads: readBytes / blob.length };
    };
    const first = await push('acme/first');
    assert.equal(first.requests, entry.first);
    assert.ok(first.reads <= (entry.reads ?? 1) + 0.7, `${first.reads} blobs were read`);
    if (entry.second !== undefined) assert.equal((await push('acme/second')).requests, entry.second);
    assert.equal(registry.leakedTokens, 0);
    assert.equal(registry.log.filter(({ status }) => status === 500).length, 0);
    http.close();
  });
}

test('the upload that a refused mount opens is used, and a registry that refuses them is not asked for ever', async () => {
  await using registry = await startRegistry({ quirks: { mount: 'refuse' } });
  const http = new HttpClient({ retry: RETRY });
  const client = new RegistryClient({ http, registry: registry.host, credential: async () => undefined });
  const store = new RegistryStore(client, 'acme/x', 'push');
  const blob = BLOB.subarray(0, 5 * MIB);
  const descriptor = { mediaType: 'application/x', digest: digestOf(blob), size: blob.length };
  // What its repository does not hold is not asked for.
  const manifests = [{ mediaType: 'application/x', bytes: Buffer.from('{}') }];
  registry.putImage('acme/other', 'x', { blobs: [blob], manifests });
  for (let attempt = 1; attempt <= 5; attempt++) {
    assert.equal(await store.mountBlob(descriptor, `${registry.host}/acme/other`), false);
  }
  await fanOut({ source: inPieces(blob), hasher: new CopyHasher(), stores: [store], retry: RETRY });
  // Three mounts are asked for; the first upload is kept, the other two are given up.
  assert.equal(requestsSince(registry, 0), 'POST POST DELETE POST DELETE PATCH PUT');
  assert.equal(registry.openUploads, 0);
  http.close();
});

/** `POST PATCH! GET404 …`: the methods in order, with the status where it is a failure and `!` where none came. */
function requestsSince(registry: EmbeddedRegistry, start: number): string {
  return registry.log
    .slice(start)
    .filter(({ method }) => method !== 'HEAD')
    .map(({ method, status }) => `${method}${status === 0 ? '!' : status >= 400 ? status : ''}`)
    .join(' ');
}
