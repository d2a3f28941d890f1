import { gzipSync } from 'node:zlib';
import { type Digest, digestOf } from '../core/digest.ts';
import { END_OF_ARCHIVE, paddingFor, tarEntryHeader } from '../oci/tar-header.ts';
import { type Descriptor, type ImageConfig, MediaType, type Platform } from '../oci/types.ts';
import { pushImage } from './push-image.ts';
import type { EmbeddedRegistry, ReadyImage } from './registry.ts';

/** What a base image for tests is like. */
export interface BaseImageOptions {
  /** Default 'oci'; 'docker' is schema 2. */
  readonly format?: 'oci' | 'docker';
  /** More than one, or `hasIndex`, makes an index. Default linux/amd64. */
  readonly platforms?: readonly Platform[];
  readonly hasIndex?: boolean;
  /** Of the older vLLM images; the newer ones have `["vllm", "serve"]`. */
  readonly entrypoint?: readonly string[];
  readonly env?: readonly string[];
  readonly user?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Further files by path (`usr/bin/tool`), each group a layer; `mode` by `{content, mode}`. */
  readonly layers?: readonly Readonly<Record<string, LayerFile>>[];
  /** Makes images that are alike differ, as those of two vLLM versions do. */
  readonly version?: string;
}

type LayerFile = string | Uint8Array | { readonly content: string | Uint8Array; readonly mode: number };

/**
 * Puts a small stand-in for a vLLM image into a registry: the embedded one itself, or any that takes pushes at `url`
 * without a login. Returns the digest that the tag names.
 */
export async function makeBaseImage(
  registry: EmbeddedRegistry | string,
  repository: string,
  tag: string,
  options: BaseImageOptions = {},
): Promise<Digest> {
  const image = buildBaseImage(options);
  if (typeof registry !== 'string') return registry.putImage(repository, tag, image);
  return await pushImage(registry, repository, tag, image);
}

/** Returns the image as bytes: what refers to others comes last. */
export function buildBaseImage(options: BaseImageOptions = {}): ReadyImage {
  const { platforms = [{ os: 'linux', architecture: 'amd64' }] } = options;
  const types = typesOf(options.format ?? 'oci');
  const blobs: Buffer[] = [];
  const manifests: { mediaType: string; bytes: Buffer }[] = [];
  const entries: Descriptor[] = [];
  for (const platform of platforms) {
    const tars = [baseFiles(options, platform), ...(options.layers ?? [])].map(makeTar);
    const zipped = tars.map(tar => gzipSync(tar));
    const config = json(imageConfig(options, platform, tars));
    blobs.push(...zipped, config);
    const manifest = json({
      schemaVersion: 2,
      mediaType: types.manifest,
      config: describe(types.config, config),
      layers: zipped.map(layer => describe(types.layer, layer)),
    });
    manifests.push({ mediaType: types.manifest, bytes: manifest });
    entries.push({ ...describe(types.manifest, manifest), platform });
  }
  if (platforms.length > 1 || options.hasIndex) {
    const index = { schemaVersion: 2, mediaType: types.index, manifests: entries };
    manifests.push({ mediaType: types.index, bytes: json(index) });
  }
  return { blobs, manifests };
}

function typesOf(format: 'oci' | 'docker') {
  return format === 'oci'
    ? {
        index: MediaType.ociIndex,
        manifest: MediaType.ociManifest,
        config: MediaType.ociConfig,
        layer: MediaType.ociLayerGzip,
      }
    : {
        index: MediaType.dockerIndex,
        manifest: MediaType.dockerManifest,
        config: MediaType.dockerConfig,
        layer: MediaType.dockerLayerGzip,
      };
}

function baseFiles(options: BaseImageOptions, { os, architecture }: Platform): Record<string, string> {
  return {
    'etc/os-release':
      'PRETTY_NAME="Stand-in base image"\nNAME="Stand-in"\nID=stand-in\nVERSION_ID="1"\nHOME_URL="https://example.org/"\n',
    'vllm-workspace/README.txt': `This image stands in for vllm/vllm-openai${options.version === undefined ? '' : `:${options.version}`} (${os}/${architecture}).
It has the shape of the real one and none of its programs: it can be published and looked at, not run.
`,
  };
}

function imageConfig(options: BaseImageOptions, platform: Platform, tars: readonly Buffer[]): ImageConfig {
  const created = '2026-01-01T00:00:00Z';
  return {
    created,
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    config: {
      ...(options.user === undefined ? {} : { User: options.user }),
      Env: options.env ?? [
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        'LD_LIBRARY_PATH=/usr/local/nvidia/lib:/usr/local/nvidia/lib64',
        'VLLM_USAGE_SOURCE=production-docker-image',
      ],
      Entrypoint: options.entrypoint ?? ['python3', '-m', 'vllm.entrypoints.openai.api_server'],
      WorkingDir: '/vllm-workspace',
      Labels: options.labels ?? { maintainer: 'stand-in', 'org.opencontainers.image.title': 'stand-in base' },
    },
    rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
    history: [
      ...tars.map((_, index) => ({ created, created_by: `stand-in layer ${index + 1}` })),
      { created, created_by: 'ENTRYPOINT', empty_layer: true },
    ],
  };
}

function makeTar(files: Readonly<Record<string, LayerFile>>): Buffer {
  const parts: Buffer[] = [];
  const folders = new Set(Object.keys(files).flatMap(parentsOf));
  for (const folder of [...folders].sort()) {
    parts.push(tarEntryHeader({ path: folder, mode: 0o755, sizeBytes: 0, type: 'directory' }));
  }
  for (const [path, file] of Object.entries(files)) {
    const { content, mode } =
      typeof file === 'object' && 'mode' in file ? file : { content: file, mode: 0o644 };
    const bytes = typeof content === 'string' ? Buffer.from(content) : Buffer.from(content);
    parts.push(tarEntryHeader({ path, mode, sizeBytes: bytes.length, type: 'file' }));
    parts.push(bytes, Buffer.alloc(paddingFor(bytes.length)));
  }
  return Buffer.concat([...parts, END_OF_ARCHIVE]);
}

function parentsOf(path: string): string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join('/'));
}

function describe(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
