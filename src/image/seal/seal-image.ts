import { buildIndex } from '../../oci/image.ts';
import type { ResolvedLayer } from '../format/layer-annotations.ts';
import type { ImageDraft, SealedImage } from '../types.ts';

type LayerOf = (key: string) => ResolvedLayer | undefined;

/** Returns what seals a draft once for the same layers and keeps the result: one document is compared, pushed and reported. */
export function createSealer(): (draft: ImageDraft, layerOf: LayerOf) => SealedImage | undefined {
  const sealed = new Map<ImageDraft, { readonly digests: string; readonly image: SealedImage }>();
  return (draft, layerOf) => {
    const keys = draft.platforms.flatMap(({ layers }) => layers.map(({ key }) => key));
    const digests = keys.map(key => layerOf(key)?.digest).join();
    const kept = sealed.get(draft);
    if (kept?.digests === digests) return kept.image;
    const image = sealImage(draft, layerOf);
    if (image !== undefined) sealed.set(draft, { digests, image });
    return image;
  };
}

/** Returns the finished image; undefined as long as a layer of the draft is not known. */
export function sealImage(
  { platforms }: ImageDraft,
  layerOf: (key: string) => ResolvedLayer | undefined,
): SealedImage | undefined {
  const images = [];
  for (const platform of platforms) {
    const layers = [];
    for (const spec of platform.layers) {
      const layer = layerOf(spec.key);
      if (layer === undefined) return undefined;
      layers.push({ spec, layer });
    }
    images.push(platform.seal(layers));
  }
  const [only] = images;
  const labels = platforms.at(-1)?.labels ?? {};
  const top = images.length === 1 && only !== undefined ? only.manifest : buildIndex(images, labels);
  return { top, images };
}
