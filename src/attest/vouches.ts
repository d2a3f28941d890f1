import { type Digest, hexOf } from '../core/digest.ts';
import { isAbort, WeighbridgeError } from '../core/errors.ts';
import type { ImageStore } from '../store/image-store.ts';
import { kindOf, type Statement } from './statement.ts';
import { listStatements, readStoredBundle } from './stored-statements.ts';
import { type TrustedSigner, verifyBundle } from './verify-bundle.ts';

/** Signatures that are read of one manifest: strangers can attach as many as they like. */
const MAX_READ = 8;

/**
 * Returns whether the trusted signer has signed a manifest or an index: an image signature, about this digest. What
 * cannot be read or verified counts for nothing. Throws RegistryError if the registry cannot be asked.
 */
export async function isSignedBy(
  trusted: TrustedSigner,
  store: ImageStore,
  manifest: Digest,
  signal?: AbortSignal,
): Promise<boolean> {
  const stored = await listStatements(store, manifest, signal);
  for (const one of stored.filter(({ kind }) => kind === 'image').slice(0, MAX_READ)) {
    try {
      const bytes = await readStoredBundle(store, one, { signal });
      if (isImageSignature(verifyBundle(bytes, trusted, store.name).statement, manifest)) return true;
    } catch (error) {
      if (isAbort(error) || signal?.aborted || !(error instanceof WeighbridgeError)) throw error;
    }
  }
  return false;
}

function isImageSignature({ predicateType, subject }: Statement, manifest: Digest): boolean {
  return kindOf(predicateType) === 'image' && subject.some(({ digest }) => digest.sha256 === hexOf(manifest));
}
