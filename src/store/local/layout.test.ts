import assert from 'node:assert/strict';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { digestOf } from '../../core/digest.ts';
import { IntegrityError, InterruptedError, RegistryError } from '../../core/errors.ts';
import { MediaType } from '../../oci/types.ts';
import { imageStoreContract } from '../image-store.contract.ts';
import type { ImageStore } from '../image-store.ts';
import { guardIo } from '../store-io.ts';
import { FileUpload } from './file-upload.ts';
import { openLayout } from './layout.ts';

let folder: string;
let serial = 0;
const freshFolder = () => path.join(folder, `layout${serial++}`);
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-layout-'));
});
after(() => rm(folder, { recursive: true }));

imageStoreContract('an image layout', async () => ({ store: await openLayout(freshFolder()) }));

async function put(store: ImageStore, text: string) {
  const upload = await store.startUpload({ sizeBytes: Buffer.byteLength(text) });
  await upload.write(Buffer.from(text));
  await upload.commit(digestOf(text));
  return { mediaType: MediaType.ociLayerTar, digest: digestOf(text), size: Buffer.byteLength(text) };
}

async function putImage(store: ImageStore, tag: string) {
  // The media type is left out, which OCI allows.
  const json = { schemaVersion: 2, config: await put(store, '{}'), layers: [await put(store, tag)] };
  const bytes = Buffer.from(JSON.stringify(json));
  const manifest = { mediaType: MediaType.ociManifest, digest: digestOf(bytes), bytes };
  await store.putManifest(tag, manifest);
  return manifest;
}

test('the folder is an image layout with nothing else in it', async () => {
  const target = freshFolder();
  const store = await openLayout(target);
  const { digest, bytes } = await putImage(store, 'v1');
  assert.deepEqual((await readdir(target)).sort(), ['blobs', 'index.json', 'oci-layout']);
  assert.equal(await readFile(path.join(target, 'oci-layout'), 'utf8'), '{"imageLayoutVersion":"1.0.0"}');
  assert.deepEqual(JSON.parse(await readFile(path.join(target, 'index.json'), 'utf8')), {
    schemaVersion: 2,
    mediaType: MediaType.ociIndex,
    manifests: [
      {
        mediaType: MediaType.ociManifest,
        digest,
        size: bytes.length,
        annotations: { 'org.opencontainers.image.ref.name': 'v1' },
      },
    ],
  });
});

test('what others keep in the layout stays', async () => {
  const target = freshFolder();
  await openLayout(target);
  const foreign = {
    schemaVersion: 2,
    manifests: [
      { mediaType: 'x', digest: digestOf('untagged'), size: 1, vendor: { a: 1 } },
      {
        mediaType: 'x',
        digest: digestOf('old'),
        size: 1,
        annotations: { 'org.opencontainers.image.ref.name': 'v1' },
      },
      {
        mediaType: 'x',
        digest: digestOf('o'),
        size: 1,
        annotations: { 'org.opencontainers.image.ref.name': 'o/o:1' },
      },
    ],
    annotations: { theirs: 'kept' },
  };
  await writeFile(path.join(target, 'index.json'), JSON.stringify(foreign));
  const store = await openLayout(target);
  const { digest } = await putImage(store, 'v1');
  const index = JSON.parse(await readFile(path.join(target, 'index.json'), 'utf8'));
  assert.deepEqual(index.annotations, { theirs: 'kept' });
  assert.deepEqual(index.manifests.slice(0, 2), [foreign.manifests[0], foreign.manifests[2]]);
  assert.equal(index.manifests[2].digest, digest);
  assert.deepEqual(await store.listTags(9), ['v1']);
});

test("images of several repositories share a layout without taking each other's tags", async () => {
  const target = freshFolder();
  const x = await openLayout(target, { repository: 'hf-x' });
  const y = await openLayout(target, { repository: 'hf-y' });
  const first = await putImage(x, 'v1');
  await putImage(y, 'v1');
  await putImage(y, 'v2');
  assert.deepEqual([await x.listTags(9), await y.listTags(9)], [['v1'], ['v1', 'v2']]);
  assert.equal(await x.resolveTag('v1'), first.digest);
  assert.deepEqual(await (await openLayout(target)).listTags(9), []);
});

