import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import tarStream from 'tar-stream';
import { digestOf, hexOf } from '../../core/digest.ts';
import { ConfigError, InterruptedError, RegistryError } from '../../core/errors.ts';
import { type Descriptor, type Index, type Manifest, MediaType } from '../../oci/types.ts';
import { imageStoreContract } from '../image-store.contract.ts';
import type { ImageStore, StoredManifest } from '../image-store.ts';
import { openDockerArchive } from './docker-archive.ts';
import { putBlob } from './put-blob.fixtures.ts';

let folder: string;
let serial = 0;
const freshFile = () => path.join(folder, `archive${serial++}.tar`);
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-archive-'));
});
after(() => rm(folder, { recursive: true }));

imageStoreContract(
  'a Docker archive',
  async () => {
    const store = await openDockerArchive(freshFile(), { repository: 'hf-x' });
    return { store, close: () => store.abandon() };
  },
  {
    skips: {
      'what refers to a manifest is found, by type, and an older edition gives way':
        'an archive to load holds images and nothing else',
    },
  },
);

async function putImage(store: ImageStore, tag: string, layers: string[]): Promise<StoredManifest> {
  const descriptors: Descriptor[] = [];
  for (const layer of layers) descriptors.push(await putBlob(store, layer, MediaType.ociLayerTar));
  const config = await putBlob(store, JSON.stringify({ config: { Labels: { tag } } }), MediaType.ociConfig);
  return await putManifest(store, tag, {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config,
    layers: descriptors,
  });
}

async function putManifest(store: ImageStore, tag: string, json: Manifest | Index): Promise<StoredManifest> {
  const bytes = Buffer.from(JSON.stringify(json));
  const manifest = { mediaType: json.mediaType, digest: digestOf(bytes), bytes };
  await store.putManifest(tag, manifest);
  return manifest;
}

async function readTar(file: string): Promise<Map<string, string>> {
  const entries = new Map<string, string>();
  for await (const entry of createReadStream(file).pipe(tarStream.extract())) {
    entries.set(entry.header.name, (await buffer(entry)).toString());
  }
  return entries;
}

test('images share layers, and manifest.json comes last', async () => {
  const file = freshFile();
  const store = await openDockerArchive(file, { repository: 'hf-x' });
  await putImage(store, 'v1-slim', ['base', 'slim']);
  const fat = await putImage(store, 'v1-fat', ['base', 'w'.repeat(100_000)]);
  await store.putManifest('latest', fat);
  await putImage(store.forRepository('ghcr.io/acme/hf-y'), 'v1-slim', ['base', 'other']);
  assert.deepEqual(await store.listTags(9), ['v1-slim', 'v1-fat', 'latest']);
  await store.finish();
  await store.abandon();

  const entries = await readTar(file);
  assert.equal([...entries.keys()].at(-1), 'manifest.json');
  const images = JSON.parse(entries.get('manifest.json') ?? '');
  assert.deepEqual(
    images.map((image: { RepoTags: string[] }) => image.RepoTags),
    [['hf-x:v1-slim'], ['hf-x:v1-fat', 'hf-x:latest'], ['ghcr.io/acme/hf-y:v1-slim']],
  );
  assert.deepEqual(
    images[1].Layers.map((name: string) => entries.get(name)),
    ['base', 'w'.repeat(100_000)],
  );
  assert.match(images[1].Config, /^[0-9a-f]{64}\.json$/);
  assert.equal(entries.get(images[1].Config), '{"config":{"Labels":{"tag":"v1-fat"}}}');
  assert.equal(entries.get(images[1].Manifest), fat.bytes.toString());
  // manifest.json, three manifests, two configs (two images have the same), four layers
  assert.equal(entries.size, 1 + 3 + 2 + 4);
});

test('the same images in the same order give the same file', async () => {
  const files = [freshFile(), freshFile()];
  for (const file of files) {
    const store = await openDockerArchive(file, { repository: 'hf-x' });
    await putImage(store, 'v1', ['a', 'b']);
    await store.finish();
  }
  const [first, second] = await Promise.all(files.map(file => readFile(file)));
  assert.deepEqual(first, second);
});

