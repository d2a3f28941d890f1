import { isDigest } from '../../core/digest.ts';
import { hashInlineLayer } from '../../layer/layer-hasher.ts';
import { buildIndex } from '../../oci/image.ts';
import { type ResolvedLayer, resolvedLayer } from '../format/layer-annotations.ts';
import type { ImageDraft, SealedImage } from './types.ts';

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

/** Returns the layers that are known before anything is read: those of the plan's own texts, and files as they are. */
export function layersKnownBefore(drafts: readonly Pick<ImageDraft, 'platforms'>[]): ResolvedLayer[] {
  return [...inlineLayers(drafts), ...rawLayers(drafts)];
}

/** The digest of a file as it is, is the one that the Hub gives. */
function rawLayers(drafts: readonly Pick<ImageDraft, 'platforms'>[]): ResolvedLayer[] {
  const layers = drafts.flatMap(draft => draft.platforms.flatMap(platform => platform.layers));
  return layers.flatMap(spec => {
    const { recipe } = spec;
    const [entry] = recipe.entries;
    if (recipe.form !== 'raw' || entry === undefined || !isDigest(entry.contentId)) return [];
    const sha256Of = new Map([[entry.path, entry.contentId.slice('sha256:'.length)]]);
    return [resolvedLayer(spec, entry.contentId, sha256Of)];
  });
}

/** Returns the layers whose content came with the plan: their digests cost no question. */
function inlineLayers(drafts: readonly Pick<ImageDraft, 'platforms'>[]): ResolvedLayer[] {
  const layers = drafts.flatMap(draft => draft.platforms.flatMap(platform => platform.layers));
  return layers
    .filter(({ recipe }) => recipe.entries.every(entry => entry.content.kind === 'inline'))
    .map(spec => {
      const { digest, sha256Of } = hashInlineLayer(spec.layout);
      return resolvedLayer(spec, digest, sha256Of);
    });
}