test('writers of one layout do not lose tags, also through several stores', async () => {
  const target = freshFolder();
  const stores = await Promise.all([openLayout(target), openLayout(`${target}/.`), openLayout(target)]);
  const tags = Array.from({ length: 30 }, (_, index) => `t${index}`);
  await Promise.all(tags.map((tag, index) => putImage(stores[index % 3] as ImageStore, tag)));
  assert.deepEqual((await (stores[0] as ImageStore).listTags(100)).sort(), tags.sort());
});

test('a folder with other things in it is not made a layout', async () => {
  const target = freshFolder();
  await mkdir(target);
  await writeFile(path.join(target, 'thesis.txt'), '');
  await assert.rejects(openLayout(target), { code: 'STORE_IO', name: 'RegistryError' });
  assert.deepEqual(await readdir(target), ['thesis.txt']);
});

test('a path through a file, a broken index and an unknown version are errors with a remedy', async () => {
  const file = path.join(folder, 'file');
  await writeFile(file, '');
  const broken = freshFolder();
  await openLayout(broken);
  await writeFile(path.join(broken, 'index.json'), '{"manifests": 7}');
  const future = freshFolder();
  await mkdir(future);
  await writeFile(path.join(future, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}');
  const attempts = [
    () => openLayout(path.join(file, 'x')),
    () => openLayout(file),
    () => openLayout(future),
    () => openLayout(broken).then(store => store.listTags(1)),
  ];
  for (const attempt of attempts) {
    await assert.rejects(attempt(), error => {
      assert.ok(error instanceof RegistryError && error.code === 'STORE_IO', String(error));
      assert.ok(error.remedy);
      return true;
    });
  }
});

test('a damaged blob is found out', async () => {
  const target = freshFolder();
  const store = await openLayout(target);
  const { digest, bytes } = await putImage(store, 'v1');
  const file = path.join(target, 'blobs', 'sha256', digest.slice(7));
  await writeFile(file, `${bytes} `);
  await assert.rejects(store.getManifest('v1'), IntegrityError);
  const source = store.openBlob({ mediaType: 'x', digest, size: bytes.length });
  await assert.rejects(async () => {
    for await (const _ of source.open({ start: 0 }));
  }, IntegrityError);
});

test('an upload that is aborted by its signal stops and leaves nothing', async () => {
  const target = freshFolder();
  const store = await openLayout(target);
  const controller = new AbortController();
  const upload = await store.startUpload({ sizeBytes: 10, signal: controller.signal });
  await upload.write(Buffer.alloc(5));
  controller.abort();
  await assert.rejects(async () => upload.write(Buffer.alloc(5)), InterruptedError);
  await upload.abort();
  assert.deepEqual((await readdir(target)).sort(), ['blobs', 'index.json', 'oci-layout']);
  assert.deepEqual(await readdir(path.join(target, 'blobs', 'sha256')), []);
  await assert.rejects(store.startUpload({ sizeBytes: 1, signal: controller.signal }), InterruptedError);
});

test('after a refused digest the upload begins anew', async () => {
  const store = await openLayout(freshFolder());
  const upload = await store.startUpload({ sizeBytes: 4 });
  await upload.write(Buffer.from('bad!'));
  await assert.rejects(upload.commit(digestOf('good')), { code: 'INTEGRITY_HASH' });
  assert.equal(await upload.resume(), 0);
  await upload.write(Buffer.from('good'));
  await upload.commit(digestOf('good'));
  assert.equal(await store.statBlob(digestOf('good')), 4);
});

test('a full disk says so', { skip: process.platform !== 'linux' && 'needs /dev/full' }, async () => {
  const handle = await open('/dev/full', 'w');
  const nothing = async () => undefined;
  const upload = new FileUpload({
    store: 'oci:out',
    handle,
    position: 0,
    sizeBytes: 4,
    signal: undefined,
    keep: nothing,
    discard: nothing,
  });
  await assert.rejects(upload.write(Buffer.from('data')), error => {
    assert.ok(error instanceof RegistryError);
    assert.equal(error.code, 'STORE_IO');
    assert.match(error.message, /oci:out: the disk is full/);
    assert.match(error.remedy ?? '', /Free space/);
    return true;
  });
  assert.equal(await upload.resume(), 0);
  await handle.close();
});

test('a missing permission says so', async () => {
  const denied = Object.assign(new Error('EACCES: /x'), { code: 'EACCES', syscall: 'open' });
  await assert.rejects(
    guardIo('oci:out', 'starting a blob', () => Promise.reject(denied)),
    { code: 'STORE_IO', message: 'starting a blob in oci:out: no permission', cause: denied },
  );
});