test('blobs that failed, were given up, or came twice leave no trace', async () => {
  const [clean, file] = [freshFile(), freshFile()];
  const reference = await openDockerArchive(clean, { repository: 'hf-x' });
  await putImage(reference, 'v1', ['a', 'b']);
  await reference.finish();

  const store = await openDockerArchive(file, { repository: 'hf-x' });
  await putBlob(store, 'a', MediaType.ociLayerTar);
  await putBlob(store, 'a', MediaType.ociLayerTar);
  const wrong = await store.startUpload({ sizeBytes: 50_000 });
  await wrong.write(Buffer.alloc(50_000));
  await assert.rejects(wrong.commit(digestOf('')), { code: 'INTEGRITY_HASH' });
  await wrong.abort();
  await putImage(store, 'v1', ['a', 'b']);
  const late = await store.startUpload({ sizeBytes: 50_000 });
  await late.write(Buffer.alloc(40_000));
  await late.abort();
  await store.finish();
  assert.deepEqual(await readFile(file), await readFile(clean));
});

test('the target appears with finish, replacing what was there; abandon leaves it alone', async () => {
  const file = freshFile();
  await writeFile(file, 'old');
  const given = await openDockerArchive(file, { repository: 'hf-x' });
  await putImage(given, 'v1', ['a']);
  assert.equal(await readFile(file, 'utf8'), 'old');
  await given.abandon();
  await given.abandon();
  const beside = async () => (await readdir(folder)).filter(name => name.startsWith(path.basename(file)));
  assert.deepEqual(await beside(), [path.basename(file)]);
  const kept = await openDockerArchive(file, { repository: 'hf-x' });
  await putImage(kept, 'v1', ['a']);
  await kept.finish();
  assert.equal((await stat(file)).size % 512, 0);
  assert.deepEqual(await beside(), [path.basename(file)]);
});

test('an upload waits for the one before, and its wait can be interrupted', async () => {
  const store = await openDockerArchive(freshFile(), { repository: 'hf-x' });
  const first = await store.startUpload({ sizeBytes: 1 });
  const controller = new AbortController();
  const second = store.startUpload({ sizeBytes: 1, signal: controller.signal });
  const third = store.startUpload({ sizeBytes: 1 });
  controller.abort();
  await assert.rejects(second, InterruptedError);
  await first.write(Buffer.from('1'));
  await first.commit(digestOf('1'));
  const upload = await third;
  assert.equal(await store.statBlob(digestOf('1')), 1);
  await upload.write(Buffer.from('3'));
  await upload.commit(digestOf('3'));
  assert.equal(await store.statBlob(digestOf('3')), 1);
  await store.abandon();
});

test('a tag that moves away takes an image without other names out', async () => {
  const file = freshFile();
  const store = await openDockerArchive(file, { repository: 'hf-x' });
  await putImage(store, 'v1', ['a']);
  const second = await putImage(store, 'v2', ['b']);
  await store.putManifest('v1', second);
  await store.finish();
  const images = JSON.parse((await readTar(file)).get('manifest.json') ?? '');
  assert.deepEqual(images, [
    {
      Config: images[0].Config,
      RepoTags: ['hf-x:v2', 'hf-x:v1'],
      Layers: [`${hexOf(digestOf('b'))}.tar`],
      Manifest: `${hexOf(second.digest)}.manifest.json`,
    },
  ]);
});

test('what cannot be loaded is refused: an index, and what is no image', async () => {
  const store = await openDockerArchive(freshFile(), { repository: 'hf-x' });
  const { digest, bytes } = await putImage(store, 'v1', ['a']);
  const entry = { mediaType: MediaType.ociManifest, digest, size: bytes.length };
  const index = { schemaVersion: 2 as const, mediaType: MediaType.ociIndex, manifests: [entry] };
  await assert.rejects(putManifest(store, 'multi', index), ConfigError);
  const empty = await putBlob(store, '{}', MediaType.ociEmpty);
  const artifact = {
    schemaVersion: 2 as const,
    mediaType: MediaType.ociManifest,
    config: empty,
    layers: [empty],
  };
  await assert.rejects(putManifest(store, 'artifact', artifact), ConfigError);
  assert.deepEqual(await store.listTags(9), ['v1']);
  await store.abandon();
});

test('an archive in a folder that is not there, and one without an image, are errors', async () => {
  const nowhere = path.join(folder, 'nowhere', 'x.tar');
  await assert.rejects(openDockerArchive(nowhere, { repository: 'hf-x' }), error => {
    assert.ok(error instanceof RegistryError && error.code === 'STORE_IO' && error.remedy);
    return true;
  });
  const store = await openDockerArchive(freshFile(), { repository: 'hf-x' });
  await assert.rejects(store.finish(), RangeError);
  await store.abandon();
});

test('a folder in place of the archive is refused at once, and stays', async () => {
  const place = await mkdtemp(path.join(folder, 'place-'));
  await assert.rejects(openDockerArchive(place, { repository: 'hf-x' }), {
    code: 'STORE_IO',
    message: /it is a folder/,
  });
  assert.deepEqual(await readdir(place), []);
});
