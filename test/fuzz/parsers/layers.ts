import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytesSource } from '../../../src/core/byte-source.ts';
import { type Digest, digestOf } from '../../../src/core/digest.ts';
import { readLayerDescriptor, readPart } from '../../../src/image/format/layer-annotations.ts';
import { readLayer } from '../../../src/image/image-content.ts';
import { parseSlimList } from '../../../src/image/published-image.ts';
import { parseSafetensorsHeader } from '../../../src/layer/safetensors-header.ts';
import { formatSafetensorsIndex, parseSafetensorsIndex } from '../../../src/layer/safetensors-index.ts';
import { END_OF_ARCHIVE, padding, readTarHeader, tarEntryHeader } from '../../../src/oci/tar-header.ts';
import { MediaType } from '../../../src/oci/types.ts';
import type { ImageStore } from '../../../src/store/image-store.ts';
import { bent, bentJson, orRefused, orRefusedLater } from '../bent.ts';
import { DESCRIPTOR, DIGEST, OID, parser } from './table.ts';

// The list of files in a slim image.
{
  const files = [
    { path: 'a', size: 1, sha256: '0a'.repeat(32) },
    { path: 'b/c', size: 2, gitOid: OID },
  ];
  const adapters = [{ name: 'sql', id: 'a/l', revision: OID, files }];
  parser(
    'slim list',
    fc.property(bentJson({ schemaVersion: 1, id: 'a/b', files, adapters }), bytes => {
      const list = orRefused(() => [parseSlimList(bytes, 'x')]);
      const all = (list ?? []).flatMap(one => [
        ...one.files,
        ...one.adapters.flatMap(adapter => adapter.files),
      ]);
      for (const { path, sizeBytes } of all) {
        assert.equal(typeof path, 'string');
        assert.ok(Number.isSafeInteger(sizeBytes));
      }
    }),
  );
}

// What a layer says of itself: a file lies inside it, or it is a stranger’s.
{
  const files = JSON.stringify([['models/x/a', 100, 512, DIGEST, '0a'.repeat(32)]]);
  const ours = {
    ...DESCRIPTOR,
    annotations: { 'io.weighbridge.layer.key': '0a'.repeat(32), 'io.weighbridge.files': files },
  };
  const annotation = bent(files);
  parser(
    'layer annotations',
    fc.property(annotation, fc.nat(4096), (text, size) => {
      const layer = readLayerDescriptor({
        ...ours,
        digest: DIGEST as `sha256:${string}`,
        size,
        annotations: { ...ours.annotations, 'io.weighbridge.files': text },
      });
      for (const file of layer?.files ?? []) assert.ok(file.offset + file.sizeBytes <= size);
    }),
  );
}

// Safetensors headers: tensors that account for every byte of the file, or it is refused.
{
  const header = {
    __metadata__: { format: 'pt' },
    a: { dtype: 'BF16', shape: [2, 3], data_offsets: [0, 12] },
    b: { dtype: 'F32', shape: [], data_offsets: [12, 16] },
  };
  parser(
    'safetensors header',
    fc.property(bentJson(header), fc.constantFrom(16, 12, 0), (bytes, dataBytes) => {
      const parsed = orRefused(() => parseSafetensorsHeader('x', bytes, 8 + bytes.length + dataBytes));
      const sizes = parsed?.tensors.map(({ start, end }) => end - start) ?? [dataBytes];
      assert.equal(
        sizes.reduce((sum, size) => sum + size, 0),
        dataBytes,
      );
    }),
  );
}

// Indexes of safetensors files: what is read is written as it is read.
{
  const index = {
    metadata: { total_size: 16, more: [1, { a: null }] },
    weight_map: { a: 'x', 1: 'y', '': 'z' },
  };
  parser(
    'safetensors index',
    fc.property(bentJson(index), bytes => {
      const parsed = orRefused(() => parseSafetensorsIndex('x', String(bytes)));
      if (parsed === undefined) return;
      const again = parseSafetensorsIndex('x', formatSafetensorsIndex(parsed));
      assert.deepEqual(new Map([...again.weightMap].sort()), new Map([...parsed.weightMap].sort()));
      assert.deepEqual(again.rest, parsed.rest);
    }),
  );
}

// Parts of divided files: a span that is inside of the file, or none.
{
  const text = bent('bytes 0-99/1000', 'bytes 5-5/6', 'bytes 9-3/10', 'bytes 0-10/10', 'bytes 0-9/*');
  parser(
    'part annotations',
    fc.property(text, range => {
      const annotations = {
        'io.weighbridge.file.source': 'model.safetensors',
        'io.weighbridge.file.range': range,
      };
      const part = readPart({
        mediaType: MediaType.ociLayerTar,
        digest: DIGEST as Digest,
        size: 1,
        annotations,
      });
      if (part === undefined) return;
      assert.ok(part.start >= 0 && part.start < part.end && part.end <= part.sourceBytes);
    }),
  );
}

// Layers of images: the tar of a stranger, read whole.
{
  const entry = (path: string, type: 'file' | 'directory') =>
    Buffer.concat([
      tarEntryHeader({ path, mode: 0o644, sizeBytes: type === 'file' ? 3 : 0, type }),
      ...(type === 'file' ? [Buffer.from('abc'), padding(3)] : []),
    ]);
  const tar = Buffer.concat([entry('models/x', 'directory'), entry('models/x/a', 'file'), END_OF_ARCHIVE]);
  const edits = fc.array(fc.record({ at: fc.nat(tar.length - 1), byte: fc.nat(255) }), { maxLength: 6 });
  parser(
    'layer tars',
    fc.asyncProperty(edits, fc.nat(tar.length), async (changes, end) => {
      const bytes = Buffer.from(tar.subarray(0, end === 0 ? tar.length : end));
      for (const { at, byte } of changes) if (at < bytes.length) bytes[at] = byte;
      const store = { name: 'x', openBlob: () => bytesSource('x', bytes) } as unknown as ImageStore;
      const descriptor = { ...DESCRIPTOR, digest: digestOf(bytes), size: bytes.length };
      const found = await orRefusedLater(() => readLayer(store, descriptor));
      for (const { sizeBytes } of found?.files ?? []) assert.ok(sizeBytes <= bytes.length);
    }),
  );
}

// Archives for `docker load`: whatever a header says, the next one is further on in the file.
{
  const header = tarEntryHeader({ path: 'a.tar', mode: 0o644, sizeBytes: 512, type: 'file' });
  const edit = fc.record({ at: fc.nat(147), byte: fc.nat(255) });
  parser(
    'tar headers',
    fc.property(fc.array(edit, { maxLength: 6 }), fc.boolean(), (changes, isSummed) => {
      const block = Buffer.from(header);
      for (const { at, byte } of changes) block[at] = byte;
      const sum = block.reduce((all, byte, at) => all + (at < 148 || at >= 156 ? byte : 0x20), 0);
      if (isSummed) block.write(sum.toString(8).padStart(6, '0'), 148, 'latin1');
      const read = readTarHeader(block);
      if (read !== undefined) assert.ok(Number.isSafeInteger(read.sizeBytes) && read.sizeBytes >= 0);
    }),
  );
}
