import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BufferPool } from '../../../src/core/buffer-pool.ts';
import { bytesSource } from '../../../src/core/byte-source.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { WeighbridgeError } from '../../../src/core/errors.ts';
import { HttpClient } from '../../../src/http/client.ts';
import { createHub } from '../../../src/hub/create-hub.ts';
import { MediaType } from '../../../src/oci/types.ts';
import { CopyHasher, fanOut } from '../../../src/store/fan-out/fan-out.ts';
import type { ImageStore } from '../../../src/store/image-store.ts';
import { RegistryClient } from '../../../src/store/registry/registry-client.ts';
import { RegistryStore } from '../../../src/store/registry/registry-store.ts';
import { RegistryCapabilities } from '../../../src/store/registry/upload/registry-capabilities.ts';
import { startHub } from '../../../src/testkit/hub.ts';
import { type EmbeddedRegistry, type RegistryOptions, startRegistry } from '../../../src/testkit/registry.ts';
import type { FaultRule } from '../../../src/testkit/server/faults.ts';
import { BASE_REPOSITORY, LOGIN, MODEL_FILES, World } from '../../support/world.ts';

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

/** A blob in parts of a byte, each on a connection of its own: more comes each time, and it would take years. */
export const aByteEachTime = () => servedByHand((_, position) => [position, 1]);

/** The whole blob again and again, and of it a byte more each time. */
export const aByteMoreEachTime = () => servedByHand(index => [0, index + 1]);

