import { type Digest, digestOf } from '../core/digest.ts';
import { table } from '../core/table.ts';
import { completeHistory } from './history.ts';
import {
  type Annotations,
  type Descriptor,
  type HistoryEntry,
  type ImageConfig,
  type Index,
  type Manifest,
  MediaType,
  type Platform,
} from './types.ts';

/** The image that another is built on: its layers stay as they are, its config is the start of the new one. */
export interface BaseImage {
  /** As the user named it. */
  readonly reference: string;
  /** Of the platform's manifest. */
  readonly digest: Digest;
  /** The store that holds its blobs: `docker.io/vllm/vllm-openai`. */
  readonly storeName: string;
  readonly platform: Platform;
  readonly config: ImageConfig;
  readonly layers: readonly Descriptor[];
}

/** A layer that is added to an image. */
export interface NewLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  /** What made it, for `docker history`. */
  readonly createdBy: string;
}

/** What an image is to have besides its base's. */
export interface ImageSpec {
  readonly base: BaseImage;
  /** Layers that go below those of the base; none if absent. */
  readonly below?: readonly NewLayer[];
  readonly layers: readonly NewLayer[];
  /** Set or replaced in the base's environment, in this order. */
  readonly env: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  /** `8000/tcp` */
  readonly exposedPorts: readonly string[];
  /** Written as the config's labels (over the base's) and as the manifest's annotations. */
  readonly labels: Annotations;
}

/** A document that has been serialised: these bytes are what the digest is of. */
export interface Document {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

/** The documents of a finished image. */
export interface BuiltImage {
  readonly config: Document;
  readonly manifest: Document;
  readonly platform: Platform;
}

const AUTHOR = 'weighbridge';

/**
 * Returns the bytes of an image. A pure function: the same spec gives the same bytes, so nothing in here looks at a
 * clock.
 */
export function buildImage(spec: ImageSpec): BuiltImage {
  const { base, below = [] } = spec;
  const config = serialise(MediaType.ociConfig, buildConfig(spec));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: config.descriptor,
    layers: [
      ...below.map(layer => layer.descriptor),
      ...base.layers.map(toOciLayer),
      ...spec.layers.map(layer => layer.descriptor),
    ],
    annotations: sorted(spec.labels),
  };
  return { config, manifest: serialise(MediaType.ociManifest, manifest), platform: base.platform };
}

/** An image of files alone: nothing in it runs. */
export interface DataImageSpec {
  readonly platform: Platform;
  readonly created: string;
  readonly layers: readonly NewLayer[];
  readonly env: Readonly<Record<string, string>>;
  /** As of an `ImageSpec`. */
  readonly labels: Annotations;
}

/** Returns an image without a base and without a command, by a pure function of the spec. */
export function buildDataImage(spec: DataImageSpec): BuiltImage {
  const { platform, created, layers, labels } = spec;
  const config = serialise(MediaType.ociConfig, {
    created,
    author: AUTHOR,
    ...platform,
    config: { Env: mergeEnv([], spec.env), Labels: sorted(labels) },
    rootfs: { type: 'layers', diff_ids: layers.map(layer => layer.diffId) },
    history: historyOf(layers, created),
  });
  return { config, manifest: buildManifest(config, layers, labels), platform };
}

/** Returns a manifest of these layers over a config that is not an image's, with the type of artifact that it is. */
export function buildArtifact(
  artifactType: string,
  { mediaType, value }: { readonly mediaType: string; readonly value: unknown },
  layers: readonly NewLayer[],
  annotations: Annotations,
): BuiltImage {
  const config = serialise(mediaType, value);
  const manifest = buildManifest(config, layers, annotations, artifactType);
  return { config, manifest, platform: { os: 'unknown', architecture: 'unknown' } };
}

