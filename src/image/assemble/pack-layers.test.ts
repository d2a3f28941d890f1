import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HubFile } from '../../hub/types.ts';
import { MAX_IMAGE_LAYERS, MAX_LAYER_BYTES, packFiles } from './pack-layers.ts';

const shard = (number: number, sizeBytes: number, of = 163): HubFile => ({
  path: `model-${String(number).padStart(5, '0')}-of-${String(of).padStart(5, '0')}.safetensors`,
  sizeBytes,
  gitOid: '0'.repeat(40),
  sha256: '0'.repeat(64),
});
const small = { path: 'config.json', sizeBytes: 700, gitOid: '0'.repeat(40) };
const bytesOf = (files: readonly HubFile[]) => files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
const options = (baseLayers: number) => ({ maxLayers: MAX_IMAGE_LAYERS - baseLayers - 2, subject: 'acme/x' });

test('163 shards of 4.3 GB on a base of 35 layers: 125 layers at most, none above what GHCR takes', () => {
  const shards = Array.from({ length: 163 }, (_, index) => shard(index + 1, 4_300_000_000));
  const packed = packFiles([...shards, small], options(35));
  assert.ok(packed.weights.length + 35 + 2 <= 125, `${packed.weights.length} layers`);
  assert.ok(packed.weights.every(files => bytesOf(files) <= MAX_LAYER_BYTES));
  assert.deepEqual(packed.weights.flat(), shards);
  assert.deepEqual(packed.small, [small]);
});

test('as long as they fit, each file has its own layer', () => {
  const shards = Array.from({ length: 88 }, (_, index) => shard(index + 1, 1000, 88));
  assert.deepEqual(
    packFiles(shards, options(35)).weights,
    shards.map(file => [file]),
  );
});

test('one changed file of 163, larger or smaller, moves at most the one that it shares a layer with', () => {
  const shards = Array.from({ length: 163 }, (_, index) => shard(index + 1, 4_300_000_000));
  const groupsOf = (files: readonly HubFile[]) =>
    packFiles(files, options(35)).weights.map(group =>
      group.map(file => `${file.path} ${file.sizeBytes}`).join(),
    );
  const before = new Set(groupsOf(shards));
  for (const changed of shards) {
    for (const sizeBytes of [1, 4_300_000_001, 7_000_000_000]) {
      const after = groupsOf(shards.map(file => (file === changed ? { ...file, sizeBytes } : file)));
      const moved = after.filter(group => !before.has(group)).flatMap(group => group.split(','));
      assert.ok(moved.length <= 2, `${moved.length} files move with ${changed.path}`);
    }
  }
});

test('whatever the sizes: all files, in order, within both limits, or a refusal', () => {
  const property = fc.property(
    fc.array(fc.integer({ min: 1, max: 9_900_000_000 }), { minLength: 1, maxLength: 300 }),
    fc.integer({ min: 1, max: 100 }),
    (sizes, baseLayers) => {
      const files = sizes.map((size, index) => shard(index + 1, size, sizes.length));
      let packed: ReturnType<typeof packFiles>;
      try {
        packed = packFiles(files, options(baseLayers));
      } catch (error) {
        assert.match(String(error), /do not fit into/);
        return;
      }
      assert.deepEqual(packed.weights.flat(), files);
      assert.ok(packed.weights.length <= MAX_IMAGE_LAYERS - baseLayers - 2);
      assert.ok(packed.weights.every(group => bytesOf(group) <= MAX_LAYER_BYTES));
    },
  );
  fc.assert(property);
});
