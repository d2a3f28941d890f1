import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PredicateType } from '../../src/attest/statement.ts';
import { statementAnnotations } from '../../src/attest/stored-statements.ts';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import { GIB, MIB } from '../../src/core/units.ts';
import { END_OF_ARCHIVE, paddingFor, tarEntryHeader } from '../../src/oci/tar-header.ts';
import { MediaType } from '../../src/oci/types.ts';
import { SCAN_ARTIFACT_TYPE, scanAnnotations } from '../../src/scan/scan-referrer.ts';
import type { EmbeddedRegistry } from '../../src/testkit/registry.ts';

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
    const labels = {
      'io.weighbridge.model.parameters': String(Math.round(kind.size * 1e9)),
      'io.weighbridge.model.precision': 'bf16',
      'io.weighbridge.model.context-length': String([8192, 32768, 131072][index % 3]),
      'io.weighbridge.model.task': 'generate',
    };
    putModel(registry, `${prefix}/hf-${short}`, { ...kind, id, short, seed: index, labels });
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

/** A model as a registry is to have it. */
export interface WorldModel extends SampleModel {
  readonly license: string;
  /** Billions of parameters, of two bytes each. */
  readonly size: number;
  readonly isFat: boolean;
  readonly seed: number;
  /** Of the newest image; default of its own. */
  readonly revision?: string;
  /** Bytes of a value of the weights. Default 2. */
  readonly valueBytes?: number;
  /** Releases of vLLM, the oldest first. Default two. */
  readonly versions?: readonly string[];
  /** Labels besides the usual ones. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly serveArgs?: readonly string[];
  readonly isSigned?: boolean;
  readonly variants?: readonly WorldVariant[];
}

export type WorldVariant = 'slim' | 'fat' | 'weights';

interface Version {
  readonly vllm: string;
  readonly created: string;
  readonly revision: string;
}

/** Puts a model's images, scans and signatures into a repository. */
export function putModel(registry: EmbeddedRegistry, repository: string, facts: WorldModel): void {
  const { seed, versions = ['v0.9.2', `v0.1${seed % 3}.0`] } = facts;
  for (const [index, vllm] of versions.entries()) {
    const isNewest = index === versions.length - 1;
    const month = String(Math.max(1, 10 - versions.length + index - (seed % 3))).padStart(2, '0');
    const version: Version = {
      vllm,
      created: index === 0 ? '2025-11-03T10:00:00Z' : `2026-${month}-15T10:00:00Z`,
      revision: isNewest ? (facts.revision ?? hex(`${facts.id} new`, 40)) : hex(`${facts.id} old`, 40),
    };
    for (const variant of facts.variants ?? (facts.isFat ? ['slim', 'fat'] : ['slim'])) {
      const image = imageOf(facts, version, variant);
      registry.putImage(repository, `${version.vllm}-${variant}`, image);
      const digest = registry.putImage(repository, `r${version.revision}-${variant}`, image);
      // Most have been scanned.
      const about = { digest, size: lastSize(image), seed };
      putReferrers(registry, repository, about, [
        ...(seed % 4 === 3 ? [] : [scanOf(seed)]),
        ...(facts.isSigned === true ? STATEMENTS : []),
      ]);
    }
  }
}

function lastSize({ manifests }: ReturnType<typeof imageOf>): number {
  return manifests.at(-1)?.bytes.length ?? 0;
}

interface Referrer {
  readonly artifactType: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A scan as `weighbridge scan` attaches it. */
function scanOf(seed: number): Referrer {
  return {
    artifactType: SCAN_ARTIFACT_TYPE,
    annotations: scanAnnotations({
      scanner: 'trivy 0.74.0',
      databaseDate: '2026-11-24T00:00:00Z',
      scannedAt: '2026-11-24T08:00:00Z',
      baseDigest: null,
      vulnerabilities: {
        CRITICAL: seed % 3,
        HIGH: seed % 17,
        MEDIUM: 40 + (seed % 30),
        LOW: 103,
        UNKNOWN: 0,
      },
      fixable: seed % 11,
      secrets: 0,
      misconfigurations: 1,
    }),
  };
}

/** As `weighbridge sign` attaches them; what they say is not read by a catalog. */
const STATEMENTS: readonly Referrer[] = (['image', 'provenance', 'bom', 'license', 'model'] as const).map(
  kind => ({
    artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    annotations: statementAnnotations(
      { predicateType: PredicateType[kind], payload: Buffer.from(kind), signer: 'key' },
      { digest: digestOf(kind), size: kind.length },
    ),
  }),
);

/** Under the tag that clients keep where a registry lists no referrers. */
function putReferrers(
  registry: EmbeddedRegistry,
  repository: string,
  { digest, size }: { readonly digest: Digest; readonly size: number },
  referrers: readonly Referrer[],
): void {
  if (referrers.length === 0) return;
  const empty = Buffer.from('{}');
  const config = { mediaType: MediaType.ociEmpty, digest: digestOf(empty), size: empty.length };
  const manifests = referrers.map(({ artifactType, annotations }) =>
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MediaType.ociManifest,
        artifactType,
        config,
        layers: [config],
        subject: { mediaType: MediaType.ociManifest, digest, size },
        annotations,
      }),
    ),
  );
  const listed = manifests.map((bytes, index) => ({
    mediaType: MediaType.ociManifest,
    digest: digestOf(bytes),
    size: bytes.length,
    ...referrers[index],
  }));
  const index = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: listed }),
  );
  registry.putImage(repository, digest.replace(':', '-'), {
    blobs: [empty],
    manifests: [
      ...manifests.map(bytes => ({ mediaType: MediaType.ociManifest, bytes })),
      { mediaType: MediaType.ociIndex, bytes: index },
    ],
  });
}

interface File {
  readonly path: string;
  readonly size: number;
}

function filesOf({ size, valueBytes = 2 }: WorldModel): { weights: File[]; small: File[] } {
  const total = Math.round(size * valueBytes * 1e9);
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

function imageOf(facts: WorldModel, { vllm, created, revision }: Version, variant: WorldVariant) {
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
    'io.weighbridge.model.license': facts.license,
    ...facts.labels,
  };
  const { serveArgs = ['--host', '0.0.0.0', '--port', '8000'] } = facts;
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
  const layers = variant === 'weights' ? own : [...base, ...own];
  const config = Buffer.from(
    JSON.stringify({
      created,
      architecture: 'amd64',
      os: 'linux',
      config: {
        Env: [`MODEL_DIR=/${dir}`, ...(variant === 'fat' ? [] : [`SERVE_ARGS=${serveArgs.join(' ')}`])],
        Entrypoint:
          variant === 'slim'
            ? ['/opt/weighbridge/bootstrap']
            : ['vllm', 'serve', `/${dir}`, '--served-model-name', facts.id, ...serveArgs],
        ExposedPorts: { '8000/tcp': {} },
        Labels: labels,
      },
      rootfs: { type: 'layers', diff_ids: layers.map(layer => layer.digest) },
      history: layers.map((_, index) => ({
        created_by:
          index < base.length && variant !== 'weights'
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
