import { type Digest, digestOf, isDigest } from '../core/digest.ts';
import { IntegrityError, RegistryError } from '../core/errors.ts';
import { isTag } from '../oci/reference.ts';
import { type Descriptor, type Index, type Manifest, MediaType } from '../oci/types.ts';
import type { StoredManifest } from './image-store.ts';

/** What a manifest's bytes say of themselves; undefined where they are no manifest. */
export function readManifest(bytes: Buffer): Manifest | Index | undefined {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null || !('schemaVersion' in json)) return undefined;
  const { schemaVersion, mediaType } = json as { schemaVersion: unknown; mediaType?: unknown };
  if (schemaVersion !== 2) return undefined;
  const usual = 'manifests' in json ? MediaType.ociIndex : MediaType.ociManifest;
  return { ...json, mediaType: typeof mediaType === 'string' ? mediaType : usual } as Manifest | Index;
}

export function isIndex(manifest: Manifest | Index): manifest is Index {
  return 'manifests' in manifest;
}

/** The blobs and manifests that must be there before this one. */
export function referencesOf(manifest: Manifest | Index): Descriptor[] {
  if (isIndex(manifest)) return [...manifest.manifests];
  return [manifest.config, ...manifest.layers].filter(descriptor => descriptor.urls === undefined);
}

/**
 * Does what a registry does on a manifest's arrival: the bytes are the digest's, the reference is a tag or that digest,
 * and everything it names is there. Gives the manifest's content. Throws IntegrityError or RegistryError.
 */
export async function checkArrival(
  store: string,
  reference: string,
  stored: StoredManifest,
  has: (digest: Digest) => Promise<boolean>,
): Promise<Manifest | Index> {
  const actual = digestOf(stored.bytes);
  if (stored.digest !== actual || (isDigest(reference) && reference !== actual)) {
    throw new IntegrityError(`a manifest for ${store} should be ${stored.digest} and is ${actual}`, {
      code: 'INTEGRITY_HASH',
      subject: store,
    });
  }
  const manifest = readManifest(stored.bytes);
  if (manifest === undefined || !(isTag(reference) || isDigest(reference))) {
    throw refused(store, manifest === undefined ? 'it is no image manifest' : `${reference} is no tag`);
  }
  for (const { digest } of referencesOf(manifest)) {
    if (!(await has(digest))) throw refused(store, `it names ${digest}, which is not there`);
  }
  return manifest;
}

function refused(store: string, why: string): RegistryError {
  return new RegistryError(`${store} does not take the manifest: ${why}`, {
    code: 'REGISTRY_BAD_ANSWER',
    subject: store,
  });
}
