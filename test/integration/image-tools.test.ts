import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { digestOf } from '../../src/core/digest.ts';
import { END_OF_ARCHIVE, paddingFor, tarEntryHeader } from '../../src/oci/tar-header.ts';
import { type Descriptor, MediaType } from '../../src/oci/types.ts';
import type { ImageStore, StoredManifest } from '../../src/store/image-store.ts';
import { openDockerArchive } from '../../src/store/local/docker-archive.ts';
import { openLayout } from '../../src/store/local/layout.ts';
import { requireTool, runOk } from '../support/tools.ts';

// What other people's tools make of our image layouts and archives.

const GZIP = { compress: gzipSync, mediaType: MediaType.ociLayerGzip };
const ZSTD = { compress: zstdCompressSync, mediaType: MediaType.ociLayerZstd };
const noSkopeo = requireTool('skopeo');
const noUmoci = requireTool('umoci');
const noPodman = requireTool('podman');

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-tools-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const LONG = `models/${'deep/'.repeat(60)}weights-ü.safetensors`;
const BASE = { 'etc/base': 'from the base image\n' };
const SECOND = { 'etc/zstd': 'from another base layer\n' };
const WEIGHTS = { 'models/x/config.json': '{}\n', [LONG]: 'weights\n' };

test('skopeo reads a layout, copies it, and finds the same content', {
  skip: requireTool('skopeo'),
}, async () => {
  const target = path.join(folder, 'skopeo');
  const store = await openLayout(target);
  // skopeo cannot turn zstd layers into a Docker archive, and umoci does not read them.
  const manifest = await putImage(store, 'v1-fat', GZIP);
  await putImage(store, 'v1-slim', GZIP);
  const inspected = JSON.parse(await runOk('skopeo', ['inspect', `oci:${target}:v1-fat`]));
  assert.equal(inspected.Digest, manifest.digest);
  assert.equal(inspected.Layers.length, 3);
  assert.equal(inspected.Labels.tag, 'v1-fat');
  const copy = path.join(folder, 'copy.tar');
  await runOk('skopeo', ['copy', `oci:${target}:v1-fat`, `docker-archive:${copy}:hf-x:v1-fat`]);
  assert.match(await runOk('tar', ['-tf', copy]), /^manifest\.json$/m);
  // A layout that skopeo has written to is still ours to read and write.
  await runOk('skopeo', ['copy', `oci:${target}:v1-fat`, `oci:${target}:theirs`]);
  assert.deepEqual((await store.listTags(9)).sort(), ['theirs', 'v1-fat', 'v1-slim']);
  assert.equal(await store.resolveTag('theirs'), manifest.digest);
});

test('skopeo finds the images of several repositories in one layout', { skip: noSkopeo }, async () => {
  const target = path.join(folder, 'several');
  for (const repository of ['hf-x', 'hf-y']) {
    const { digest } = await putImage(await openLayout(target, { repository }), repository, GZIP);
    const inspected = JSON.parse(
      await runOk('skopeo', ['inspect', `oci:${target}:${repository}:${repository}`]),
    );
    assert.equal(inspected.Digest, digest);
  }
});

test('umoci unpacks an image of a layout', { skip: noUmoci }, async () => {
  const target = path.join(folder, 'umoci');
  await putImage(await openLayout(target), 'v1', GZIP);
  const bundle = path.join(folder, 'bundle');
  await runOk('umoci', ['unpack', '--rootless', '--image', `${target}:v1`, bundle]);
  for (const [file, content] of Object.entries({ ...BASE, ...SECOND, ...WEIGHTS })) {
    assert.equal(await readFile(path.join(bundle, 'rootfs', file), 'utf8'), content, file);
  }
});

test('skopeo reads every image of an archive', { skip: noSkopeo }, async () => {
  const file = await makeArchive('skopeo.tar');
  for (const name of ['hf-x:v1-slim', 'hf-x:v1-fat', 'ghcr.io/acme/hf-y:v1-fat']) {
    const target = path.join(folder, 'from-archive');
    await runOk('skopeo', ['copy', `docker-archive:${file}:${name}`, `oci:${target}:copied`]);
    const inspected = JSON.parse(await runOk('skopeo', ['inspect', `oci:${target}:copied`]));
    assert.equal(inspected.Labels.tag, name.split(':')[1]);
    assert.equal(inspected.Layers.length, 3);
  }
});

test('podman loads an archive with gzip and zstd layers in it', {
  skip: noPodman,
}, async () => {
  const file = await makeArchive('podman.tar');
  const places = ['--root', path.join(folder, 'root'), '--runroot', path.join(folder, 'runroot')];
  const podman = (...args: string[]) => runOk('podman', [...places, '--storage-driver', 'vfs', ...args]);
  const loaded = await podman('load', '-i', file);
  for (const name of ['localhost/hf-x:v1-slim', 'localhost/hf-x:v1-fat', 'ghcr.io/acme/hf-y:v1-fat']) {
    assert.ok(loaded.includes(name), loaded);
  }
  const mounted = (await podman('image', 'mount', 'localhost/hf-x:v1-fat')).trim();
  try {
    for (const [name, content] of Object.entries({ ...BASE, ...SECOND, ...WEIGHTS })) {
      assert.equal(await readFile(path.join(mounted, name), 'utf8'), content, name);
    }
  } finally {
    await podman('image', 'unmount', 'localhost/hf-x:v1-fat');
  }
});

async function makeArchive(name: string): Promise<string> {
  const file = path.join(folder, name);
  const store = await openDockerArchive(file, { repository: 'hf-x' });
  await putImage(store, 'v1-slim', ZSTD);
  await putImage(store, 'v1-fat', ZSTD);
  await putImage(store.forRepository('ghcr.io/acme/hf-y'), 'v1-fat', ZSTD);
  await store.finish();
  return file;
}

/** An image as ours are: compressed layers of a base image, and an uncompressed one. */
async function putImage(
  store: ImageStore,
  tag: string,
  second: typeof GZIP | typeof ZSTD,
): Promise<StoredManifest> {
  const tars = [tarOf(BASE), tarOf(SECOND), tarOf(WEIGHTS)] as const;
  const layers = [
    await putBlob(store, GZIP.compress(tars[0]), GZIP.mediaType),
    await putBlob(store, second.compress(tars[1]), second.mediaType),
    await putBlob(store, tars[2], MediaType.ociLayerTar),
  ];
  const config = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Entrypoint: ['/bin/true'], Labels: { tag } },
    rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
    history: layers.map(() => ({ created_by: 'test' })),
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: await putBlob(store, Buffer.from(JSON.stringify(config)), MediaType.ociConfig),
    layers,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const stored = { mediaType: MediaType.ociManifest, digest: digestOf(bytes), bytes };
  await store.putManifest(tag, stored);
  return stored;
}

async function putBlob(store: ImageStore, bytes: Buffer, mediaType: string): Promise<Descriptor> {
  const upload = await store.startUpload({ sizeBytes: bytes.length });
  await upload.write(bytes);
  await upload.commit(digestOf(bytes));
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

function tarOf(files: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(files).flatMap(([name, content]) => {
    const bytes = Buffer.from(content);
    const header = tarEntryHeader({ path: name, mode: 0o644, sizeBytes: bytes.length, type: 'file' });
    return [header, bytes, Buffer.alloc(paddingFor(bytes.length))];
  });
  return Buffer.concat([...entries, END_OF_ARCHIVE]);
}
