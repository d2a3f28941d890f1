import type { ByteSource } from '../../core/byte-source.ts';
import { IntegrityError } from '../../core/errors.ts';
import type { Descriptor } from '../../oci/types.ts';
import { blobSource, missingBlob } from '../blob-source.ts';
import type { ImageStore } from '../image-store.ts';

/** Returns a blob of a store on this machine. Before it is read, the store is asked whether it has it, and in that size. */
export function presentBlob(
  store: Pick<ImageStore, 'name' | 'statBlob'>,
  descriptor: Descriptor,
  read: (start: number, signal: AbortSignal | undefined) => AsyncIterable<Buffer>,
): ByteSource {
  return blobSource(store.name, descriptor, async function* ({ start, signal }) {
    await checkPresent(store, descriptor);
    yield* read(start, signal);
  });
}

/** Throws RegistryError REGISTRY_NOT_FOUND if the blob is not in the store, IntegrityError INTEGRITY_SIZE if it has another size. */
async function checkPresent(
  store: Pick<ImageStore, 'name' | 'statBlob'>,
  { digest, size }: Descriptor,
): Promise<void> {
  const present = await store.statBlob(digest);
  if (present === undefined) throw missingBlob(store.name, digest);
  if (present === size) return;
  throw new IntegrityError(`the blob ${digest} in ${store.name} has ${present} bytes, expected ${size}`, {
    code: 'INTEGRITY_SIZE',
    subject: store.name,
    remedy: 'Remove it and run the command again.',
  });
}