/** `answer` says where an answer begins and how many bytes of it come; the connection ends there. */
async function servedByHand(
  answer: (index: number, position: number) => readonly [start: number, bytes: number],
): Promise<string> {
  let index = 0;
  const server = createServer((request, response) => {
    const position = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const [start, bytes] = answer(index++, position);
    const last = BLOB.length - 1;
    const headers = { 'content-length': BLOB.length - start };
    if (start > 0)
      response.writeHead(206, { ...headers, 'content-range': `bytes ${start}-${last}/${last + 1}` });
    else response.writeHead(200, headers);
    response.write(BLOB.subarray(start, start + bytes), () => response.destroy());
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const world = new World(await startHub(), []);
  const store = world.open(`127.0.0.1:${(server.address() as AddressInfo).port}/acme/x`, 'pull');
  const blob = { mediaType: MediaType.ociLayerTar, digest: digestOf(BLOB), size: BLOB.length };
  try {
    for await (const _ of store.openBlob(blob).open({ start: 0 }));
    return 'read';
  } catch (error) {
    return words(error);
  } finally {
    server.close();
    await world[Symbol.asyncDispose]();
  }
}

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
export const tagsInACircle = () =>
  readSpoilt(
    {},
    registry =>
      registry.faults.add({
        match: /GET registry .*tags\/list/,
        kind: 'status',
        status: 200,
        headers: { link: '</v2/acme/x/tags/list?n=1>; rel="next"' },
        body: '{"tags":["a"]}',
        times: ALWAYS,
      }),
    async store => `${(await store.listTags(1_000_000)).length} tags`,
  );

/** Tags whose pages have another tag each, and never end. */
export async function tagsWithoutEnd(): Promise<string> {
  let page = 0;
  const server = createServer((_, response) => {
    page += 1;
    response.setHeader('link', `</v2/acme/x/tags/list?last=${page}>; rel="next"`);
    response.end(`{"tags":["t${page}"]}`);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const world = new World(await startHub(), []);
  const store = world.open(`127.0.0.1:${(server.address() as AddressInfo).port}/acme/x`, 'pull');
  try {
    return `${(await store.listTags(1_000_000)).length} tags`;
  } catch (error) {
    return words(error);
  } finally {
    server.close();
    await world[Symbol.asyncDispose]();
  }
}

/** A registry that confirms every chunk without having taken a byte of it. */
export const chunksThatStay = () => uploadInChunks(() => '0-1');

/** A registry that has more of a chunk after one answer, and less again after the next. */
export const chunksBackAndForth = () => uploadInChunks(index => (index % 2 === 0 ? '0-999' : '0-499'));

/** `rangeOf` says how much the registry has of a blob, whatever it was sent. */
async function uploadInChunks(rangeOf: (index: number) => string): Promise<string> {
  let index = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const isChunk = request.method === 'PATCH';
      const headers = { location: '/upload', ...(isChunk && { range: rangeOf(index++) }) };
      response.writeHead(request.method === 'HEAD' ? 404 : 202, headers).end();
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const http = new HttpClient({ env: {}, retry: { attempts: 2, baseMs: 1 } });
  const capabilities = new RegistryCapabilities({ withoutStrategies: ['streamed', 'monolithic'] });
  const registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new RegistryClient({ http, registry, capabilities, credential: async () => undefined });
  const stores = [new RegistryStore(client, 'acme/x', 'push')];
  try {
    const source = bytesSource('a source', BLOB);
    const { failures } = await fanOut({ source, hasher: new CopyHasher(), stores });
    return failures.size === 0 ? 'moved' : words([...failures.values()][0]);
  } finally {
    http.close();
    server.close();
  }
}

/** What `read` gives of a repository whose registry was spoiled, or the error. */
async function readSpoilt(
  { quirks, auth }: Pick<RegistryOptions, 'quirks' | 'auth'>,
  spoil: (registry: EmbeddedRegistry) => void,
  read: (store: ImageStore) => Promise<string>,
): Promise<string> {
  await using registry = await startRegistry({ ...(quirks && { quirks }), ...(auth && { auth }) });
  spoil(registry);
  const world = new World(await startHub(), [registry]);
  try {
    return await read(world.open(`${registry.host}/acme/x`));
  } catch (error) {
    return words(error);
  } finally {
    await world[Symbol.asyncDispose]();
  }
}

/** Referrers whose pages lead to each other. */
export const referrersInACircle = () =>
  readSpoilt(
    { quirks: { referrers: true } },
    registry => {
      const one = { mediaType: MediaType.ociManifest, digest: digestOf('x'), size: 1 };
      registry.faults.add({
        match: /GET registry .*referrers/,
        kind: 'status',
        status: 200,
        headers: {
          'content-type': MediaType.ociIndex,
          link: `</v2/acme/x/referrers/${digestOf(BLOB)}?n=1>; rel="next"`,
        },
        body: JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [one] }),
        times: ALWAYS,
      });
    },
    async store => `${(await store.fetchReferrers(digestOf(BLOB)))?.length} referrers`,
  );

/** A registry that gives a token to everyone who asks, and takes none. */
export const tokensThatNeverCount = () =>
  readSpoilt(
    { auth: { kind: 'bearer', ...LOGIN } },
    registry => {
      const realm = `Bearer realm="http://${registry.host}/token",service="x",scope="repository:acme/x:pull"`;
      registry.faults.add({
        match: /registry \/v2\/acme/,
        kind: 'status',
        status: 401,
        headers: { 'www-authenticate': realm },
        times: ALWAYS,
      });
    },
    async store => `${(await store.listTags(10)).length} tags`,
  );

/** A blob that is always somewhere else. */
export const redirectsInACircle = () =>
  readBroken({
    match: GET,
    kind: 'status',
    status: 307,
    headers: { location: `/v2/acme/x/blobs/${digestOf(BLOB)}` },
    times: ALWAYS,
  });

/** Models that were made from each other. */
export async function lineageInACircle(): Promise<string> {
  await using world = await World.start();
  for (const [id, base] of [
    ['acme/x', 'acme/y'],
    ['acme/y', 'acme/z'],
    ['acme/z', 'acme/x'],
  ] as const) {
    const card = `---\nlicense: apache-2.0\nbase_model: ${base}\n---\n`;
    await world.hub.addModel({ id, files: { ...MODEL_FILES, 'README.md': card } });
  }
  const { outcome } = await world.plan(world.config('acme/x'));
  return `${outcome.lineage.length} ancestors`;
}

/** A list of the Hub's files whose pages lead to each other. */
export const filesInACircle = () => listFiles(url => url);

/** Pages of many files without end. */
export const filesWithoutNumber = () => listFiles((_, index) => `/api/models/acme/x/tree/${index}`, 5000);

/** A list of the Hub's files in which another page follows each. */
export const filesWithoutEnd = () => listFiles((_, index) => `/api/models/acme/x/tree/${index}`);

async function listFiles(nextOf: (url: string, index: number) => string, count = 1): Promise<string> {
  const sha = '0a'.repeat(20);
  let index = 0;
  const server = createServer(({ url = '' }, response) => {
    const isTree = url.includes('/tree/');
    if (isTree) response.setHeader('link', `<${nextOf(url, index++)}>; rel="next"`);
    const sibling = { rfilename: 'a' };
    const info = { id: 'acme/x', sha, gated: false, cardData: { license: 'mit' }, siblings: [sibling] };
    const entry = { type: 'file', path: 'a', size: 1, oid: sha };
    response.end(JSON.stringify(isTree ? Array.from({ length: count }, () => entry) : info));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const http = new HttpClient({ env: {}, retry: { attempts: 2, baseMs: 1 } });
  const { port } = server.address() as AddressInfo;
  try {
    const { files } = await createHub({ endpoint: `http://127.0.0.1:${port}`, http }).getModel(
      'acme/x',
      null,
    );
    return `${files.length} files`;
  } catch (error) {
    return words(error);
  } finally {
    http.close();
    server.close();
  }
}
