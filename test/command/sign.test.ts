import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import { layerKindOf, readLayerDescriptor } from '../../src/image/format/layer-annotations.ts';
import { type Descriptor, type Manifest, MediaType } from '../../src/oci/types.ts';
import { SCAN_ARTIFACT_TYPE, SCAN_REPORT_TYPE, scanAnnotations } from '../../src/scan/scan-referrer.ts';
import { type EmbeddedHub, startHub } from '../../src/testkit/hub.ts';
import { type EmbeddedRegistry, startRegistry } from '../../src/testkit/registry.ts';
import { weighbridge } from '../support/command.ts';
import { BASE_REPOSITORY, MODEL_FILES, putBase } from '../support/world.ts';

// What `sign` signs by hand is believed from then on, so it has to be what the Hub has: by its bytes.

const REPOSITORY = 'acme/hf-x';

describe('weighbridge sign', { concurrency: false }, () => {
  let hub: EmbeddedHub;
  let registry: EmbeddedRegistry;
  let folder: string;
  const sign = (tag: string, ...more: string[]) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const env = {
      HF_ENDPOINT: hub.url,
      DOCKER_CONFIG: folder,
      SIGNING_KEY: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    };
    const image = `${registry.host}/${REPOSITORY}:${tag}`;
    return weighbridge(['sign', '--json', '--key', 'env://SIGNING_KEY', ...more, image], {
      env,
      cwd: folder,
    });
  };

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-sign-'));
    hub = await startHub();
    registry = await startRegistry();
    await hub.addModel({ id: 'acme/x', files: MODEL_FILES });
    putBase(registry, 'v0.6.0');
    const file = path.join(folder, 'published.yaml');
    const base = `defaults: { base_image: "${registry.host}/${BASE_REPOSITORY}:v0.6.0" }\n`;
    const models = 'models: [{ id: acme/x, short: x, env: { A: "1" } }]\n';
    await writeFile(file, `registries: { lab: ${registry.host}/acme }\n${base}${models}`);
    const env = { HF_ENDPOINT: hub.url, DOCKER_CONFIG: folder };
    const result = await weighbridge(['publish', '-c', file], { env });
    assert.equal(result.status, 0, result.stderr);
  });
  after(async () => {
    await Promise.all([registry?.close(), hub?.close()]);
    await rm(folder, { recursive: true, force: true });
  });

  test('weights of the right size and another content, every digest made to match: nothing is attached', async () => {
    const tag = 'poisoned';
    const digest = await tamper(registry, tag, async layers => {
      const index = layers.findIndex(layer => layerKindOf(layer) === 'weights');
      const layer = layers[index] ?? assert.fail();
      const bytes = Buffer.from((await registry.readBlob(layer.digest)) ?? assert.fail());
      bytes.write('code of a stranger', readLayerDescriptor(layer)?.files[0]?.offset ?? assert.fail());
      layers[index] = { ...layer, digest: digestOf(bytes) };
      return { bytes, index };
    });
    const { status, stdout } = await sign(tag, '--config', 'published.yaml');
    assert.equal(status, 1);
    const [image] = JSON.parse(stdout).images;
    assert.match(
      image.error.message,
      /so it is not signed: .* has what its manifest does not list: .*model-00001/,
    );
    assert.deepEqual([image.status, image.subjects], ['failed', []]);
    assert.equal(await attachedTo(registry, digest), 0);

    // What the flag that does without reading says, and does.
    const believed = await sign(tag, '--config', 'published.yaml', '--no-deep');
    assert.equal(believed.status, 0, believed.stdout);
    assert.match(believed.stderr, /--no-deep: layers are not read/);
    assert.ok((await attachedTo(registry, digest)) > 0);
  });

  for (const more of [[], ['--no-deep']]) {
    test(`a layer on top is not signed ${more}`, async () => {
      const tag = `covered${more}`;
      const digest = await tamper(registry, tag, async layers => {
        const bytes = Buffer.alloc(1024);
        layers.push({ mediaType: MediaType.ociLayerTar, digest: digestOf(bytes), size: bytes.length });
        return { bytes, index: layers.length - 1 };
      });
      const { status, stdout } = await sign(tag, '--config', 'published.yaml', ...more);
      assert.equal(status, 1);
      assert.match(stdout, /a layer that neither the base image nor this model has/);
      assert.equal(await attachedTo(registry, digest), 0);
    });
  }

  test('what was published is read and signed, base layers by their digests alone', async () => {
    const before = registry.log.length;
    const { status, stdout, stderr } = await sign('v0.6.0-fat', '--config', 'published.yaml');
    assert.equal(status, 0, stdout + stderr);
    const { layers } = manifestOf(registry, 'v0.6.0-fat');
    const isRead = ({ digest }: Descriptor) =>
      registry.log
        .slice(before)
        .some(one => one.method === 'GET' && one.path.includes(`${REPOSITORY}/blobs/${digest}`));
    assert.deepEqual(
      layers.map(isRead),
      layers.map(layer => layerKindOf(layer) !== undefined),
    );
    assert.ok(layers.some(isRead) && !layers.every(isRead));
  });

  test('a scan that somebody has attached is not signed: only `scan` knows what it has found', async () => {
    const stored = registry.manifest(REPOSITORY, 'v0.6.0-fat') ?? assert.fail();
    const report = Buffer.from(
      '{"SchemaVersion":2,"ArtifactName":"x","ArtifactType":"container_image","Results":[]}',
    );
    const annotations = scanAnnotations({
      ...{
        scanner: 'trivy 0.74.0',
        databaseDate: null,
        scannedAt: '2099-01-01T00:00:00.000Z',
        baseDigest: null,
      },
      ...{ vulnerabilities: { CRITICAL: 0, HIGH: 0, MEDIUM: 0, LOW: 0, UNKNOWN: 0 }, fixable: 0 },
      ...{ secrets: 0, misconfigurations: 0 },
    });
    const scan = {
      ...{ schemaVersion: 2, mediaType: MediaType.ociManifest, artifactType: SCAN_ARTIFACT_TYPE },
      config: { mediaType: MediaType.ociEmpty, digest: digestOf('{}'), size: 2 },
      layers: [{ mediaType: SCAN_REPORT_TYPE, digest: digestOf(report), size: report.length }],
      subject: { mediaType: stored.mediaType, digest: stored.digest, size: stored.bytes.length },
      annotations,
    };
    registry.putImage(REPOSITORY, 'scan', {
      blobs: [report, Buffer.from('{}')],
      manifests: [{ mediaType: MediaType.ociManifest, bytes: Buffer.from(JSON.stringify(scan)) }],
    });
    const { status, stdout, stderr } = await sign('v0.6.0-fat', '--config', 'published.yaml', '--force');
    assert.equal(status, 0, stdout + stderr);
    const [{ statements }] = JSON.parse(stdout).images[0].subjects;
    assert.deepEqual(
      statements.map(({ kind }: { kind: string }) => kind),
      ['image', 'provenance', 'bom', 'license', 'model'],
    );
  });

  test('an image of another model than the file has for the repository is not signed, whatever it says of itself', async () => {
    await hub.addModel({ id: 'evil/x', files: MODEL_FILES });
    const base = `defaults: { base_image: "${registry.host}/${BASE_REPOSITORY}:v0.6.0" }\n`;
    const models = 'models: [{ id: evil/x, short: x, tags: ["evil-{variant}"] }]\n';
    await writeFile(
      path.join(folder, 'evil.yaml'),
      `registries: { lab: ${registry.host}/acme }\n${base}${models}`,
    );
    const env = { HF_ENDPOINT: hub.url, DOCKER_CONFIG: folder };
    const published = await weighbridge(['publish', '-c', path.join(folder, 'evil.yaml')], { env });
    assert.equal(published.status, 0, published.stderr);
    for (const more of [[], ['--no-deep']]) {
      const { status, stdout } = await sign('evil-fat', '--config', 'published.yaml', ...more);
      assert.equal(status, 1);
      assert.match(
        JSON.parse(stdout).images[0].error.message,
        /it is of evil\/x, and .*published\.yaml has acme\/x here/,
      );
    }
    assert.equal(
      await attachedTo(registry, registry.manifest(REPOSITORY, 'evil-fat')?.digest ?? assert.fail()),
      0,
    );
  });

  test('an image with settings that no record has needs the file that it was published from', async () => {
    const { status, stdout } = await sign('v0.6.0-slim');
    assert.equal(status, 1);
    assert.match(JSON.parse(stdout).images[0].error.remedy, /published from with --config/);
  });
});

