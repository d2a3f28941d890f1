import type { Digest } from '../../core/digest.ts';

/** A manifest that the embedded registry holds. */
export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Exactly as they were put. */
  readonly bytes: Buffer;
}

/** What one repository of the registry can show: a blob of another one is not there until it is mounted. */
export interface RegistryRepository {
  readonly name: string;
  readonly blobs: Set<Digest>;
  readonly manifests: Map<Digest, StoredManifest>;
  readonly tags: Map<string, Digest>;
}

/** Returns a repository with nothing in it. */
export function newRepository(name: string): RegistryRepository {
  return { name, blobs: new Set(), manifests: new Map(), tags: new Map() };
}

/** Returns a manifest by tag or digest; undefined if it is not there. */
export function findManifest(
  repository: RegistryRepository | undefined,
  reference: string,
): StoredManifest | undefined {
  const digest = repository?.tags.get(reference) ?? (reference as Digest);
  return repository?.manifests.get(digest);
}
