import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryError } from '../core/errors.ts';
import { buildImage } from './image.ts';
import { parseImageConfig } from './image-config.ts';
import { parseManifest } from './parse.ts';
import { type Descriptor, type ImageConfig, MediaType } from './types.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}` as const;
const SOUND = {
  os: 'linux',
  architecture: 'amd64',
  rootfs: { type: 'layers', diff_ids: [DIGEST, DIGEST] },
};

const parse = (more: object) => parseImageConfig(Buffer.from(JSON.stringify({ ...SOUND, ...more })), 'x');

function built(config: ImageConfig, layer: Partial<Descriptor> = {}) {
  const descriptor = { mediaType: MediaType.ociLayerGzip, digest: DIGEST, size: 1 };
  const { config: made, manifest } = buildImage({
    base: {
      reference: 'base:1',
      digest: DIGEST,
      storeName: 'r/base',
      platform: { os: 'linux', architecture: 'amd64' },
      config,
      layers: [{ ...descriptor, ...layer }, descriptor],
    },
    layers: [{ descriptor, diffId: DIGEST, createdBy: 'test' }],
    env: { A: '1' },
    entrypoint: ['run'],
    exposedPorts: [],
    labels: {},
  });
  return { config: JSON.parse(String(made.bytes)), manifest: JSON.parse(String(manifest.bytes)) };
}

test('an image of schema 1 is called one, with what to do', () => {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 1, fsLayers: [], history: [] }));
  const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
  assert.throws(
    () => parseManifest(bytes, type, 'base:1'),
    /^RegistryError: base:1 is of Docker's old schema 1/,
  );
});

test('a null annotation counts as empty, and any other value that is not a string is refused', () => {
  const read = (annotations: object) => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [], annotations }));
    const parsed = parseManifest(bytes, MediaType.ociIndex, 'base:1');
    return parsed.kind === 'index' ? parsed.index.annotations : undefined;
  };
  assert.deepEqual(read({ a: null, b: 'c' }), { a: '', b: 'c' });
  assert.throws(() => read({ a: null, b: 5 }), /annotations that are not a map of texts/);
});

test('a config without a container part, or with null in it, is one with nothing set', () => {
  for (const config of [undefined, null, {}, { Env: null, Labels: null, ExposedPorts: null, User: null }]) {
    const made = built(parse({ config })).config;
    assert.deepEqual(made.config.Env, ['A=1']);
    assert.deepEqual(made.config.Labels, {});
  }
  assert.equal(parse({ config: { Labels: { a: null } } }).config?.Labels?.a, '');
  assert.deepEqual(parse({ config: { Entrypoint: 'sh' } }).config?.Entrypoint, ['sh']);
});

test('a field of another type is an error with its place, and no defect', () => {
  for (const [config, words] of [
    [{ Env: [5] }, 'config.Env is a list'],
    [{ Env: 'A=1' }, 'config.Env is "A=1"'],
    [{ Labels: { a: [] } }, 'config.Labels is an object'],
    [{ Labels: 'x'.repeat(9000) }, 'config.Labels is "xxx'],
    [{ ExposedPorts: [] }, 'config.ExposedPorts is a list'],
    [[], 'config is a list'],
    ['\u001b[2J', 'config is "\\u001b[2J"'],
  ] as const) {
    assert.throws(
      () => parse({ config }),
      (error: unknown) =>
        error instanceof RegistryError && error.message.includes(words) && error.message.length < 400,
      words,
    );
  }
});

test('a time that Go cannot read is left out', () => {
  assert.equal(parse({ created: '2026-01-01T00:00:00.5+02:00' }).created, '2026-01-01T00:00:00.5+02:00');
  for (const created of ['', null, 5, 'yesterday', '2026-01-01T00:00:00Z</updated>']) {
    assert.equal(built(parse({ created })).config.created, '1970-01-01T00:00:00Z');
  }
});

test('a history has an entry for each layer, whatever the base had', () => {
  const counted = (history: unknown): number[] => {
    const entries: { empty_layer?: boolean }[] = built(parse({ history })).config.history;
    return [entries.length, entries.filter(entry => entry.empty_layer !== true).length];
  };
  const entry = { created_by: 'RUN' };
  assert.deepEqual(counted(undefined), [3, 3]);
  assert.deepEqual(counted(null), [3, 3]);
  assert.deepEqual(counted([{ ...entry, empty_layer: true }, entry]), [4, 3]);
  assert.deepEqual(counted([entry, entry, entry, entry]), [5, 3]);
  assert.deepEqual(counted([entry, 5]), [3, 3]);
  assert.deepEqual(counted({}), [3, 3]);
});

test('layers get OCI’s types and keep their annotations', () => {
  const annotations = { 'containerd.io/snapshot/stargz/toc.digest': DIGEST };
  const of = (layer: Partial<Descriptor>) => built(parse({}), layer).manifest.layers[0];
  const zstd = of({ mediaType: 'application/vnd.docker.image.rootfs.diff.tar.zstd', annotations });
  assert.deepEqual(zstd, { mediaType: MediaType.ociLayerZstd, digest: DIGEST, size: 1, annotations });
  assert.equal(of({ mediaType: MediaType.dockerLayerTar, annotations: {} }).annotations, undefined);
});

test('manifests whose parts have another shape are refused in few words', () => {
  const descriptor = { mediaType: MediaType.ociLayerGzip, digest: DIGEST, size: 1 };
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: descriptor,
    layers: [descriptor],
  };
  const read = (more: object) =>
    parseManifest(Buffer.from(JSON.stringify({ ...manifest, ...more })), MediaType.ociManifest, 'x');
  const nested = Buffer.from(`{"schemaVersion":2,"layers":[${'['.repeat(200_000)}${']'.repeat(200_000)}]}`);
  assert.throws(() => parseManifest(nested, MediaType.ociManifest, 'x'), RegistryError);
  for (const more of [
    { layers: [null] },
    { layers: [[[]]] },
    { layers: [{ ...descriptor, digest: 5 }] },
    { layers: [{ ...descriptor, size: '1' }] },
    { layers: [{ ...descriptor, annotations: { a: 5 } }] },
    { annotations: ['a'] },
    { config: null },
    { subject: 5 },
    { schemaVersion: { '\u202e': 1 } },
  ]) {
    assert.throws(() => read(more), RegistryError, JSON.stringify(more));
  }
  assert.equal(read({ annotations: null, subject: null }).kind, 'manifest');
  const index = { schemaVersion: 2, mediaType: MediaType.ociIndex };
  const platforms = [null, 5, { os: 'linux' }, { os: 'linux', architecture: 'amd64', variant: 5 }];
  const bytes = JSON.stringify({
    ...index,
    manifests: platforms.map(platform => ({ ...descriptor, platform })),
  });
  const parsed = parseManifest(Buffer.from(bytes), MediaType.ociIndex, 'x');
  assert.deepEqual(parsed.kind === 'index' && parsed.index.manifests.map(({ platform }) => platform), [
    undefined,
    undefined,
    undefined,
    { os: 'linux', architecture: 'amd64' },
  ]);
});
