import type { Digest } from '../../core/digest.ts';
import { type BuiltImage, buildIndex, type Document } from '../../oci/image.ts';
import type { ImageDraft, ImagePlatform, LayerOf, SealedImage, SealedLayer } from '../types.ts';
import { sealSignature } from './seal-signature.ts';

/** Returns what seals a draft once for the same layers and keeps the result: one document is compared, pushed and reported. */
export function createSealer(): (draft: ImageDraft, layerOf: LayerOf) => SealedImage | undefined {
  const sealed = new Map<ImageDraft, { readonly digests: string; readonly image: SealedImage }>();
  return (draft, layerOf) => {
    const keys = draft.platforms.flatMap(({ layers, signature }) =>
      [...layers, ...(signature === undefined ? [] : [signature])].map(({ key }) => key),
    );
    const digests = keys.map(key => layerOf(key)?.digest).join();
    const kept = sealed.get(draft);
    if (kept?.digests === digests) return kept.image;
    const image = sealImage(draft, layerOf);
    if (image !== undefined) sealed.set(draft, { digests, image });
    return image;
  };
}

/** Returns the finished image; undefined as long as a layer of the draft is not known. */
function sealImage({ platforms }: ImageDraft, layerOf: LayerOf): SealedImage | undefined {
  const images: BuiltImage[] = [];
  const made = new Map<Digest, Document>();
  for (const platform of platforms) {
    const sealed = sealPlatform(platform, layerOf);
    if (sealed === undefined) return undefined;
    images.push(sealed.image);
    for (const document of sealed.made) made.set(document.descriptor.digest, document);
  }
  const [only] = images;
  const labels = platforms.at(-1)?.labels ?? {};
  const top = images.length === 1 && only !== undefined ? only.manifest : buildIndex(images, labels);
  return { top, images, made: [...made.values()] };
}

/** Returns the finished image of one platform; undefined as long as a layer of it is not known. */
export function sealPlatform(
  platform: ImagePlatform,
  layerOf: LayerOf,
): { readonly image: BuiltImage; readonly made: readonly Document[] } | undefined {
  const layers: SealedLayer[] = [];
  for (const spec of platform.layers) {
    const layer = layerOf(spec.key);
    if (layer === undefined) return undefined;
    layers.push({ spec, layer });
  }
  if (platform.signature === undefined) return { image: platform.seal(layers), made: [] };
  const signature = sealSignature(platform.signature, layers, layerOf);
  if (signature === undefined) return undefined;
  const { sealed, made } = signature;
  return { image: platform.seal([...layers, sealed]), made: made === undefined ? [] : [made] };
}
