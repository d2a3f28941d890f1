import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import { END_OF_ARCHIVE, paddingFor, tarEntryHeader } from '../../src/oci/tar-header.ts';
import { MediaType } from '../../src/oci/types.ts';
import { SCAN_ARTIFACT_TYPE, scanAnnotations } from '../../src/scan/scan-referrer.ts';
import type { EmbeddedRegistry } from '../../src/testkit/registry.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

/** Families as the Hub has them: enough that search and filters have something to tell apart. */
const FAMILIES = [
  { org: 'Qwen', name: 'Qwen2.5', license: 'Apache-2.0', sizes: [0.5, 1.5, 3, 7, 14, 32, 72], isFat: true },
  {
    org: 'deepseek-ai',
    name: 'DeepSeek-R1-Distill-Qwen',
    license: 'MIT',
    sizes: [1.5, 7, 14, 32],
    isFat: true,
  },
  { org: 'mistralai', name: 'Mistral', license: 'Apache-2.0', sizes: [7, 12, 24, 123], isFat: true },
  {
    org: 'meta-llama',
    name: 'Llama-3.1',
    license: 'LicenseRef-llama3.1',
    sizes: [1, 3, 8, 70, 405],
    isFat: false,
  },
  { org: 'google', name: 'gemma-2', license: 'LicenseRef-gemma', sizes: [2, 9, 27], isFat: false },
  { org: 'microsoft', name: 'Phi-4', license: 'MIT', sizes: [3.8, 14], isFat: true },
  { org: 'allenai', name: 'OLMo-2', license: 'Apache-2.0', sizes: [1, 7, 13, 32], isFat: true },
  { org: 'ibm-granite', name: 'granite-3.3', license: 'Apache-2.0', sizes: [2, 8], isFat: true },
] as const;

export interface SampleModel {
  readonly id: string;
  readonly short: string;
}

/**
 * Fills a registry with manifests of `count` models as Weighbridge writes them, real in everything but their blobs: a
 * catalog reads no layer but the small ones. Gives what a `models.yaml` would list.
 */
export function fillRegistry(registry: EmbeddedRegistry, prefix: string, count: number): SampleModel[] {
  const kinds = FAMILIES.flatMap(family => family.sizes.map(size => ({ ...family, size })));
  return Array.from({ length: count }, (_, index) => {
    const kind = kinds[index % kinds.length] as (typeof kinds)[number];
    const round = Math.floor(index / kinds.length);
    const suffix = round === 0 ? 'Instruct' : `Instruct-v${round + 1}`;
    const id = `${kind.org}/${kind.name}-${kind.size}B-${suffix}`;
    const short = `${kind.name}-${kind.size}b${round === 0 ? '' : `-v${round + 1}`}`
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-');
    putModel(registry, `${prefix}/hf-${short}`, { ...kind, id, short, seed: index });
    return { id, short };
  });
}

/** The `models.yaml` that names them. */
export async function writeSampleConfig(
  folder: string,
  registries: Readonly<Record<string, string>>,
  models: readonly SampleModel[],
): Promise<string> {
  const file = path.join(folder, 'models.yaml');
  const places = Object.entries(registries).map(([key, prefix]) => `  ${key}: ${prefix}\n`);
  const entries = models.map(({ id, short }) => `  - { id: "${id}", short: "${short}" }\n`);
  await writeFile(file, `registries:\n${places.join('')}models:\n${entries.join('')}`);
  return file;
}

interface ModelFacts extends SampleModel {
  readonly license: string;
  /** Billions of parameters, of two bytes each. */
  readonly size: number;
  readonly isFat: boolean;
  readonly seed: number;
}

interface Version {
  readonly vllm: string;
  readonly created: string;
  readonly revision: string;
}

function putModel(registry: EmbeddedRegistry, repository: string, facts: ModelFacts): void {
  const revisions = [hex(`${facts.id} new`, 40), hex(`${facts.id} old`, 40)];
  const versions: Version[] = [
    { vllm: 'v0.9.2', created: '2025-11-03T10:00:00Z', revision: revisions[1] as string },
    {
      vllm: `v0.1${facts.seed % 3}.0`,
      created: `2026-0${(facts.seed % 9) + 1}-15T10:00:00Z`,
      revision: revisions[0] as string,
    },
  ];
  for (const version of versions) {
    for (const variant of facts.isFat ? (['slim', 'fat'] as const) : (['slim'] as const)) {
      const image = imageOf(facts, version, variant);
      registry.putImage(repository, `${version.vllm}-${variant}`, image);
      const digest = registry.putImage(repository, `r${version.revision}-${variant}`, image);
      // Most have been scanned.
      if (facts.seed % 4 !== 3)
        putScan(registry, repository, { digest, size: lastSize(image), seed: facts.seed });
    }
  }
}

