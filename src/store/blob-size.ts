import type { Digest } from '../core/digest.ts';
import { RegistryError } from '../core/errors.ts';
import type { ImageStore } from './image-store.ts';

/**
 * The size of a blob that a store holds; undefined if it holds none, or cannot say. Docker's registry whose disk was
 * full is left with records of blobs that it fails to read (500), and bringing the blob again is what mends them.
 * Throws RegistryError if it cannot be asked.
 */
export async function storedSize(
  store: ImageStore,
  digest: Digest,
  signal?: AbortSignal,
): Promise<number | undefined> {
  try {
    return await store.statBlob(digest, signal);
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'REGISTRY_BAD_ANSWER') return undefined;
    throw error;
  }
}
