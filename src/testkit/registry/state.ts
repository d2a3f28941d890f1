import type { Digest } from '../../core/digest.ts';
import { isRepository } from '../../oci/reference.ts';
import type { SignedOrigin } from '../server/signed-origin.ts';
import type { BlobStore, StoredBlob } from './blob-store.ts';
import { problem } from './problem.ts';
import type { RegistryQuirks } from './quirks.ts';
import { newRepository, type RegistryRepository } from './repository.ts';
import type { UploadSession } from './upload-session.ts';

/** What the requests of one registry share. */
export interface RegistryState {
  readonly quirks: RegistryQuirks;
  readonly blobs: BlobStore;
  readonly repositories: Map<string, RegistryRepository>;
  readonly uploads: Map<string, UploadSession>;
  readonly cdn: SignedOrigin;
  readonly counters: Counters;
}

/** What has been asked of the embedded registry, in numbers. */
export interface Counters {
  /** Bytes of blobs that requests brought, finished or not. */
  uploadedBytes: number;
  uploadsStarted: number;
  mounts: number;
  manifestsPut: number;
  /** Requests that carried a login to where uploads are, which is another origin. */
  leakedTokens: number;
}

/**
 * Returns the repository, made if there is none: writing to a registry needs no ceremony. Throws the registry's refusal
 * NAME_INVALID.
 */
export function repositoryFor(state: RegistryState, name: string): RegistryRepository {
  if (!isRepository(name)) throw problem(400, 'NAME_INVALID', 'invalid repository name');
  const repository = state.repositories.get(name) ?? newRepository(name);
  state.repositories.set(name, repository);
  return repository;
}

/** Returns the blob as this repository may show it. */
export function blobOf(state: RegistryState, name: string, digest: Digest): StoredBlob | undefined {
  return state.repositories.get(name)?.blobs.has(digest) ? state.blobs.get(digest) : undefined;
}
