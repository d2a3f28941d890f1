import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesSource } from '../core/byte-source.ts';
import { digestOf } from '../core/digest.ts';
import { layerDescriptor, resolvedLayer } from '../image/format/layer-annotations.ts';
import { hashInlineLayer } from '../layer/layer-hasher.ts';
import { inlineContent } from '../layer/layer-source.ts';
import { toSpec } from '../layer/layer-spec.ts';
import type { LayerRecipe } from '../layer/recipe.ts';
import { END_OF_ARCHIVE, paddingFor, tarEntryHeader } from '../oci/tar-header.ts';
import type { Descriptor } from '../oci/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import { isPlainWeights } from './plain-weights.ts';

function recipe(...paths: readonly string[]): LayerRecipe {
  return {
    kind: 'weights',
    name: 'weights',
    root: 'models',
    entries: paths.map(path => ({
      path,
      mode: 0o644,
      sizeBytes: 7,
      contentId: digestOf('tensors'),
      content: { kind: 'inline', text: 'tensors' },
    })),
  };
}

function layerOf(made: LayerRecipe): { readonly descriptor: Descriptor; readonly bytes: Buffer } {
  const spec = toSpec(made);
  const { layout } = spec;
  const { digest, sha256Of } = hashInlineLayer(layout);
  const bytes = Buffer.concat(
    layout.segments.map(segment => (segment.kind === 'bytes' ? segment.bytes : inlineContent(segment.entry))),
  );
  return { descriptor: layerDescriptor(made, resolvedLayer(spec, digest, sha256Of)), bytes };
}

const storeOf = (bytes: Buffer): ImageStore =>
  ({ openBlob: () => bytesSource('blob', bytes) }) as unknown as ImageStore;
const check = (descriptor: Descriptor, bytes: Buffer) =>
  isPlainWeights(storeOf(bytes), descriptor, '/models/x');

test('a layer of weights in the folder of the model is one by its own bytes', async () => {
  const { descriptor, bytes } = layerOf(recipe('models/x/a.safetensors', 'models/x/b.safetensors'));
  assert.equal(await check(descriptor, bytes), true);
});

test('what calls itself weights and is something else is not', async () => {
  const { descriptor, bytes } = layerOf(recipe('models/x/a.safetensors'));
  const evil = Buffer.concat([
    tarEntryHeader({ path: 'usr/bin/vllm', mode: 0o755, sizeBytes: 4, type: 'file' }),
    Buffer.from('evil'),
    Buffer.alloc(paddingFor(4)),
    END_OF_ARCHIVE,
  ]);
  const padded = Buffer.concat([evil, Buffer.alloc(bytes.length - evil.length)]);
  assert.equal(await check(descriptor, padded), false, 'the same size, other entries');
  assert.equal(await check({ ...descriptor, size: bytes.length + 512 }, bytes), false, 'another size');
  assert.equal(await check({ ...descriptor, annotations: {} }, bytes), false, 'nothing is said of it');
  const outside = layerOf(recipe('models/y/a.safetensors'));
  assert.equal(await check(outside.descriptor, outside.bytes), false, 'another folder');
  const code = layerOf(recipe('models/x/modeling.py'));
  assert.equal(await check(code.descriptor, code.bytes), false, 'code');
});
