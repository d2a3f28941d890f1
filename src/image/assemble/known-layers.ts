import { isDigest } from '../../core/digest.ts';
import { hashInlineLayer } from '../../layer/layer-hasher.ts';
import { type ResolvedLayer, resolvedLayer } from '../format/layer-annotations.ts';
import type { ImageDraft } from '../types.ts';

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
