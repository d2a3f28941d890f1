import type { ByteSource } from '../../src/core/byte-source.ts';
import type { Descriptor } from '../../src/oci/types.ts';
import type { ImageStore } from '../../src/store/image-store.ts';

/** Puts a blob into a store unless it is there. The store checks its digest. Throws RegistryError. */
export async function putBlob(
  store: ImageStore,
  { digest, size }: Descriptor,
  source: ByteSource,
): Promise<void> {
  if ((await store.statBlob(digest)) === size) return;
  const upload = await store.startUpload({ sizeBytes: size, digest });
  try {
    for await (const chunk of source.open({ start: 0 })) await upload.write(chunk);
    await upload.commit(digest);
  } catch (error) {
    await upload.abort();
    throw error;
  }
}

/** Copies a blob between stores; within a registry it is mounted where that is allowed. Throws RegistryError. */
export async function copyBlob(from: ImageStore, to: ImageStore, descriptor: Descriptor): Promise<void> {
  if ((await to.statBlob(descriptor.digest)) === descriptor.size) return;
  if (await to.mountBlob(descriptor, from.name)) return;
  await putBlob(to, descriptor, from.openBlob(descriptor));
}