function buildManifest(
  config: Document,
  layers: readonly NewLayer[],
  annotations: Annotations,
  artifactType?: string,
): Document {
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    ...(artifactType === undefined ? {} : { artifactType }),
    config: config.descriptor,
    layers: layers.map(layer => layer.descriptor),
    annotations: sorted(annotations),
  };
  return serialise(MediaType.ociManifest, manifest);
}

/** Returns one index over the images of several platforms. */
export function buildIndex(images: readonly BuiltImage[], annotations: Annotations): Document {
  const index: Index = {
    schemaVersion: 2,
    mediaType: MediaType.ociIndex,
    manifests: images.map(({ manifest, platform }) => ({ ...manifest.descriptor, platform })),
    annotations: sorted(annotations),
  };
  return serialise(MediaType.ociIndex, index);
}

/** Returns when the image counts as created: the base's time, because a clock would give every run another digest. */
export function createdOf(base: BaseImage): string {
  return base.config.created ?? '1970-01-01T00:00:00Z';
}

function buildConfig(spec: ImageSpec): ImageConfig {
  const { base, below = [] } = spec;
  const created = createdOf(base);
  const { config: container = {}, variant } = base.config;
  const ports = Object.fromEntries(spec.exposedPorts.map(port => [port, {}]));
  // Fields that only a Docker build knows (container, docker_version, …) describe the base's making and stay behind.
  return {
    created,
    author: AUTHOR,
    architecture: base.config.architecture,
    os: base.config.os,
    ...(variant === undefined ? {} : { variant }),
    ...(base.config['os.version'] === undefined ? {} : { 'os.version': base.config['os.version'] }),
    config: {
      ...container,
      Env: mergeEnv(container.Env ?? [], spec.env),
      Entrypoint: spec.entrypoint,
      Cmd: [],
      ExposedPorts: { ...container.ExposedPorts, ...ports },
      Labels: sorted({ ...container.Labels, ...spec.labels }),
    },
    rootfs: {
      type: 'layers',
      diff_ids: [
        ...below.map(layer => layer.diffId),
        ...base.config.rootfs.diff_ids,
        ...spec.layers.map(layer => layer.diffId),
      ],
    },
    history: [
      ...historyOf(below, created),
      ...completeHistory(base.config.history ?? [], base.config.rootfs.diff_ids.length, created),
      ...historyOf(spec.layers, created),
    ],
  };
}

function historyOf(layers: readonly NewLayer[], created: string): HistoryEntry[] {
  return layers.map(layer => ({ created, created_by: layer.createdBy, author: AUTHOR }));
}

function mergeEnv(base: readonly string[], added: Readonly<Record<string, string>>): string[] {
  const kept = base.filter(entry => !((entry.split('=')[0] ?? '') in added));
  return [...kept, ...Object.entries(added).map(([name, value]) => `${name}=${value}`)];
}

/** An OCI manifest names layers by OCI's types; the blob is the same, and so is what its annotations say of it. */
function toOciLayer({ mediaType, digest, size, annotations }: Descriptor): Descriptor {
  const type = DOCKER_TO_OCI[mediaType] ?? mediaType;
  // eStargz and zstd:chunked keep the place of their tables there.
  const isAnnotated = annotations !== undefined && Object.keys(annotations).length > 0;
  return { mediaType: type, digest, size, ...(isAnnotated ? { annotations } : {}) };
}

/** https://github.com/containers/image/blob/main/manifest/docker_schema2.go has the types that no specification has. */
const DOCKER_TO_OCI = table<string>({
  [MediaType.dockerLayerTar]: MediaType.ociLayerTar,
  [MediaType.dockerLayerGzip]: MediaType.ociLayerGzip,
  'application/vnd.docker.image.rootfs.diff.tar.zstd': MediaType.ociLayerZstd,
  'application/vnd.docker.image.rootfs.foreign.diff.tar':
    'application/vnd.oci.image.layer.nondistributable.v1.tar',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip':
    'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
});

function serialise(mediaType: string, value: unknown): Document {
  const bytes = Buffer.from(JSON.stringify(value));
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
}

function sorted(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