/** Puts an image under `tag` that is the published one but for what `change` does; its digest. */
async function tamper(
  registry: EmbeddedRegistry,
  tag: string,
  change: (layers: Descriptor[]) => Promise<{ readonly bytes: Buffer; readonly index: number }>,
): Promise<Digest> {
  const manifest = manifestOf(registry, 'v0.6.0-fat');
  const layers = [...manifest.layers];
  const { bytes, index } = await change(layers);
  const config = JSON.parse(String(await registry.readBlob(manifest.config.digest)));
  config.rootfs.diff_ids[index] = digestOf(bytes);
  const configBytes = Buffer.from(JSON.stringify(config));
  const text = JSON.stringify({
    ...manifest,
    config: { ...manifest.config, digest: digestOf(configBytes), size: configBytes.length },
    layers,
  });
  return registry.putImage(REPOSITORY, tag, {
    blobs: [bytes, configBytes],
    manifests: [{ mediaType: manifest.mediaType, bytes: Buffer.from(text) }],
  });
}

function manifestOf(registry: EmbeddedRegistry, tag: string): Manifest {
  return JSON.parse(String(registry.manifest(REPOSITORY, tag)?.bytes));
}

async function attachedTo(registry: EmbeddedRegistry, digest: Digest): Promise<number> {
  const response = await fetch(`${registry.url}/v2/${REPOSITORY}/referrers/${digest}`);
  return ((await response.json()) as { manifests: unknown[] }).manifests.length;
}
