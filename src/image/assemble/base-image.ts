import { readAll } from '../../core/byte-source.ts';
import { type Digest, digestOf } from '../../core/digest.ts';
import { IntegrityError, RegistryError } from '../../core/errors.ts';
import { plainLine } from '../../core/text.ts';
import type { BaseImage } from '../../oci/image.ts';
import { parseImageConfig } from '../../oci/image-config.ts';
import { findPlatform, parseManifest } from '../../oci/parse.ts';
import { formatPlatform, parsePlatform, parseReference } from '../../oci/reference.ts';
import { type Descriptor, type Manifest, MediaType, type Platform } from '../../oci/types.ts';
import type { ImageStore, StoredManifest } from '../../store/image-store.ts';

const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
/** An index may list indexes; nobody is known to nest them deeper than once. */
const MAX_INDEX_DEPTH = 4;
const MAX_INDEXES = 32;
const OWN_PREFIX = 'io.weighbridge.';

/** Reads a base image's manifest and config for a platform; its layers stay where they are. */
export async function resolveBaseImage(
  reference: string,
  platformText: string,
  openBase: (repositoryName: string) => ImageStore,
  signal?: AbortSignal,
): Promise<BaseImage> {
  const { registry, repository, tag, digest } = parseReference(reference);
  const store = openBase(`${registry}/${repository}`);
  const platform = parsePlatform(platformText);
  const top = await store.getManifest(digest ?? tag ?? 'latest', signal);
  if (top === undefined) throw notFound(reference);
  const search = {
    store,
    platform,
    reference,
    signal,
    seen: new Set([top.digest]),
    offered: new Set<string>(),
  };
  const chosen = await findManifest(top, 0, search);
  if (chosen === undefined) throw platformMissing(reference, platformText, [...search.offered]);
  const { manifest } = chosen;
  const configBytes = await readAll(store.openBlob(manifest.config), MAX_CONFIG_BYTES, signal);
  if (digestOf(configBytes) !== manifest.config.digest) {
    throw new IntegrityError(`the config of base image ${reference} is not what its manifest says`, {
      code: 'INTEGRITY_HASH',
      subject: reference,
    });
  }
  const config = parseImageConfig(configBytes, `base image ${reference}`);
  if (config.os !== platform.os || config.architecture !== platform.architecture) {
    throw platformMissing(reference, platformText, [`${config.os}/${config.architecture}`]);
  }
  if (config.rootfs.diff_ids.length !== manifest.layers.length) {
    throw new RegistryError(
      `base image ${reference} has ${manifest.layers.length} layers and ${config.rootfs.diff_ids.length} diff_ids`,
      { code: 'REGISTRY_BAD_ANSWER', subject: reference },
    );
  }
  return {
    reference,
    digest: chosen.digest,
    storeName: store.name,
    platform,
    config,
    layers: manifest.layers.map(withoutOwnMarks),
  };
}

/** A search for the manifest of a platform. */
interface PlatformSearch {
  readonly store: ImageStore;
  readonly platform: Platform;
  /** Of the base image, for errors. */
  readonly reference: string;
  readonly signal: AbortSignal | undefined;
  /** What has been read: no index is read twice. */
  readonly seen: Set<Digest>;
  /** Platforms that there are. */
  readonly offered: Set<string>;
}

interface PlatformManifest {
  readonly digest: Digest;
  readonly manifest: Manifest;
}

/** The platform's manifest in `stored` or in what it lists; an index may list indexes. */
async function findManifest(
  stored: StoredManifest,
  depth: number,
  search: PlatformSearch,
): Promise<PlatformManifest | undefined> {
  const { store, platform, reference, signal, seen, offered } = search;
  const parsed = parseManifest(stored.bytes, stored.mediaType, `base image ${reference}`);
  if (parsed.kind === 'manifest') return { digest: stored.digest, manifest: parsed.manifest };
  if (depth >= MAX_INDEX_DEPTH) return undefined;
  const { manifests } = parsed.index;
  for (const child of manifests) {
    if (child.platform !== undefined && child.platform.os !== 'unknown')
      offered.add(formatPlatform(child.platform));
  }
  const own = findPlatform(parsed.index, platform);
  const children = own === undefined ? manifests.filter(isNestedIndex) : [own];
  for (const { digest } of children) {
    if (seen.has(digest) || seen.size >= MAX_INDEXES) continue;
    seen.add(digest);
    const child = await store.getManifest(digest, signal);
    if (child === undefined) throw notFound(`${reference} (${formatPlatform(platform)}, ${digest})`);
    const found = await findManifest(child, depth + 1, search);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** It names no platform: those are one level down. */
function isNestedIndex({ mediaType, platform }: Descriptor): boolean {
  return platform === undefined && (mediaType === MediaType.ociIndex || mediaType === MediaType.dockerIndex);
}

/** A base image does not say which of its layers are ours: what Weighbridge writes about its own layers is left out. */
function withoutOwnMarks(layer: Descriptor): Descriptor {
  const { annotations, ...rest } = layer;
  if (annotations === undefined) return layer;
  const kept = Object.entries(annotations).filter(([name]) => !name.startsWith(OWN_PREFIX));
  return { ...rest, annotations: Object.fromEntries(kept) };
}

function notFound(reference: string): RegistryError {
  return new RegistryError(`the base image ${reference} does not exist`, {
    code: 'BASE_NOT_FOUND',
    subject: reference,
    remedy: 'Check `base_image` in models.yaml, and the login where the image is private.',
  });
}

function platformMissing(reference: string, wanted: string, offered: readonly string[]): RegistryError {
  const has =
    offered.length > 0
      ? `it has ${offered.map(name => plainLine(name)).join(', ')}`
      : 'it has none that fits';
  return new RegistryError(`the base image ${reference} is not there for ${wanted}: ${has}`, {
    code: 'BASE_PLATFORM_MISSING',
    subject: reference,
    remedy: 'Change `arch` or `base_image` in models.yaml.',
  });
}
