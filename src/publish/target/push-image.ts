import { bytesSource } from '../../core/byte-source.ts';
import type { SealedImage } from '../../image/assemble/types.ts';
import type { Document } from '../../oci/image.ts';
import { storedSize } from '../../store/blob-size.ts';
import type { ImageStore, StoredManifest } from '../../store/image-store.ts';
import { CopyHasher, fanOut } from '../transfer/fan-out.ts';

/**
 * Config, manifest by digest, signatures, tags: in this order, after all layers are there, so that a tag never names an
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

/** A small blob, if it is not there yet. Returns the bytes uploaded. Throws RegistryError. */
export async function putDocument(
  store: ImageStore,
  { descriptor, bytes }: Document,
  signal?: AbortSignal,
): Promise<number> {
  const { digest } = descriptor;
  if ((await storedSize(store, digest, signal)) === bytes.length) return 0;
  const source = bytesSource(descriptor.mediaType, bytes);
  const { failures } = await fanOut({
    source,
    hasher: new CopyHasher(),
    stores: [store],
    digest,
    signal,
  });
  const failure = failures.get(store);
  if (failure !== undefined) throw failure;
  return bytes.length;
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
