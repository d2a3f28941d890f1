import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { readAll } from '../../core/byte-source.ts';
import { digestOf } from '../../core/digest.ts';
import { RegistryError } from '../../core/errors.ts';
import { END_OF_ARCHIVE, padding, tarEntryHeader } from '../../oci/tar-header.ts';
import { MediaType } from '../../oci/types.ts';
import type { StoredManifest } from '../image-store.ts';
import { openDockerArchive } from './docker-archive.ts';
import { layerEntryName, manifestEntryName } from './docker-archive-file.ts';
import { readDockerArchive } from './docker-archive-reader.ts';
import { putBlob } from './put-blob.fixtures.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-archive-'));
});
after(() => rm(folder, { recursive: true }));

async function makeArchive(file: string): Promise<StoredManifest> {
  const store = await openDockerArchive(file, { repository: 'hf-x' });
  const layer = await putBlob(store, 'weights', MediaType.ociLayerTar);
  const config = await putBlob(store, '{"config":{}}', MediaType.ociConfig);
  const json = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config,
    layers: [{ ...layer, annotations: { 'io.weighbridge.layer': 'weights' } }],
  };
  const bytes = Buffer.from(JSON.stringify(json));
  const manifest = { mediaType: MediaType.ociManifest, digest: digestOf(bytes), bytes };
  for (const tag of ['v1-fat', 'r1-fat']) await store.putManifest(tag, manifest);
  await store.finish();
  return manifest;
}

function entry(name: string, content: Buffer): Buffer[] {
  const header = tarEntryHeader({ path: name, mode: 0o644, sizeBytes: content.length, type: 'file' });
  return [header, content, padding(content.length)];
}

test('an archive that was written is read: manifests as they were, blobs from any byte on', async () => {
  const file = path.join(folder, 'x.tar');
  const manifest = await makeArchive(file);
  const store = await readDockerArchive(file);
  assert.equal(store.name, `docker-archive:${file}`);
  assert.deepEqual(await store.listTags(9), ['hf-x:v1-fat', 'hf-x:r1-fat']);
  assert.deepEqual(await store.listTags(1), ['hf-x:v1-fat']);
  assert.deepEqual(await store.getManifest('hf-x:r1-fat'), manifest);
  assert.deepEqual(await store.getManifest(manifest.digest), manifest);
  assert.equal(await store.getManifest('hf-x:v2'), undefined);
  const digest = digestOf('weights');
  assert.equal(await store.statBlob(digest), 7);
  assert.equal(await store.statBlob(digestOf('')), undefined);
  const source = store.openBlob({ mediaType: MediaType.ociLayerTar, digest, size: 7 });
  assert.equal((await readAll(source, 7)).toString(), 'weights');
  const rest: Uint8Array[] = [];
  for await (const chunk of source.open({ start: 3 })) rest.push(chunk);
  assert.equal(Buffer.concat(rest).toString(), 'ghts');
  const absent = store.openBlob({ mediaType: MediaType.ociLayerTar, digest: digestOf(''), size: 0 });
  await assert.rejects(readAll(absent, 1), { code: 'REGISTRY_NOT_FOUND' });
});

test('nothing is written to an archive that is read', async () => {
  const file = path.join(folder, 'read-only.tar');
  const manifest = await makeArchive(file);
  const before = await readFile(file);
  const store = await readDockerArchive(file);
  await assert.rejects(store.startUpload({ sizeBytes: 1 }), { code: 'STORE_IO' });
  await assert.rejects(store.putManifest('hf-x:v2', manifest), { code: 'STORE_IO' });
  assert.deepEqual(await readFile(file), before);
});

test('a layer of more than 8 GiB is passed over by its PAX size', async () => {
  const file = path.join(folder, 'large.tar');
  const sizeBytes = 9 * 1024 ** 3;
  const digest = digestOf('large');
  const json = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociManifest }));
  const name = manifestEntryName(digestOf(json));
  const list = Buffer.from(JSON.stringify([{ RepoTags: ['hf-x:v1'], Manifest: name }]));
  const head = tarEntryHeader({ path: layerEntryName(digest), mode: 0o644, sizeBytes, type: 'file' });
  const tail = Buffer.concat([...entry(name, json), ...entry('manifest.json', list), END_OF_ARCHIVE]);
  // The layer's bytes are a hole, which takes no room on the disk.
  await using handle = await open(file, 'w');
  await handle.write(head, 0, head.length, 0);
  await handle.write(tail, 0, tail.length, head.length + sizeBytes);
  const store = await readDockerArchive(file);
  assert.equal(await store.statBlob(digest), sizeBytes);
  assert.equal((await store.getManifest('hf-x:v1'))?.digest, digestOf(json));
});

test('what is not an archive of this program is an error that says why', async () => {
  const file = path.join(folder, 'other.tar');
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const whole = path.join(folder, 'whole.tar');
  await makeArchive(whole);
  const bytes = await readFile(whole);
  for (const [content, why] of [
    [Buffer.alloc(0), /it has no manifest\.json/],
    [Buffer.alloc(1024, 'x'), /it is not a tar at byte 0/],
    [bytes.subarray(0, 1536), /it has no manifest\.json|it ends before/],
    [bytes.subarray(0, 515), /it ends before [0-9a-f]{64}\.tar does/],
    [Buffer.concat(entry('manifest.json', Buffer.from('{'))), /it has no manifest\.json/],
    [Buffer.concat(entry('manifest.json', json([null]))), /images without their OCI manifests/],
    [
      Buffer.concat(entry('manifest.json', json([{ RepoTags: ['x:v1'], Layers: [] }]))),
      /images without their OCI manifests/,
    ],
  ] as const) {
    await writeFile(file, content);
    await assert.rejects(readDockerArchive(file), error => {
      assert.ok(error instanceof RegistryError && error.code === 'STORE_IO' && error.remedy, String(error));
      assert.match(error.message, why);
      return true;
    });
  }
  await assert.rejects(readDockerArchive(path.join(folder, 'nowhere.tar')), { code: 'STORE_IO' });
});
