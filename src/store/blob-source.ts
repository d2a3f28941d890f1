import type { ByteSource, OpenOptions } from '../core/byte-source.ts';
import type { Digest } from '../core/digest.ts';
import { RegistryError } from '../core/errors.ts';
import type { Descriptor } from '../oci/types.ts';

/** Returns a blob of a store as a source of bytes; `read` gives those from `start` on. */
export function blobSource(
  store: string,
  descriptor: Descriptor,
  read: (options: OpenOptions) => AsyncIterable<Uint8Array>,
): ByteSource {
  return { name: `${store}@${descriptor.digest}`, sizeBytes: descriptor.size, open: read };
}

/** Returns the error for a blob that is to be read and does not exist: REGISTRY_NOT_FOUND. */
export function missingBlob(store: string, digest: Digest): RegistryError {
  return new RegistryError(`${store} has no blob ${digest}`, { code: 'REGISTRY_NOT_FOUND', subject: store });
}
