import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Digest, digestOf } from '../core/digest.ts';
import { MediaType } from '../oci/types.ts';
import { buildBaseImage } from './base-image.ts';
import { pushImage } from './push-image.ts';
import { type EmbeddedRegistry, startRegistry } from './registry.ts';

const ACCEPT_ALL = { accept: '*/*' };

test('an image pushed comes back byte for byte, by tag and by digest', async () => {
  await using registry = await startRegistry();
  const digest = await pushImage(registry.url, 'acme/x', 'v1', buildBaseImage());
  const stored = registry.manifest('acme/x', 'v1');
  for (const reference of ['v1', digest]) {
    const url = `${registry.url}/v2/acme/x/manifests/${reference}`;
    const response = await fetch(url, { headers: ACCEPT_ALL });
    assert.equal(response.headers.get('content-type'), MediaType.ociManifest);
    assert.equal(response.headers.get('docker-content-digest'), digest);
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), stored?.bytes);
    const head = await fetch(url, { method: 'HEAD', headers: ACCEPT_ALL });
    assert.equal(head.headers.get('content-length'), String(stored?.bytes.length));
  }
});

test('a manifest is only for those who say that they can read it', async () => {
  await using registry = await startRegistry();
  await pushImage(registry.url, 'acme/x', 'v1', buildBaseImage());
  const url = `${registry.url}/v2/acme/x/manifests/v1`;
  assert.equal((await fetch(url, { headers: { accept: MediaType.dockerManifest } })).status, 404);
  const accept = `${MediaType.dockerManifest}, ${MediaType.ociManifest};q=0.5`;
  assert.equal((await fetch(url, { headers: { accept } })).status, 200);
});

test('what a manifest names has to be there, in this repository', async () => {
  await using registry = await startRegistry();
  const image = buildBaseImage({ hasIndex: true });
  const [manifest, index] = image.manifests;
  assert.ok(manifest !== undefined && index !== undefined);
  await pushImage(registry.url, 'acme/other', 'v1', image);
  assert.deepEqual(await putManifest(registry, 'v1', manifest), [400, 'MANIFEST_BLOB_UNKNOWN']);
  assert.deepEqual(await putManifest(registry, 'v1', index), [400, 'MANIFEST_BLOB_UNKNOWN']);
  assert.equal(registry.manifest('acme/x', 'v1'), undefined);
});

test('a manifest that is not one is refused', async () => {
  await using registry = await startRegistry();
  await pushImage(registry.url, 'acme/x', 'v1', buildBaseImage());
  const good = JSON.parse(registry.manifest('acme/x', 'v1')?.bytes.toString() ?? '');
  const tryPut = async (value: unknown, mediaType: string = MediaType.ociManifest) =>
    await putManifest(registry, 'v2', { mediaType, bytes: Buffer.from(JSON.stringify(value)) });
  const invalid = [400, 'MANIFEST_INVALID'];
  assert.deepEqual(await tryPut(good, MediaType.dockerManifest), invalid);
  assert.deepEqual(await tryPut(good, 'application/json'), invalid);
  assert.deepEqual(await tryPut({ ...good, schemaVersion: 1 }), invalid);
  assert.deepEqual(await tryPut({ ...good, layers: 'none' }), invalid);
  assert.deepEqual(await tryPut({ ...good, manifests: [] }), invalid);
  assert.deepEqual(await tryPut({ ...good, config: { ...good.config, size: 1 } }), invalid);
  const wrong = digestOf('other');
  const manifest = { mediaType: MediaType.ociManifest, bytes: Buffer.from(JSON.stringify(good)) };
  assert.deepEqual(await putManifest(registry, wrong, manifest), [400, 'DIGEST_INVALID']);
  assert.deepEqual(await putManifest(registry, '-bad', manifest), [400, 'TAG_INVALID']);
  assert.deepEqual(await tryPut(good), [201, undefined]);
});

test('tags come in order and in pages', async () => {
  await using registry = await startRegistry();
  const image = buildBaseImage();
  for (const tag of ['b', 'a', 'C', 'd']) registry.putImage('acme/x', tag, image);
  const pages: string[][] = [];
  let next: string | undefined = '/v2/acme/x/tags/list?n=3';
  while (next !== undefined) {
    const response: Response = await fetch(registry.url + next);
    pages.push(((await response.json()) as { tags: string[] }).tags);
    next = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1];
  }
  assert.deepEqual(pages, [['C', 'a', 'b'], ['d']]);
  assert.equal((await fetch(`${registry.url}/v2/acme/none/tags/list`)).status, 404);
});

