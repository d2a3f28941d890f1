import { digestOf } from '../../core/digest.ts';
import type { Descriptor } from '../../oci/types.ts';
import type { ImageStore } from '../image-store.ts';

/** Puts a text into a store, and returns its descriptor. */
export async function putBlob(store: ImageStore, content: string, mediaType: string): Promise<Descriptor> {
  const bytes = Buffer.from(content);
  const upload = await store.startUpload({ sizeBytes: bytes.length });
  await upload.write(bytes);
  await upload.commit(digestOf(bytes));
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}
