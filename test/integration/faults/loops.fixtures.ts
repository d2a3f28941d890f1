import { BufferPool } from '../../../src/core/buffer-pool.ts';
import { bytesSource } from '../../../src/core/byte-source.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { WeighbridgeError } from '../../../src/core/errors.ts';
import { HttpClient } from '../../../src/http/client.ts';
import { createHub } from '../../../src/hub/create-hub.ts';
import { MediaType } from '../../../src/oci/types.ts';
import { CopyHasher, fanOut } from '../../../src/publish/transfer/fan-out.ts';
import { startHub } from '../../../src/testkit/hub.ts';
import { startRegistry } from '../../../src/testkit/registry.ts';
import type { FaultRule } from '../../../src/testkit/server/faults.ts';
import { BASE_REPOSITORY, MODEL_FILES, World } from '../../support/world.ts';

// What must come to an end, each with the server or the source that would keep it going. Run by a `Watchdog`.

const BLOB = Buffer.alloc(3_000_000, 7);
const ALWAYS = Number.POSITIVE_INFINITY;

async function publishFrom(
  spoil: (world: World, layer: ReturnType<typeof baseLayer>) => void,
): Promise<string> {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  spoil(world, baseLayer(world));
  const images = await world.publish(world.config('acme/x'), { variants: ['slim'] });
  return images.map(image => `${image.status}: ${'error' in image ? words(image.error) : ''}`).join('; ');
}

function baseLayer(world: World) {
  const [layer] = world.manifest(0, 'v0.6.0', BASE_REPOSITORY).layers;
  if (layer === undefined) throw new Error('a base image without layers');
  return layer;
}

function words(error: unknown): string {
  return error instanceof WeighbridgeError ? `${error.code} ${error.message}` : String(error);
}

/** A base layer that has ten bytes more than its manifest says. */
export async function longerBaseLayer(): Promise<string> {
  return await publishFrom((world, { digest }) => {
    const size = world.registry(0).blobSize(digest) ?? 0;
    world.registry(0).damageBlob(digest, Buffer.alloc(size + 10, 1));
  });
}

/** The same without a Content-Length that would tell. */
export async function longerBaseLayerInChunks(): Promise<string> {
  return await publishFrom((world, { digest }) => {
    const size = world.registry(0).blobSize(digest) ?? 0;
    world.registry(0).damageBlob(digest, Buffer.alloc(size + 10, 1));
    const headers = { 'content-length': undefined, 'transfer-encoding': 'chunked' };
    world
      .registry(0)
      .faults.add({ match: /GET registry .*blobs\/sha256/, kind: 'edit', headers, times: ALWAYS });
  });
}

/** A small config that sends far more than it has announced. */
export async function endlessConfig(): Promise<string> {
  return await publishFrom(world => {
    const { config } = world.manifest(0, 'v0.6.0', BASE_REPOSITORY);
    world.registry(0).damageBlob(config.digest, Buffer.alloc(64 * 1024 * 1024));
    const headers = { 'content-length': undefined, 'transfer-encoding': 'chunked' };
    world
      .registry(0)
      .faults.add({ match: /GET registry .*blobs\/sha256/, kind: 'edit', headers, times: ALWAYS });
  });
}

async function readBroken(...rules: FaultRule[]): Promise<string> {
  await using registry = await startRegistry();
  const bytes = Buffer.from('{}');
  registry.putImage('acme/x', 'v1', {
    blobs: [BLOB],
    manifests: [{ mediaType: MediaType.ociManifest, bytes }],
  });
  for (const rule of rules) registry.faults.add(rule);
  const world = new World(await startHub(), [registry]);
  const descriptor = { mediaType: MediaType.ociLayerTar, digest: digestOf(BLOB), size: BLOB.length };
  const chunks: Uint8Array[] = [];
  try {
    const source = world.open(`${registry.host}/acme/x`, 'pull').openBlob(descriptor);
    const buffers = new BufferPool();
    for await (const chunk of source.open({ start: 0, buffers })) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).equals(BLOB) ? 'read' : 'read something else';
  } catch (error) {
    return words(error);
  } finally {
    await world[Symbol.asyncDispose]();
  }
}