function lastSize({ manifests }: ReturnType<typeof imageOf>): number {
  return manifests.at(-1)?.bytes.length ?? 0;
}

/** A scan as `weighbridge scan` attaches it, under the tag that clients keep where a registry lists no referrers. */
function putScan(
  registry: EmbeddedRegistry,
  repository: string,
  { digest, size, seed }: { readonly digest: Digest; readonly size: number; readonly seed: number },
): void {
  const annotations = scanAnnotations({
    scanner: 'trivy 0.74.0',
    databaseDate: '2026-11-24T00:00:00Z',
    scannedAt: '2026-11-24T08:00:00Z',
    baseDigest: null,
    vulnerabilities: { CRITICAL: seed % 3, HIGH: seed % 17, MEDIUM: 40 + (seed % 30), LOW: 103, UNKNOWN: 0 },
    fixable: seed % 11,
    secrets: 0,
    misconfigurations: 1,
  });
  const empty = Buffer.from('{}');
  const config = { mediaType: MediaType.ociEmpty, digest: digestOf(empty), size: empty.length };
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      artifactType: SCAN_ARTIFACT_TYPE,
      config,
      layers: [config],
      subject: { mediaType: MediaType.ociManifest, digest, size },
      annotations,
    }),
  );
  const listed = { mediaType: MediaType.ociManifest, digest: digestOf(manifest), size: manifest.length };
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaType.ociIndex,
      manifests: [{ ...listed, artifactType: SCAN_ARTIFACT_TYPE, annotations }],
    }),
  );
  registry.putImage(repository, digest.replace(':', '-'), {
    blobs: [empty],
    manifests: [
      { mediaType: MediaType.ociManifest, bytes: manifest },
      { mediaType: MediaType.ociIndex, bytes: index },
    ],
  });
}

interface File {
  readonly path: string;
  readonly size: number;
}

function filesOf({ size }: ModelFacts): { weights: File[]; small: File[] } {
  const total = Math.round(size * 2 * 1e9);
  const shards = Math.max(1, Math.ceil(total / (4.6 * GIB)));
  const name = (index: number): string =>
    shards === 1
      ? 'model.safetensors'
      : `model-${String(index + 1).padStart(5, '0')}-of-${String(shards).padStart(5, '0')}.safetensors`;
  return {
    weights: Array.from({ length: shards }, (_, index) => ({
      path: name(index),
      size: Math.round(total / shards),
    })),
    small: [
      { path: 'LICENSE', size: 11_343 },
      { path: 'README.md', size: 6_240 },
      { path: 'config.json', size: 659 },
      { path: 'generation_config.json', size: 242 },
      { path: 'merges.txt', size: 1_671_853 },
      { path: 'tokenizer.json', size: 7_031_645 },
      { path: 'tokenizer_config.json', size: 7_305 },
      { path: 'vocab.json', size: 2_776_833 },
    ],
  };
}

