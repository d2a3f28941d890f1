import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../core/digest.ts';
import { LayerAnnotation, ScanAnnotation } from '../image/format/labels.ts';
import { type Descriptor, type ImageConfig, type Manifest, MediaType } from '../oci/types.ts';
import { baseView, ownView } from './image-view.ts';

const layer = (name: string, kind?: string): Descriptor => ({
  mediaType: MediaType.ociLayerTar,
  digest: digestOf(name),
  size: name.length,
  ...(kind === undefined ? {} : { annotations: { [LayerAnnotation.kind]: kind, more: 'x' } }),
});
const LAYERS = [
  layer('os'),
  layer('python'),
  layer('w1', 'weights'),
  layer('small', 'files'),
  layer('law', 'licenses'),
];
const CONFIG: ImageConfig = {
  architecture: 'amd64',
  os: 'linux',
  config: { User: 'root' },
  rootfs: { type: 'layers', diff_ids: LAYERS.map(one => digestOf(`diff ${one.digest}`)) },
  history: [
    { created_by: 'os' },
    { created_by: 'ENV', empty_layer: true },
    { created_by: 'python' },
    { created_by: 'w1' },
    { created_by: 'small' },
    { created_by: 'law' },
  ],
};

test('the base of an image is its layers without a kind, with their steps', () => {
  const { manifest, config, layers } = baseView({ layers: LAYERS, config: CONFIG });
  assert.deepEqual(layers, LAYERS.slice(0, 2));
  const parsed = JSON.parse(String(config.bytes)) as ImageConfig;
  assert.deepEqual(
    parsed.rootfs.diff_ids,
    layers.map(one => one.digest),
    'what the config states is not believed',
  );
  assert.deepEqual(
    parsed.history?.map(step => step.created_by),
    ['os', 'ENV', 'python'],
  );
  assert.equal((JSON.parse(String(manifest.bytes)) as Manifest).config.digest, config.descriptor.digest);
});

test('our own layers are seen without the weights, and the view says what it leaves out', () => {
  const { manifest, config, layers } = ownView(
    { layers: LAYERS, config: CONFIG },
    { plainWeights: new Set([digestOf('w1')]), isOnBase: true },
  );
  assert.deepEqual(
    layers.map(one => one.digest),
    [digestOf('small'), digestOf('law')],
  );
  assert.ok(layers.every(one => one.annotations === undefined));
  const parsed = JSON.parse(String(config.bytes)) as ImageConfig;
  assert.deepEqual(
    parsed.history?.map(step => step.created_by),
    ['small', 'law'],
  );
  assert.deepEqual(parsed.config, { User: 'root' });
  const leftOut = (JSON.parse(String(manifest.bytes)) as Manifest).annotations?.[ScanAnnotation.leftOut];
  assert.deepEqual(
    leftOut?.split(' '),
    LAYERS.slice(0, 3).map(one => one.digest),
  );
});

test('a layer without a mark that is not in the row of the base is seen as ours, and so is all of an image without one', () => {
  const image = {
    layers: [LAYERS[2], ...LAYERS.slice(0, 2), LAYERS[3], layer('on top')] as Descriptor[],
    config: CONFIG,
  };
  const digests = (view: { readonly layers: readonly Descriptor[] }) => view.layers.map(one => one.digest);
  assert.deepEqual(digests(baseView(image)), ['os', 'python'].map(digestOf));
  const plainWeights = new Set([digestOf('w1')]);
  assert.deepEqual(
    digests(ownView(image, { plainWeights, isOnBase: true })),
    ['small', 'on top'].map(digestOf),
  );
  assert.deepEqual(
    digests(ownView(image, { plainWeights, isOnBase: false })),
    ['os', 'python', 'small', 'on top'].map(digestOf),
  );
});
