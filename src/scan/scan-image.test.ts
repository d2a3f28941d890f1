import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesSource } from '../core/byte-source.ts';
import { type Digest, digestOf } from '../core/digest.ts';
import { Label, LayerAnnotation } from '../image/format/labels.ts';
import { type Descriptor, type Manifest, MediaType } from '../oci/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import { BaseScans } from './base-scans.ts';
import { type ScanContext, type ScannedImage, scanImage } from './scan-image.ts';
import type { TrivyReport } from './trivy-report.ts';

const BASE = { [Label.baseName]: 'acme/base:1', [Label.baseDigest]: digestOf('base') };
const layer = (name: string, kind?: string): Descriptor => ({
  mediaType: MediaType.ociLayerTar,
  digest: digestOf(name),
  size: name.length,
  ...(kind && { annotations: { [LayerAnnotation.kind]: kind } }),
});
const GENUINE = [layer('os'), layer('python'), layer('law', 'licenses')];

/** A scanner that finds as much as it is shown: a vulnerability in each layer, named by the layer's digest. */
function contextOf(): ScanContext {
  const trivy = {
    version: async () => ({ version: '0', databaseDate: null }),
    sarif: async () => ({ runs: [] }),
    async scanImage({ reference }: { readonly reference: string }): Promise<TrivyReport> {
      const [address = '', digest] = reference.split('@');
      const [host, name] = address.split('/');
      const answer = await fetch(`http://${host}/v2/${name}/manifests/${digest}`);
      const { layers } = (await answer.json()) as Manifest;
      const Vulnerabilities = layers.map(one => ({ VulnerabilityID: one.digest, PkgName: 'x' }));
      const Results = [{ Target: 'x', Vulnerabilities }];
      return { SchemaVersion: 2, ArtifactName: 'x', ArtifactType: 'container_image', Results };
    },
  };
  return {
    trivy: trivy as Partial<ScanContext['trivy']> as ScanContext['trivy'],
    bases: new BaseScans(undefined),
    settings: { severity: ['UNKNOWN'], failOn: [], ignoreFile: null },
    ignoreFile: null,
    now: () => new Date(0),
  };
}

async function seenIn(
  layers: readonly Descriptor[],
  context: ScanContext,
  labels: ScannedImage['labels'] = BASE,
): Promise<Digest[]> {
  const store = { name: 'r.example/x', openBlob: () => bytesSource('a layer', Buffer.alloc(0)) };
  const config = {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers' as const, diff_ids: layers.map(one => one.digest) },
  };
  const about = { id: 'acme/x', short: 'x', variant: 'fat', digest: digestOf('x'), platform: 'linux/amd64' };
  const image = { ...about, config, layers, labels, modelDir: '/models/x', references: [] };
  const { scan } = await scanImage(image, store as Partial<ImageStore> as ImageStore, context);
  return scan.findings.map(({ id }) => id as Digest).sort();
}

const digestsOf = (layers: readonly Descriptor[]) => layers.map(({ digest }) => digest).sort();

test('a layer that calls itself nothing is seen, also if the base that the image names was scanned before', async () => {
  const context = contextOf();
  assert.deepEqual(await seenIn(GENUINE, context), digestsOf(GENUINE));
  for (const at of [0, 1, 2, 3]) {
    const layers = GENUINE.toSpliced(at, 0, layer('evil'));
    assert.deepEqual(await seenIn(layers, context), digestsOf(layers), `at ${at}`);
  }
});

test('an image that names a base and lacks its layers does not make that base look clean to others', async () => {
  const context = contextOf();
  await seenIn([layer('clean'), layer('law', 'licenses')], context);
  assert.deepEqual(await seenIn(GENUINE, context), digestsOf(GENUINE));
});

test('all layers of an image that names no base are seen', async () => {
  assert.deepEqual(await seenIn(GENUINE, contextOf(), {}), digestsOf(GENUINE));
});