const GET = /GET registry .*blobs/;
const broken: FaultRule = { match: GET, kind: 'reset', afterBytes: 1_000_000 };

/** A connection that breaks once. */
export const brokenOnce = () => readBroken(broken);

/** A part from another place than what was asked for. */
export const partFromElsewhere = () =>
  readBroken(broken, {
    match: GET,
    kind: 'edit',
    headers: { 'content-range': `bytes 0-${BLOB.length - 1_000_001}/${BLOB.length}` },
    times: ALWAYS,
  });

/** A part that says nothing of where it is from. */
export const partFromNowhere = () =>
  readBroken(broken, { match: GET, kind: 'edit', headers: { 'content-range': undefined }, times: ALWAYS });

/** Every answer ends after its head. */
export const neverAByte = () => readBroken({ match: GET, kind: 'truncate', afterBytes: 0, times: ALWAYS });

/** A file of the Hub of which nothing ever comes. */
export async function neverAByteOfTheHub(): Promise<string> {
  await using hub = await startHub();
  const revision = await hub.addModel({ id: 'acme/x', files: { 'model.safetensors': BLOB } });
  hub.faults.add({
    match: /GET (hub|cdn) .*model\.safetensors/,
    kind: 'truncate',
    afterBytes: 0,
    times: ALWAYS,
  });
  hub.faults.add({ match: /GET cdn/, kind: 'truncate', afterBytes: 0, times: ALWAYS });
  const http = new HttpClient({ env: {}, retry: { attempts: 3, baseMs: 1 } });
  const file = { path: 'model.safetensors', sizeBytes: BLOB.length };
  const source = createHub({ endpoint: hub.url, http, readAttempts: 3 }).openFile(
    { id: 'acme/x', revision },
    file,
  );
  try {
    for await (const _ of source.open({ start: 0 }));
    return 'read';
  } catch (error) {
    return words(error);
  } finally {
    http.close();
  }
}

async function transferFrom(sizeBytes: number, chunks: readonly Uint8Array[]): Promise<string> {
  await using registry = await startRegistry();
  const world = new World(await startHub(), [registry]);
  const source = {
    ...bytesSource('a source', BLOB),
    sizeBytes,
    async *open() {
      yield* chunks;
    },
  };
  const stores = [world.open(`${registry.host}/acme/x`)];
  try {
    const { failures } = await fanOut({ source, hasher: new CopyHasher(), stores });
    return failures.size === 0 ? 'moved' : words([...failures.values()][0]);
  } catch (error) {
    return words(error);
  } finally {
    await world[Symbol.asyncDispose]();
  }
}

export const sourceWithMore = () => transferFrom(1000, [BLOB.subarray(0, 990), BLOB.subarray(0, 20)]);
export const sourceWithLess = () => transferFrom(1000, [BLOB.subarray(0, 990)]);
export const sourceWithNothing = () => transferFrom(1000, []);

/** Tags whose pages lead to each other, and never to an end. */
export async function tagsInACircle(): Promise<string> {
  await using registry = await startRegistry();
  const world = new World(await startHub(), [registry]);
  registry.faults.add({
    match: /GET registry .*tags\/list/,
    kind: 'status',
    status: 200,
    headers: { link: '</v2/acme/x/tags/list?n=1>; rel="next"' },
    body: '{"tags":["a"]}',
    times: ALWAYS,
  });
  const tags = await world.open(`${registry.host}/acme/x`).listTags(1_000_000);
  await world[Symbol.asyncDispose]();
  return `${tags.length} tags`;
}

/** A registry that confirms every chunk without having taken a byte of it. */
export async function chunksThatStay(): Promise<string> {
  await using registry = await startRegistry({ quirks: { maxBodyBytes: 1_000_000 } });
  registry.faults.add({ match: /PATCH/, kind: 'edit', headers: { range: '0-1' }, times: ALWAYS });
  const world = new World(await startHub(), [registry]);
  const stores = [world.open(`${registry.host}/acme/x`)];
  try {
    const source = bytesSource('a source', BLOB);
    const { failures } = await fanOut({ source, hasher: new CopyHasher(), stores });
    return failures.size === 0 ? 'moved' : words([...failures.values()][0]);
  } finally {
    await world[Symbol.asyncDispose]();
  }
}
