import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { bytesSource } from '../../../src/core/byte-source.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { WeighbridgeError } from '../../../src/core/errors.ts';
import { pathOver } from '../../../src/image/base/base-paths.ts';
import { SLIM_LIST } from '../../../src/image/format/slim-list.ts';
import { readLayer } from '../../../src/image/image-content.ts';
import { END_OF_ARCHIVE, padding, tarEntryHeader } from '../../../src/oci/tar-header.ts';
import { MediaType } from '../../../src/oci/types.ts';
import type { ImageStore } from '../../../src/store/image-store.ts';
import { readDockerArchive } from '../../../src/store/local/docker-archive-reader.ts';
import { parseLayoutIndex, tagsIn } from '../../../src/store/local/layout-index.ts';
import { manifestType } from '../../../src/store/stored-manifest.ts';
import { bentJson, orRefused, orRefusedLater } from '../bent.ts';
import { DESCRIPTOR, DIGEST, parser } from './table.ts';

// Images in files of this machine: layouts, archives, and layers as they come.

const entryOf = (name: string, bytes: Buffer): Buffer =>
  Buffer.concat([
    tarEntryHeader({ path: name, mode: 0o644, sizeBytes: bytes.length, type: 'file' }),
    bytes,
    padding(bytes.length),
  ]);

{
  const tagged = { ...DESCRIPTOR, annotations: { 'org.opencontainers.image.ref.name': 'hf-x:v1' } };
  parser(
    'indexes of layouts',
    fc.property(
      bentJson({ schemaVersion: 2, manifests: [tagged, { ...DESCRIPTOR, annotations: null }] }),
      bytes => {
        const index = orRefused(() => parseLayoutIndex(bytes, 'oci:x'));
        if (index === undefined) return;
        for (const [tag, { digest }] of tagsIn(index, 'hf-x:')) {
          assert.match(tag, /^[\w][\w.-]{0,127}$/);
          assert.match(digest, /^sha256:[0-9a-f]{64}$/);
        }
      },
    ),
  );
}

{
  const manifest = { schemaVersion: 2, mediaType: MediaType.ociManifest, config: DESCRIPTOR, layers: [] };
  const list = [
    { Config: `blobs/sha256/${'0a'.repeat(32)}`, RepoTags: ['hf-x:v1'], Layers: [], Manifest: 'm.json' },
  ];
  const edits = fc.array(fc.record({ at: fc.nat(4095), byte: fc.nat(255) }), { maxLength: 4 });
  parser(
    'archives for Docker',
    fc.asyncProperty(
      bentJson(list, [{ RepoTags: ['a', { toString: 1 }], Manifest: 'm.json' }]),
      bentJson(manifest),
      edits,
      async (names, described, changes) => {
        const bytes = Buffer.concat([
          entryOf('m.json', described),
          entryOf('manifest.json', names),
          END_OF_ARCHIVE,
        ]);
        for (const { at, byte } of changes.filter(() => changes.length > 2))
          if (at < bytes.length) bytes[at] = byte;
        const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-fuzz-'));
        try {
          const file = path.join(folder, 'a.tar');
          await writeFile(file, bytes);
          const store = await orRefusedLater(() => readDockerArchive(file));
          for (const tag of (await store?.listTags(100)) ?? []) {
            const stored = await store?.getManifest(tag);
            assert.equal(stored?.digest, digestOf(stored?.bytes ?? Buffer.alloc(0)));
          }
        } finally {
          await rm(folder, { recursive: true });
        }
      },
    ),
  );
  parser(
    'types of manifests',
    fc.property(bentJson(manifest, { schemaVersion: 2, manifests: [] }), bytes => {
      const type = manifestType(bytes);
      assert.ok(type === undefined || typeof type === 'string');
    }),
  );
}

// Small layers of a base image, in whatever form.
{
  const tar = Buffer.concat([
    entryOf('models/x/.wh.config.json', Buffer.from('')),
    entryOf(SLIM_LIST, Buffer.from('{"files":[]}')),
    END_OF_ARCHIVE,
  ]);
  const packed = { tar, gzip: gzipSync(tar), zstd: zstdCompressSync(tar) };
  const types = [
    MediaType.ociLayerTar,
    MediaType.ociLayerGzip,
    MediaType.ociLayerZstd,
    MediaType.dockerLayerGzip,
  ];
  const edits = fc.array(fc.record({ at: fc.nat(tar.length - 1), byte: fc.nat(255) }), { maxLength: 6 });
  const form = fc.constantFrom(packed.tar, packed.gzip, packed.zstd);
  parser(
    'layers of base images',
    fc.asyncProperty(
      form,
      fc.constantFrom(...types),
      edits,
      fc.nat(tar.length),
      async (whole, mediaType, changes, end) => {
        const bytes = Buffer.from(end > whole.length ? whole : whole.subarray(0, end || whole.length));
        for (const { at, byte } of changes) if (at < bytes.length) bytes[at] = byte;
        const store = { name: 'x', openBlob: () => bytesSource('x', bytes) } as unknown as ImageStore;
        const layer = { mediaType, digest: digestOf(bytes), size: bytes.length };
        const over = await orRefusedLater(() =>
          pathOver('/models', { reference: 'x', layers: [layer] }, { store }),
        );
        assert.ok(over === undefined || over.startsWith('/'));
        const keep = (name: string): boolean => name === SLIM_LIST;
        const found = await orRefusedLater(() => readLayer(store, layer, { keep }));
        for (const kept of found?.kept.values() ?? []) assert.ok(kept.length <= bytes.length);
      },
    ),
  );
}

// A blob of another size than its descriptor says, through what reads blobs.
parser(
  'digests of blobs',
  fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), fc.nat(80), async (content, size) => {
    const store = {
      name: 'x',
      openBlob: () => bytesSource('x', Buffer.from(content)),
    } as unknown as ImageStore;
    const layer = { mediaType: MediaType.ociLayerTar, digest: DIGEST as `sha256:${string}`, size };
    await assert.rejects(readLayer(store, layer), WeighbridgeError);
  }),
);