function imageOf(facts: ModelFacts, { vllm, created, revision }: Version, variant: 'slim' | 'fat') {
  const { weights, small } = filesOf(facts);
  const dir = `models/${facts.short}`;
  const labels = {
    'org.opencontainers.image.title': `vLLM + ${facts.id.split('/')[1]}`,
    'org.opencontainers.image.description': 'Slim/Fat images; see /licenses',
    'org.opencontainers.image.url': `https://huggingface.co/${facts.id}`,
    'org.opencontainers.image.version': vllm,
    'org.opencontainers.image.revision': revision,
    'org.opencontainers.image.licenses': facts.license,
    'org.opencontainers.image.base.name': `vllm/vllm-openai:${vllm}`,
    'org.opencontainers.image.base.digest': digestOf(vllm),
    'io.weighbridge.model.id': facts.id,
    'io.weighbridge.model.revision': revision,
    'io.weighbridge.variant': variant,
  };
  const listed = [...weights, ...small].map(file => ({
    path: file.path,
    size: file.size,
    sha256: hex(`${revision} ${file.path}`, 64),
  }));
  const list = tarOf('opt/weighbridge/model.json', JSON.stringify({ files: listed }));
  const base = Array.from({ length: 24 }, (_, index) => ({
    mediaType: MediaType.ociLayerGzip,
    digest: digestOf(`${vllm} ${index}`),
    size: Math.round(((index % 5) + 1) * 130 * MIB * (index === 17 ? 9 : 1)),
  }));
  const own =
    variant === 'slim'
      ? [
          ourLayer(
            'bootstrap',
            [{ path: 'opt/weighbridge/model.json', size: list.contentSize }],
            digestOf(list.bytes),
            list.bytes.length,
          ),
          ourLayer('licenses', licenseFiles(), digestOf(`${facts.license} slim`), 14_336),
        ]
      : [
          ...weights.map(file => fileLayer('weights', [file], dir, revision)),
          fileLayer('files', small, dir, revision),
          ourLayer('licenses', licenseFiles(), digestOf(`${facts.license} fat`), 24_576),
        ];
  const layers = [...base, ...own];
  const config = Buffer.from(
    JSON.stringify({
      created,
      architecture: 'amd64',
      os: 'linux',
      config: {
        Env: [`MODEL_DIR=/${dir}`, ...(variant === 'slim' ? ['SERVE_ARGS=--host 0.0.0.0 --port 8000'] : [])],
        Entrypoint:
          variant === 'slim'
            ? ['/opt/weighbridge/bootstrap']
            : ['vllm', 'serve', `/${dir}`, '--port', '8000'],
        ExposedPorts: { '8000/tcp': {} },
        Labels: labels,
      },
      rootfs: { type: 'layers', diff_ids: layers.map(layer => layer.digest) },
      history: layers.map((_, index) => ({
        created_by:
          index < base.length
            ? `RUN /bin/sh -c step ${index + 1} of the vLLM image # buildkit`
            : 'weighbridge',
      })),
    }),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: { mediaType: MediaType.ociConfig, digest: digestOf(config), size: config.length },
    layers,
    annotations: labels,
  };
  return {
    blobs: [config, ...(variant === 'slim' ? [list.bytes] : [])],
    manifests: [{ mediaType: MediaType.ociManifest, bytes: Buffer.from(JSON.stringify(manifest)) }],
  };
}

function fileLayer(kind: string, files: readonly File[], dir: string, revision: string) {
  const size = files.reduce((sum, file) => sum + 1024 + Math.ceil(file.size / 512) * 512, 2048);
  const digest = digestOf(`${revision} ${files.map(file => file.path).join()}`);
  const named = files.map(file => ({
    ...file,
    path: `${dir}/${file.path}`,
    sha256: hex(`${revision} ${file.path}`, 64),
  }));
  return ourLayer(kind, named, digest, size);
}

/** As `layer-annotations.ts` writes them. */
function ourLayer(
  kind: string,
  files: readonly (File & { readonly sha256?: string })[],
  digest: Digest,
  size: number,
) {
  const rows = files.map(({ path: name, size: bytes, sha256 = hex(name, 64) }) => [
    name,
    bytes,
    0,
    `sha256:${sha256}`,
    sha256,
  ]);
  return {
    mediaType: MediaType.ociLayerTar,
    digest,
    size,
    annotations: {
      'io.weighbridge.layer.key': hex(digest, 64),
      'io.weighbridge.layer.kind': kind,
      'io.weighbridge.files': JSON.stringify(rows),
    },
  };
}

function licenseFiles(): File[] {
  return ['licenses/CC0', 'licenses/NOTICE', 'licenses/model/LICENSE'].map(name => ({
    path: name,
    size: 4_000,
  }));
}

function tarOf(name: string, text: string): { bytes: Buffer; contentSize: number } {
  const content = Buffer.from(text);
  const header = tarEntryHeader({ path: name, mode: 0o644, sizeBytes: content.length, type: 'file' });
  const bytes = Buffer.concat([header, content, Buffer.alloc(paddingFor(content.length)), END_OF_ARCHIVE]);
  return { bytes, contentSize: content.length };
}

function hex(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}
