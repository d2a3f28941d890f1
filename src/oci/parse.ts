import { type Digest, isDigest } from '../core/digest.ts';
import { RegistryError } from '../core/errors.ts';
import { matchesPlatform } from './reference.ts';
import {
  type Descriptor,
  type ImageConfig,
  type Index,
  type Manifest,
  MediaType,
  type Platform,
} from './types.ts';

/** A manifest or index that came from outside, with everything that is relied upon checked. */
export type ParsedManifest =
  | { readonly kind: 'manifest'; readonly manifest: Manifest }
  | { readonly kind: 'index'; readonly index: Index };

const MANIFESTS: readonly string[] = [MediaType.ociManifest, MediaType.dockerManifest];
const INDEXES: readonly string[] = [MediaType.ociIndex, MediaType.dockerIndex];

/** `subject` names the image for the error, `mediaType` is what the server said it sent. */
export function parseManifest(bytes: Uint8Array, mediaType: string, subject: string): ParsedManifest {
  const value = parseObject(bytes, subject, 'manifest');
  // What the document says of itself goes before the header: a manifest must not be read in two ways.
  const type = typeof value.mediaType === 'string' ? value.mediaType : mediaType;
  if (value.schemaVersion !== 2)
    throw bad(subject, `has schemaVersion ${JSON.stringify(value.schemaVersion)}, expected 2`);
  if (INDEXES.includes(type) && Array.isArray(value.manifests)) {
    value.manifests.forEach(descriptor => {
      checkDescriptor(descriptor, subject);
    });
    return { kind: 'index', index: { ...value, mediaType: type } as unknown as Index };
  }
  if (MANIFESTS.includes(type) && Array.isArray(value.layers)) {
    [value.config, ...value.layers].forEach(descriptor => {
      checkDescriptor(descriptor, subject);
    });
    return { kind: 'manifest', manifest: { ...value, mediaType: type } as unknown as Manifest };
  }
  throw bad(subject, `is of type ${JSON.stringify(type)}, which is neither an image manifest nor an index`);
}

/** An image's config, with `rootfs`, `os` and `architecture` checked. */
export function parseImageConfig(bytes: Uint8Array, subject: string): ImageConfig {
  const value = parseObject(bytes, subject, 'config');
  const rootfs = value.rootfs as { diff_ids?: unknown } | undefined;
  if (!Array.isArray(rootfs?.diff_ids) || !rootfs.diff_ids.every(isDigest))
    throw bad(subject, 'has no valid rootfs.diff_ids');
  if (typeof value.os !== 'string' || typeof value.architecture !== 'string')
    throw bad(subject, 'names no platform');
  return value as unknown as ImageConfig;
}

/** The index's entry for a platform; attestation manifests (`unknown/unknown`) are never it. */
export function findPlatform(index: Index, wanted: Platform): Descriptor | undefined {
  return index.manifests.find(({ platform }) => platform !== undefined && matchesPlatform(platform, wanted));
}

function checkDescriptor(value: unknown, subject: string): void {
  const { mediaType, digest, size } = (value ?? {}) as Partial<Descriptor>;
  if (
    typeof mediaType !== 'string' ||
    !isDigest(digest as Digest) ||
    !Number.isSafeInteger(size) ||
    (size as number) < 0
  ) {
    throw bad(subject, `has a descriptor that is not valid: ${JSON.stringify(value)?.slice(0, 200)}`);
  }
}

function parseObject(bytes: Uint8Array, subject: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw bad(subject, `has a ${what} that is not JSON`, cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad(subject, `has a ${what} that is no object`);
  return value as Record<string, unknown>;
}

function bad(subject: string, what: string, cause?: unknown): RegistryError {
  return new RegistryError(`${subject} ${what}`, { code: 'REGISTRY_BAD_ANSWER', subject, cause });
}
