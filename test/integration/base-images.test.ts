import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { digestOf } from '../../src/core/digest.ts';
import { WeighbridgeError } from '../../src/core/errors.ts';
import { END_OF_ARCHIVE, paddingFor, tarEntryHeader } from '../../src/oci/tar-header.ts';
import { MediaType } from '../../src/oci/types.ts';
import type { EmbeddedRegistry } from '../../src/testkit/registry.ts';
import { BASE_REPOSITORY, MODEL_FILES, World } from '../support/world.ts';

interface OddBase {
  readonly layers?: number;
  /** Put over a sound config. */
  readonly config?: object;
  readonly layerFields?: object;
  /** How many indexes are around the manifest, each in the next. */
  readonly indexes?: number;
  /** As the innermost index names it; null for an entry without one. Default linux/amd64. */
  readonly platform?: object | null;
  /** Put over a sound manifest. */
  readonly manifest?: object;
  readonly configType?: string;
}

function putOddBase(registry: EmbeddedRegistry, base: OddBase): void {
  const { layers = 2, config, layerFields, indexes = 0, configType = MediaType.ociConfig } = base;
  const tars = Array.from({ length: layers }, (_, index) => {
    const text = `layer ${index}`;
    const header = tarEntryHeader({
      path: `etc/${index}`,
      mode: 0o644,
      sizeBytes: text.length,
      type: 'file',
    });
    return Buffer.concat([header, Buffer.from(text), Buffer.alloc(paddingFor(text.length)), END_OF_ARCHIVE]);
  });
  const blobs = tars.map(tar => gzipSync(tar));
  const usual = { os: 'linux', architecture: 'amd64' };
  const { platform = usual } = base;
  const configBytes = json({
    ...usual,
    rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
    ...config,
  });
  const manifests: { mediaType: string; bytes: Buffer }[] = [
    {
      mediaType: MediaType.ociManifest,
      bytes: json({
        schemaVersion: 2,
        mediaType: MediaType.ociManifest,
        config: describe(configType, configBytes),
        layers: blobs.map(blob => ({ ...describe(MediaType.ociLayerGzip, blob), ...layerFields })),
        ...base.manifest,
      }),
    },
  ];
  for (let depth = 0; depth < indexes; depth++) {
    const inner = manifests.at(-1) as (typeof manifests)[number];
    const entry = {
      ...describe(inner.mediaType, inner.bytes),
      ...(depth === 0 && platform ? { platform } : {}),
    };
    const bytes = json({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [entry, entry] });
    manifests.push({ mediaType: MediaType.ociIndex, bytes });
  }
  registry.putImage(BASE_REPOSITORY, 'v0.6.0', { blobs: [...blobs, configBytes], manifests });
}

async function publishOn(base: OddBase, variants: ('slim' | 'fat')[] = ['slim', 'fat']) {
  const world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  putOddBase(world.registry(0), base);
  const images = await world
    .publish(world.config('acme/x'), { variants })
    .finally(() => world[Symbol.asyncDispose]());
  return { world, images };
}

/** What keeps such a base from being published on. */
async function failure(base: OddBase, variants: ('slim' | 'fat')[]): Promise<WeighbridgeError> {
  const { images } = await publishOn(base, variants);
  const [error] = images.map(image => ('error' in image ? image.error : undefined));
  assert.ok(error instanceof WeighbridgeError, String(error));
  return error;
}

test('a base image is counted: 125 layers in all, for slim images too', async () => {
  assert.equal((await failure({ layers: 127 }, ['slim'])).code, 'IMAGE_TOO_MANY_LAYERS');
  assert.equal((await failure({ layers: 124 }, ['slim'])).code, 'IMAGE_TOO_MANY_LAYERS');
  assert.equal((await failure({ layers: 123 }, ['fat'])).code, 'IMAGE_TOO_MANY_LAYERS');
  const slim = await publishOn({ layers: 123 }, ['slim']);
  assert.equal(slim.world.manifest(0, 'v0.6.0-slim').layers.length, 125);
  const fat = await publishOn({ layers: 122 }, ['fat']);
  assert.equal(fat.world.manifest(0, 'v0.6.0-fat').layers.length, 125);
});

