import type { Digest } from '../core/digest.ts';
import { RegistryError } from '../core/errors.ts';
import type { ImageStore } from './image-store.ts';

/**
 * Returns the size in bytes of a blob in a store; undefined if it has none, or cannot say. Docker's registry whose disk
 * was full is left with records of blobs that it fails to read (500), and bringing the blob again mends them. Throws
 * RegistryError if the store cannot be asked.
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
