import { IntegrityError } from '../../core/errors.ts';
import type { Descriptor } from '../../oci/types.ts';
import { missingBlob } from '../blob-source.ts';
import type { ImageStore } from '../image-store.ts';

/** Throws RegistryError REGISTRY_NOT_FOUND if the blob is not in the store, IntegrityError INTEGRITY_SIZE if it has another size. */
export async function checkPresent(
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
