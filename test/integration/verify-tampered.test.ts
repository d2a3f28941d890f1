import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { digestOf } from '../../src/core/digest.ts';
import { WeighbridgeError } from '../../src/core/errors.ts';
import { packageVersion } from '../../src/engine/package-info.ts';
import { LayerAnnotation } from '../../src/image/format/labels.ts';
import { layerKindOf } from '../../src/image/format/layer-annotations.ts';
import { isRight, verifyImage } from '../../src/inspect/verify-image.ts';
import { END_OF_ARCHIVE, paddingFor, tarEntryHeader } from '../../src/oci/tar-header.ts';
import { type Descriptor, type ImageConfig, type Manifest, MediaType } from '../../src/oci/types.ts';
import { RunCache } from '../../src/publish/run-cache.ts';
import { isPlainWeights } from '../../src/scan/plain-weights.ts';
import { IS_LONG } from '../support/long.ts';
import { BOOTSTRAP, MODEL_FILES, World } from '../support/world.ts';

const REPOSITORY = 'acme/hf-x';
const VERSION = packageVersion();

interface Image {
  manifest: Manifest;
  config: ImageConfig;
  /** Bytes of layers that the tampering brings. */
  readonly blobs: Buffer[];
  /** Changes how the documents are written, and not what they mean to who reads JSON as we do. */
  rewrite: { readonly [Name in 'manifest' | 'config']?: (text: string) => string };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Tampering = (image: Image, variant: 'slim' | 'fat') => void;

const layersOf = (image: Image) => image.manifest.layers as Descriptor[];
const diffIdsOf = (image: Image) => image.config.rootfs.diff_ids as string[];
const container = (image: Image) => image.config.config as Record<string, unknown>;
const of = (image: Image, kind: string) =>
  layersOf(image).findIndex(layer => (layerKindOf(layer) ?? 'base') === kind);

function tar(...files: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat([
    ...files.flatMap(([path, text]) => [
      tarEntryHeader({ path, mode: 0o755, sizeBytes: text.length, type: 'file' }),
      Buffer.from(text),
      Buffer.alloc(paddingFor(text.length)),
    ]),
    END_OF_ARCHIVE,
  ]);
}

/** Puts a layer on top; `annotations` make it look like one of ours. */
function add(image: Image, bytes: Buffer, annotations?: Descriptor['annotations']): void {
  const digest = digestOf(bytes);
  image.blobs.push(bytes);
  const common = { mediaType: MediaType.ociLayerTar, digest, size: bytes.length };
  layersOf(image).push(annotations ? { ...common, annotations } : common);
  diffIdsOf(image).push(digest);
}

/** Puts other bytes in place of a layer that keeps what its manifest says of it. */
function replace(image: Image, index: number, bytes: Buffer): void {
  const digest = digestOf(bytes);
  image.blobs.push(bytes);
  layersOf(image)[index] = { ...(layersOf(image)[index] as Descriptor), digest, size: bytes.length };
  diffIdsOf(image)[index] = digest;
}

function drop(image: Image, index: number): void {
  layersOf(image).splice(index, 1);
  diffIdsOf(image).splice(index, 1);
}

const annotationsOf = (image: Image, kind: string) => layersOf(image)[of(image, kind)]?.annotations;
const label =
  (name: string, value: string): Tampering =>
  image => {
    (container(image).Labels as Record<string, string>)[name] = value;
    (image.manifest.annotations as Record<string, string>)[name] = value;
  };

/** Of a fat image only the bytes tell: manifest and config say what they should. */
const OTHER_WEIGHTS = 'other weights of the same size, every digest made to match';

const TAMPERINGS: Readonly<Record<string, Tampering>> = {
  'a layer on top that replaces a shard': image => add(image, tar(['models/x/model.safetensors', 'evil'])),
  'a layer on top that replaces vLLM': image => add(image, tar(['usr/bin/vllm', 'evil'])),
  'a layer on top that replaces the bootstrap': image =>
    add(image, tar(['opt/weighbridge/bootstrap', 'evil'])),
  'a layer on top that replaces config.json': image => add(image, tar(['models/x/config.json', '{}'])),
  'a layer on top with a whiteout': image => add(image, tar(['models/x/.wh.config.json', ''])),
  'an opaque whiteout on top': image => add(image, tar(['usr/.wh..wh..opq', ''])),
  'a layer on top that calls itself license texts': image =>
    add(image, tar(['usr/bin/vllm', 'evil']), annotationsOf(image, 'licenses')),
  'a layer of our own a second time': image => {
    const layer = layersOf(image)[of(image, 'licenses')] as Descriptor;
    layersOf(image).push(layer);
    diffIdsOf(image).push(layer.digest);
  },
  'a dropped layer of our own': image => drop(image, of(image, 'licenses')),
  'a dropped layer of the base': image => drop(image, of(image, 'base')),
  'a swapped layer of the base': image => replace(image, of(image, 'base'), tar(['usr/bin/vllm', 'evil'])),
  'changed license texts': image => replace(image, of(image, 'licenses'), tar(['licenses/CC0', 'other'])),
  'layers in another order': image => {
    layersOf(image).reverse();
    diffIdsOf(image).reverse();
  },
  'another Entrypoint': image => {
    container(image).Entrypoint = ['/bin/sh', '-c', 'evil'];
  },
  'a flag more in Entrypoint': image => {
    container(image).Entrypoint = [...(container(image).Entrypoint as string[]), '--trust-remote-code'];
  },
  'a Cmd': image => {
    container(image).Cmd = ['--trust-remote-code'];
  },
  'LD_PRELOAD in Env': image => {
    container(image).Env = [...(container(image).Env as string[]), 'LD_PRELOAD=/models/x/evil.so'];
  },
  'another PATH in Env': image => {
    container(image).Env = (container(image).Env as string[]).map(one =>
      one.startsWith('PATH=') ? 'PATH=/models/x' : one,
    );
  },
  'another User': image => {
    container(image).User = '0';
  },
  'another WorkingDir': image => {
    container(image).WorkingDir = '/models/x';
  },
  'a volume': image => {
    container(image).Volumes = { '/usr': {} };
  },
  'another port': image => {
    container(image).ExposedPorts = { '22/tcp': {} };
  },
  'a health check': image => {
    container(image).Healthcheck = { Test: ['CMD', 'evil'] };
  },
  'another Shell': image => {
    container(image).Shell = ['/models/x/sh'];
  },
  'another stop signal': image => {
    container(image).StopSignal = 'SIGKILL';
  },
  'OnBuild steps': image => {
    container(image).OnBuild = ['RUN evil'];
  },
  'another license in the labels': label('org.opencontainers.image.licenses', 'MIT'),
  'another source': label('org.opencontainers.image.source', 'https://evil.example'),
  'another base digest': label('org.opencontainers.image.base.digest', `sha256:${'0'.repeat(64)}`),
  'another plan digest': label('io.weighbridge.plan.digest', `sha256:${'0'.repeat(64)}`),
  'a label more': label('evil', 'yes'),
  'an annotation of the manifest alone': image => {
    (image.manifest.annotations as Record<string, string>)['org.opencontainers.image.version'] = 'v9';
  },
  'a changed history': image => {
    (image.config as Mutable<ImageConfig>).history =
      image.config.history?.map(one => ({ ...one, created_by: 'x' })) ?? [];
  },
  'another date': image => {
    (image.config as Mutable<ImageConfig>).created = '2030-01-01T00:00:00Z';
  },
  'a dropped shard': (image, variant) => {
    if (variant === 'fat') drop(image, of(image, 'weights'));
    else replace(image, of(image, 'bootstrap'), tar(['opt/weighbridge/model.json', '{"files":[]}']));
  },
  'weights that also carry vLLM': (image, variant) => {
    const index = of(image, variant === 'fat' ? 'weights' : 'bootstrap');
    const bytes = tar(['usr/bin/vllm', 'evil']);
    replace(image, index, Buffer.concat([bytes]));
  },
  [OTHER_WEIGHTS]: (image, variant) => {
    const index = of(image, variant === 'fat' ? 'weights' : 'bootstrap');
    replace(image, index, Buffer.alloc(layersOf(image)[index]?.size ?? 0, 7));
  },
  'a config with an unknown media type': image => {
    const { manifest } = image;
    image.manifest = { ...manifest, config: { ...manifest.config, mediaType: 'application/vnd.evil' } };
  },
  'layers twice in the manifest': image => {
    image.rewrite = { manifest: text => text.replace('"layers":', '"layers":[],"layers":') };
  },
  'layers in another spelling too': image => {
    image.rewrite = { manifest: text => text.replace('"layers":', '"Layer\u017f":[],"layers":') };
  },
  'a container config that Go joins with ours': image => {
    image.rewrite = { config: text => text.replace('"config":{', '"config":{"User":"0"},"config":{') };
  },
  'an entrypoint in another spelling too': image => {
    container(image).entrypoint = ['/bin/sh'];
  },
  'a config of another type in a field that nothing reads': image => {
    (image.config as Record<string, unknown>).variant = 7;
  },
  'other white space': image => {
    image.rewrite = { config: text => text.replace(',', ', ') };
  },
  'a key of a layer that is not the one': image => {
    const index = of(image, 'licenses');
    const layer = layersOf(image)[index] as Descriptor;
    const annotations = { ...layer.annotations, [LayerAnnotation.key]: '0'.repeat(64) };
    layersOf(image)[index] = { ...layer, annotations };
  },
};

let world: World;
before(async () => {
  world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  await world.publish(world.config('acme/x'));
});
after(async () => await world[Symbol.asyncDispose]());

// The slim ones take as long again, and differ in few places.
for (const variant of IS_LONG ? (['slim', 'fat'] as const) : (['fat'] as const)) {
  test(`${variant}: an image as it was published is verified`, async () => {
    const [check] = await verify(`v0.6.0-${variant}`);
    assert.deepEqual(check?.problems, []);
    assert.ok(check && isRight(check));
  });

  test(`${variant}: nothing in it tells which version of Weighbridge published it`, async () => {
    const tag = `v0.6.0-${variant}`;
    const { annotations, layers } = world.manifest(0, tag);
    const config = await world.imageConfig(0, tag);
    const texts = JSON.stringify([annotations, layers.map(layer => layer.annotations), config]);
    // The base's own is another number, and so is each hash.
    assert.ok(!texts.includes(VERSION), texts);
  });

  for (const [name, tamper] of Object.entries(TAMPERINGS)) {
    test(`${variant}: ${name} is found`, async () => {
      const tag = `v0.6.0-${variant}`;
      const image: Image = {
        manifest: structuredClone(world.manifest(0, tag)),
        config: structuredClone(await world.imageConfig(0, tag)),
        blobs: [],
        rewrite: {},
      };
      tamper(image, variant);
      const written = (name: 'manifest' | 'config', value: object) =>
        Buffer.from(image.rewrite[name]?.(JSON.stringify(value)) ?? JSON.stringify(value));
      const config = written('config', image.config);
      const manifest = {
        ...image.manifest,
        config: { ...image.manifest.config, digest: digestOf(config), size: config.length },
      };
      world.registry(0).putImage(REPOSITORY, 'tampered', {
        blobs: [...image.blobs, config],
        manifests: [{ mediaType: manifest.mediaType, bytes: written('manifest', manifest) }],
      });
      const store = world.open(`${world.registry(0).host}/${REPOSITORY}`, 'pull');
      const before = new Set(world.manifest(0, tag).layers.map(({ digest }) => digest));
      for (const layer of manifest.layers.filter(({ digest }) => !before.has(digest)))
        assert.ok(!(await isPlainWeights(store, layer, '/models/x')), 'Trivy does not see the layer');
      const found = await saidOf({ isDeep: false });
      assert.equal(
        found.length > 0,
        !(name === OTHER_WEIGHTS && variant === 'fat'),
        `without --deep: ${found}`,
      );
      const deep = (await saidOf({ isDeep: true })).join('\n');
      assert.ok(deep.length > 0, 'nothing is said');
      if (name.startsWith('a layer on top')) assert.match(deep, /neither the base image nor this model has/);
    });
  }
}

test('a slim image with the bootstrap of another version is said to be one, and is not verified', async () => {
  const other = [{ path: 'bootstrap', text: '#!/usr/bin/env python3\n# newer\n', isExecutable: true }];
  const [check = assert.fail()] = await verify('v0.6.0-slim', { isDeep: true }, other);
  assert.match(
    check.problems.join('\n'),
    /bootstrap is not the one of this version .* verify it with the version that published/,
  );
  assert.ok(!isRight(check));
});

/** What is said of the tampered image; an image that cannot even be read is not verified either. */
async function saidOf(options: { readonly isDeep: boolean }): Promise<string[]> {
  let checks: Awaited<ReturnType<typeof verify>>;
  try {
    checks = await verify('tampered', options);
  } catch (error) {
    assert.ok(error instanceof WeighbridgeError);
    return [error.message];
  }
  const said = checks.flatMap(({ problems, files }) => [
    ...problems,
    ...files.filter(file => file.status !== 'same').map(({ path, detail }) => `${path}: ${detail}`),
  ]);
  assert.equal(checks.every(isRight), said.length === 0);
  return said;
}

function verify(reference: string, { isDeep } = { isDeep: true }, bootstrap = BOOTSTRAP) {
  const openBase = (name: string) => world.open(name, 'pull');
  return verifyImage(world.open(`${world.registry(0).host}/${REPOSITORY}`, 'pull'), reference, {
    hub: world.hubClient(),
    isDeep,
    rebuild: { bootstrap, readBase: new RunCache({ openBase }).baseImage },
  });
}
