import type { SealedImage } from '../../image/types.ts';
import type { Document } from '../../oci/image.ts';
import type { ImageStore, StoredManifest } from '../../store/image-store.ts';
import { putDocument } from '../../store/put-document.ts';

/**
 * Layers made with the image, config, manifest by digest, signatures, tags: in this order, after all layers are there, so that a tag never names an
 * image that is not whole. `beforeTags` is for the signatures. Returns the bytes uploaded.
 */
export async function pushImage(
  store: ImageStore,
  image: SealedImage,
  tags: readonly string[],
  options: { readonly beforeTags?: () => Promise<void>; readonly signal?: AbortSignal | undefined } = {},
): Promise<number> {
  const { beforeTags, signal } = options;
  let uploaded = 0;
  for (const layer of image.made) uploaded += await putDocument(store, layer, signal);
  for (const { config, manifest } of image.images) {
    uploaded += await putDocument(store, config, signal);
    uploaded += await putManifest(store, manifest.descriptor.digest, manifest, signal);
  }
  // The index over several platforms; of one platform its manifest, which is there by now.
  if (image.images.length > 1)
    uploaded += await putManifest(store, image.top.descriptor.digest, image.top, signal);
  await beforeTags?.();
  for (const tag of tags) await putManifest(store, tag, image.top, signal);
  return uploaded;
}

async function putManifest(
  store: ImageStore,
  reference: string,
  { descriptor, bytes }: Document,
  signal?: AbortSignal,
): Promise<number> {
  const manifest: StoredManifest = { mediaType: descriptor.mediaType, digest: descriptor.digest, bytes };
  await store.putManifest(reference, manifest, signal);
  return bytes.length;
}