test('referrers are found by subject and type, where the registry has them at all', async () => {
  await using registry = await startRegistry();
  const subject = registry.putImage('acme/x', 'v1', buildBaseImage());
  const empty = Buffer.from('{}');
  registry.putImage('acme/x', 'blobs', { blobs: [empty], manifests: buildBaseImage().manifests });
  const config = { mediaType: MediaType.ociEmpty, digest: digestOf(empty), size: 2 };
  const artifact = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    artifactType: 'application/vnd.example',
    config,
    layers: [config],
    subject: { mediaType: MediaType.ociManifest, digest: subject, size: 1 },
    annotations: { a: 'b' },
  };
  const bytes = Buffer.from(JSON.stringify(artifact));
  const put = async () =>
    await fetch(`${registry.url}/v2/acme/x/manifests/${digestOf(bytes)}`, {
      method: 'PUT',
      body: bytes,
      headers: { 'content-type': MediaType.ociManifest },
    });
  assert.equal((await put()).headers.get('oci-subject'), subject);
  const [referrer] = await referrersOf(registry, subject, '');
  assert.equal(referrer?.digest, digestOf(bytes));
  assert.equal(referrer?.artifactType, 'application/vnd.example');
  assert.deepEqual(await referrersOf(registry, subject, '?artifactType=other'), []);
  registry.quirks.referrers = false;
  assert.equal((await put()).headers.get('oci-subject'), null);
  assert.equal((await fetch(`${registry.url}/v2/acme/x/referrers/${subject}`)).status, 404);
});

test('deleting a manifest takes its tags along; deleting a tag leaves it', async () => {
  await using registry = await startRegistry();
  const digest = registry.putImage('acme/x', 'v1', buildBaseImage());
  registry.putImage('acme/x', 'v2', buildBaseImage());
  const url = `${registry.url}/v2/acme/x/manifests`;
  assert.equal((await fetch(`${url}/v1`, { method: 'DELETE' })).status, 202);
  assert.notEqual(registry.manifest('acme/x', digest), undefined);
  assert.equal((await fetch(`${url}/${digest}`, { method: 'DELETE' })).status, 202);
  assert.equal(registry.manifest('acme/x', 'v2'), undefined);
});

test('a blob behind a link: the registry redirects, and the link takes no login', async () => {
  await using registry = await startRegistry({ quirks: { redirectBlobs: true } });
  const image = buildBaseImage();
  registry.putImage('acme/x', 'v1', image);
  const layer = Buffer.from(image.blobs[0] ?? []);
  const url = `${registry.url}/v2/acme/x/blobs/${digestOf(layer)}`;
  const response = await fetch(url, { redirect: 'manual' });
  assert.equal(response.status, 307);
  const location = response.headers.get('location') ?? '';
  const part = await fetch(location, { headers: { range: 'bytes=2-4' } });
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), layer.subarray(2, 5));
  assert.equal((await fetch(location, { headers: { authorization: 'Basic eDp5' } })).status, 400);
  assert.equal(registry.leakedTokens, 1);
});

async function putManifest(
  registry: EmbeddedRegistry,
  reference: string,
  { mediaType, bytes }: { mediaType: string; bytes: Uint8Array },
): Promise<[number, string | undefined]> {
  const response = await fetch(`${registry.url}/v2/acme/x/manifests/${reference}`, {
    method: 'PUT',
    body: Buffer.from(bytes),
    headers: { 'content-type': mediaType },
  });
  const text = await response.text();
  return [response.status, text === '' ? undefined : JSON.parse(text).errors[0].code];
}

async function referrersOf(
  registry: EmbeddedRegistry,
  subject: Digest,
  query: string,
): Promise<{ digest: string; artifactType: string }[]> {
  const response = await fetch(`${registry.url}/v2/acme/x/referrers/${subject}${query}`);
  return ((await response.json()) as { manifests: { digest: string; artifactType: string }[] }).manifests;
}