test('a base image whose config has nothing in it is published, with a whole history', async () => {
  const { world, images } = await publishOn({ config: { config: null, history: null } });
  assert.ok(images.every(({ status }) => status === 'published'));
  const config = await world.imageConfig(0, 'v0.6.0-fat');
  assert.equal(config.history?.length, config.rootfs.diff_ids.length);
});

test('a base image with a senseless environment is an error of that model', async () => {
  const { message } = await failure({ config: { config: { Env: [5] } } }, ['slim', 'fat']);
  assert.match(message, /config\.Env is a list, expected a list of texts/);
});

test('annotations of base layers stay, but a base image cannot pass its layers off as ours', async () => {
  const toc = { 'containerd.io/snapshot/stargz/toc.digest': digestOf('toc') };
  const ours = { 'io.weighbridge.layer.key': '0a'.repeat(32), 'io.weighbridge.layer.kind': 'weights' };
  const { world } = await publishOn({ layerFields: { annotations: { ...toc, ...ours } } }, ['slim']);
  assert.deepEqual(world.manifest(0, 'v0.6.0-slim').layers[0]?.annotations, toc);
});

test('an index in an index is followed, and does not go on for ever', async () => {
  for (const indexes of [1, 2, 4]) {
    const { images } = await publishOn({ indexes }, ['slim']);
    assert.equal(images[0]?.status, 'published', `${indexes} indexes`);
  }
  assert.equal((await failure({ indexes: 5 }, ['slim'])).code, 'BASE_PLATFORM_MISSING');
});

test('a platform is found by any name that builders give it, and written by its usual one', async () => {
  const cases: OddBase[] = [
    { config: { architecture: 'x86_64', os: 'Linux' } },
    { config: { architecture: '', os: '' } },
    { config: { architecture: null, os: undefined } },
    { indexes: 1, platform: { os: 'linux', architecture: 'x86_64' } },
    { indexes: 1, platform: { os: 'Linux', architecture: 'amd64', variant: '' } },
    { indexes: 1, platform: null },
    { indexes: 2, platform: {} },
  ];
  for (const base of cases) {
    const { world, images } = await publishOn(base, ['slim']);
    assert.equal(images[0]?.status, 'published', JSON.stringify(base));
    const { os, architecture } = await world.imageConfig(0, 'v0.6.0-slim');
    assert.deepEqual([os, architecture], ['linux', 'amd64']);
  }
});

test('an image that is for another platform is not taken, whether or not its index says so', async () => {
  for (const base of [{ indexes: 1, platform: null }, {}]) {
    const error = await failure({ ...base, config: { architecture: 'aarch64' } }, ['slim']);
    assert.equal(error.code, 'BASE_PLATFORM_MISSING');
    assert.match(error.message, /it has linux\/aarch64/);
  }
});

test('an artifact that is no image is called what it is', async () => {
  const helm = { configType: 'application/vnd.cncf.helm.config.v1+json', config: { rootfs: null } };
  const { message, remedy } = await failure(helm, ['slim']);
  assert.match(message, /is not a container image, but application\/vnd\.cncf\.helm\.config/);
  assert.match(remedy ?? '', /base_image/);
  // Of a type that only its builder knows, but an image.
  const odd = await publishOn({ configType: 'application/octet-stream' }, ['slim']);
  assert.equal(odd.images[0]?.status, 'published');
});

test('a history with null in it stays', async () => {
  const history = [
    { created: null, created_by: 'RUN a' },
    { created_by: 'RUN b', empty_layer: null },
  ];
  const { world } = await publishOn({ config: { history } }, ['slim']);
  const config = await world.imageConfig(0, 'v0.6.0-slim');
  assert.deepEqual(config.history?.slice(0, 2), [{ created_by: 'RUN a' }, { created_by: 'RUN b' }]);
});

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function describe(mediaType: string, bytes: Uint8Array) {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}
