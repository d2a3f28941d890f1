import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { bytesSource } from '../../core/byte-source.ts';
import { digestOf } from '../../core/digest.ts';
import { type Descriptor, MediaType } from '../../oci/types.ts';
import type { ImageStore } from '../../store/image-store.ts';
import { buildBaseImage } from '../../testkit/base-image.ts';
import { isOver, pathOver } from './base-paths.ts';

const ROOT = '/models';

/** The layers of an image with these files, and the store that has them. */
function imageOf(...layers: Readonly<Record<string, string | Uint8Array>>[]) {
  const blobs = buildBaseImage({ layers }).blobs.slice(0, -1);
  const bytesOf = new Map(blobs.map(blob => [digestOf(blob), blob]));
  const asked: string[] = [];
  const store = {
    openBlob({ digest }: Descriptor) {
      asked.push(digest);
      return bytesSource('a layer', bytesOf.get(digest) ?? Buffer.alloc(0));
    },
  } as Partial<ImageStore> as ImageStore;
  const descriptors = blobs.map(blob => ({
    mediaType: MediaType.ociLayerGzip as string,
    digest: digestOf(blob),
    size: blob.length,
  }));
  return { base: { reference: 'acme/base:1', layers: descriptors }, store, asked };
}

for (const { path, isFolder = false, says } of [
  { path: 'models/x/config.json', says: true },
  { path: './models/', isFolder: true, says: true },
  { path: 'models', says: true },
  { path: '.wh.models', says: true },
  { path: 'models/.wh.x', says: true },
  { path: 'models/.wh..wh..opq', says: true },
  { path: '.wh..wh..opq', says: true },
  { path: 'models-of-others/x', says: false },
  { path: 'etc/.wh.passwd', says: false },
  { path: 'opt/models/x', says: false },
  { path: 'opt/.wh..wh..opq', says: false },
]) {
  test(`${path} ${says ? 'hides or replaces' : 'leaves alone'} what is in ${ROOT}`, () => {
    assert.equal(isOver(ROOT, path, isFolder), says);
  });
}

test('a folder on the way to ours changes nothing, a link in its place does', () => {
  assert.equal(isOver('/opt/models', 'opt/', true), false);
  assert.equal(isOver('/opt/models', 'opt', false), true);
});

test('the small layers of a base are read, until one has something in our folder', async () => {
  const { base, store, asked } = imageOf(
    { 'etc/a': 'a' },
    { 'models/x/config.json': '{}' },
    { 'etc/b': 'b' },
  );
  assert.equal(await pathOver(ROOT, base, { store }), '/models/x/config.json');
  assert.equal(asked.length, 3);
  assert.equal(await pathOver('/weights', base, { store }), undefined);
});

test('a large layer is not read, whatever is in it', async () => {
  const { base, store, asked } = imageOf({ 'models/large': randomBytes(1_100_000) });
  assert.equal(await pathOver(ROOT, base, { store }), undefined);
  assert.equal(asked.length, 1);
});

test('a small layer that unpacks to a large one, and one that is not a tar, tell nothing', async () => {
  const { base, store } = imageOf({ 'etc/zeros': Buffer.alloc(40_000_000), 'models/x': 'x' });
  assert.equal(await pathOver(ROOT, base, { store }), undefined);
  const odd = { ...base, layers: base.layers.map(layer => ({ ...layer, mediaType: MediaType.ociLayerTar })) };
  assert.equal(await pathOver(ROOT, odd, { store }), undefined);
});

test('a layer with other bytes than its digest is an error', async () => {
  const { base, store } = imageOf({ 'etc/a': 'a' });
  const [first, second] = base.layers as [Descriptor, Descriptor];
  const wrong = { ...base, layers: [{ ...first, digest: second.digest, size: second.size }, second] };
  assert.equal(await pathOver(ROOT, wrong, { store }), undefined);
  const lying = { ...store, openBlob: () => bytesSource('x', Buffer.alloc(first.size)) } as ImageStore;
  await assert.rejects(pathOver(ROOT, base, { store: lying }), { code: 'INTEGRITY_HASH' });
});
