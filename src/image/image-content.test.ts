import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesSource } from '../core/byte-source.ts';
import { digestOf } from '../core/digest.ts';
import { END_OF_ARCHIVE, tarEntryHeader } from '../oci/tar-header.ts';
import { MediaType } from '../oci/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import { readLayer } from './image-content.ts';

test('a layer that is not a tar, or is cut off, is an error that says so', async () => {
  const header = tarEntryHeader({ path: 'a', mode: 0o644, sizeBytes: 5000, type: 'file' });
  const wrongSum = Buffer.from(header);
  wrongSum[0] = 7;
  for (const bytes of [header, header.subarray(0, 100), wrongSum, Buffer.alloc(600, 1)]) {
    const store = { name: 'lab/x', openBlob: () => bytesSource('x', bytes) } as unknown as ImageStore;
    const layer = { mediaType: MediaType.ociLayerTar, digest: digestOf(bytes), size: bytes.length };
    await assert.rejects(readLayer(store, layer), {
      code: 'REGISTRY_BAD_ANSWER',
      message: /^lab\/x@sha256:\w+ is not a tar archive that can be read: /,
    });
  }
  const store = { name: 'lab/x', openBlob: () => bytesSource('x', END_OF_ARCHIVE) } as unknown as ImageStore;
  const layer = { mediaType: MediaType.ociLayerTar, digest: digestOf(END_OF_ARCHIVE), size: 1024 };
  assert.deepEqual((await readLayer(store, layer)).files, []);
});

test('a file that is wanted whole is read to a limit: anyone can publish a list of gigabytes', async () => {
  const sizeBytes = 8 * 1024 ** 3 - 1;
  let given = 0;
  const source = {
    name: 'x',
    sizeBytes,
    async *open() {
      yield tarEntryHeader({ path: 'list', mode: 0o644, sizeBytes, type: 'file' });
      for (; given < 256; given++) yield Buffer.alloc(1024 ** 2);
    },
  };
  const store = { name: 'lab/x', openBlob: () => source } as unknown as ImageStore;
  const layer = { mediaType: MediaType.ociLayerTar, digest: digestOf('x'), size: sizeBytes };
  await assert.rejects(readLayer(store, layer, { keep: () => true }), {
    code: 'REGISTRY_BAD_ANSWER',
    message: /has list larger than 67108864 bytes$/,
  });
  assert.ok(given < 16, `${given} MiB were read`);
});
