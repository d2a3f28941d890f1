import { type Digest, digestOf, isDigest } from '../core/digest.ts';
import { IntegrityError, RegistryError } from '../core/errors.ts';
import { parseJson } from '../core/json-shape.ts';
import { type ParsedManifest, parseManifest } from '../oci/parse.ts';
import { isTag } from '../oci/reference.ts';
import { type Descriptor, MediaType } from '../oci/types.ts';
import type { StoredManifest } from './image-store.ts';

/** Returns the media type that bytes of a manifest have; undefined if they are no manifest. */
export function manifestType(bytes: Buffer): string | undefined {
  let json: unknown;
  try {
    json = parseJson(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
  const { schemaVersion, mediaType, manifests } = (json ?? {}) as Record<string, unknown>;
  if (schemaVersion !== 2) return undefined;
  if (typeof mediaType === 'string') return mediaType;
  // OCI says that a manifest should name its type, not that it must.
  return manifests === undefined ? MediaType.ociManifest : MediaType.ociIndex;
}

/**
 * Does what a registry does on a manifest's arrival: the bytes match the digest, the reference is a tag or that digest,
 * and everything it names is there. Returns the manifest's content. Throws IntegrityError INTEGRITY_HASH, RegistryError
 * REGISTRY_BAD_ANSWER.
 */
export async function checkArrival(
  store: string,
  reference: string,
  stored: StoredManifest,
  has: (digest: Digest) => Promise<boolean>,
): Promise<ParsedManifest> {
  const actual = digestOf(stored.bytes);
  const expected = isDigest(reference) ? reference : stored.digest;
  if (stored.digest !== actual || expected !== actual) {
    throw new IntegrityError(`a manifest for ${store} should be ${expected} and is ${actual}`, {
      code: 'INTEGRITY_HASH',
      subject: store,
    });
  }
  if (!isTag(reference) && !isDigest(reference)) throw refused(store, `${reference} is not a tag`);
  const parsed = parseManifest(stored.bytes, stored.mediaType, `the manifest for ${store}`);
  for (const { digest } of referencesOf(parsed)) {
    if (!(await has(digest))) throw refused(store, `it names ${digest}, which is not there`);
  }
  return parsed;
}

function referencesOf(parsed: ParsedManifest): readonly Descriptor[] {
  if (parsed.kind === 'index') return parsed.index.manifests;
  const { config, layers } = parsed.manifest;
  // A layer with addresses of its own is not kept with the image.
  return [config, ...layers.filter(({ urls }) => urls === undefined)];
}

function refused(store: string, why: string): RegistryError {
  return new RegistryError(`${store} does not take the manifest: ${why}`, {
    code: 'REGISTRY_BAD_ANSWER',
    subject: store,
  });
}
