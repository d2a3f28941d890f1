import { isDigest } from '../core/digest.ts';
import { RegistryError } from '../core/errors.ts';
import {
  describeJson,
  isRecord,
  isTextList,
  isTextMap,
  type JsonRecord,
  parseJson,
} from '../core/json-shape.ts';
import { quoted } from '../core/safe-text.ts';
import { otherReading } from './one-reading.ts';
import { matchesPlatform } from './reference.ts';
import {
  type Annotations,
  type Descriptor,
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

/**
 * Returns a manifest or index, read from `bytes`. `subject` names the image for the error, `mediaType` is what the
 * server said it sent. Throws RegistryError REGISTRY_BAD_ANSWER.
 */
export function parseManifest(bytes: Uint8Array, mediaType: string, subject: string): ParsedManifest {
  const value = parseObject(bytes, subject, 'manifest');
  // What the document says of itself goes before the header: a manifest must not be read in two ways.
  const type = typeof value.mediaType === 'string' ? value.mediaType : knownType(value, mediaType);
  if (value.schemaVersion === 1)
    throw badDocument(
      subject,
      "is of Docker's old schema 1: pull it and push it again with a current version",
    );
  if (value.schemaVersion !== 2)
    throw badDocument(subject, `has schemaVersion ${describeJson(value.schemaVersion)}, expected 2`);
  const common = commonFields(value, type, subject);
  if (INDEXES.includes(type) && Array.isArray(value.manifests)) {
    const manifests = value.manifests.map(entry => parseDescriptor(entry, subject));
    return { kind: 'index', index: { ...common, manifests } as unknown as Index };
  }
  if (MANIFESTS.includes(type) && Array.isArray(value.layers)) {
    const config = parseDescriptor(value.config, subject);
    const layers = value.layers.map(entry => parseDescriptor(entry, subject));
    return { kind: 'manifest', manifest: { ...common, config, layers } as unknown as Manifest };
  }
  throw badDocument(subject, `is of type ${quoted(type)}, which is neither an image manifest nor an index`);
}

/**
 * The type of a document that does not name it, as OCI's need not. Servers that know nothing of images say
 * `application/json` or `octet-stream`; then the fields tell, as for skopeo.
 */
function knownType(value: JsonRecord, mediaType: string): string {
  if (MANIFESTS.includes(mediaType) || INDEXES.includes(mediaType)) return mediaType;
  if (Array.isArray(value.manifests) && value.layers === undefined) return MediaType.ociIndex;
  if (Array.isArray(value.layers) && isRecord(value.config) && value.manifests === undefined)
    return MediaType.ociManifest;
  return mediaType;
}

/** Returns the index's entry for a platform; attestation manifests (`unknown/unknown`) are never it. */
export function findPlatform(index: Index, wanted: Platform): Descriptor | undefined {
  return index.manifests.find(({ platform }) => platform !== undefined && matchesPlatform(platform, wanted));
}

function commonFields(value: JsonRecord, mediaType: string, subject: string): JsonRecord {
  const { annotations, subject: refersTo, artifactType, ...rest } = value;
  return {
    ...rest,
    mediaType,
    ...checkedAnnotations(annotations, subject),
    ...(isWritten(refersTo) ? { subject: parseDescriptor(refersTo, subject) } : {}),
    ...(typeof artifactType === 'string' ? { artifactType } : {}),
  };
}

function parseDescriptor(value: unknown, subject: string): Descriptor {
  if (!isRecord(value)) throw badDescriptor(subject, `it is ${describeJson(value)}`);
  const { mediaType, digest, size, annotations, platform, urls, artifactType, ...rest } = value;
  if (typeof mediaType !== 'string') throw badDescriptor(subject, `mediaType ${describeJson(mediaType)}`);
  if (!isDigest(digest)) throw badDescriptor(subject, `digest ${describeJson(digest)}`);
  if (!Number.isSafeInteger(size) || (size as number) < 0)
    throw badDescriptor(subject, `size ${describeJson(size)}`);
  return {
    ...rest,
    mediaType,
    digest,
    size: size as number,
    ...checkedAnnotations(annotations, subject),
    ...(isPlatform(platform) ? { platform: checkedPlatform(platform) } : {}),
    ...(isTextList(urls) ? { urls } : {}),
    ...(typeof artifactType === 'string' ? { artifactType } : {}),
  };
}

function checkedAnnotations(value: unknown, subject: string): { annotations?: Annotations } {
  if (!isWritten(value)) return {};
  // A text that is `null` is an empty one in Go, which writes most of these.
  const hasNull = isRecord(value) && Object.values(value).includes(null);
  const texts = hasNull
    ? Object.fromEntries(Object.entries(value).map(([name, text]) => [name, text ?? '']))
    : value;
  if (!isTextMap(texts)) throw badDocument(subject, 'has annotations that are not a map of texts');
  return { annotations: texts };
}

/** Tools leave the platform of an entry out, or half of it; such an entry is for no platform. */
function isPlatform(value: unknown): value is JsonRecord & Platform {
  return isRecord(value) && typeof value.os === 'string' && typeof value.architecture === 'string';
}

function checkedPlatform(platform: JsonRecord & Platform): Platform {
  const { variant, ...rest } = platform;
  return typeof variant === 'string' ? { ...rest, variant } : rest;
}

function isWritten(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Returns the JSON object that `bytes` are. Throws RegistryError REGISTRY_BAD_ANSWER. */
export function parseObject(bytes: Uint8Array, subject: string, what: string): JsonRecord {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw badDocument(subject, `has a ${what} that is not JSON`, cause);
  }
  if (!isRecord(value)) throw badDocument(subject, `has a ${what} that is not an object`);
  const other = otherReading(text, value);
  if (other !== undefined)
    throw badDocument(subject, `has a ${what} that clients read in different ways: it has ${other}`);
  return value;
}

/** Returns the error for a document that is not what it should be. */
export function badDocument(subject: string, what: string, cause?: unknown): RegistryError {
  return new RegistryError(`${subject} ${what}`, { code: 'REGISTRY_BAD_ANSWER', subject, cause });
}

function badDescriptor(subject: string, what: string): RegistryError {
  return badDocument(subject, `has an invalid descriptor: ${what}`);
}
