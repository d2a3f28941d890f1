import { bytesSource } from '../core/byte-source.ts';
import type { Document } from '../oci/image.ts';
import { storedSize } from './blob-size.ts';
import { CopyHasher, fanOut } from './fan-out/fan-out.ts';
import type { ImageStore } from './image-store.ts';

/** Uploads a blob that is in memory, unless the store has it. Returns the bytes uploaded. Throws RegistryError. */
export async function putDocument(
  store: ImageStore,
  { descriptor, bytes }: Document,
  signal?: AbortSignal,
): Promise<number> {
  const { digest } = descriptor;
  if ((await storedSize(store, digest, signal)) === bytes.length) return 0;
  const { failures } = await fanOut({
    source: bytesSource(descriptor.mediaType, bytes),
    hasher: new CopyHasher(),
    stores: [store],
    digest,
    signal,
  });
  const failure = failures.get(store);
  if (failure !== undefined) throw failure;
  return bytes.length;
}
