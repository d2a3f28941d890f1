import { plainLine } from '../core/safe-text.ts';
import type { PublishedImage } from '../image/published-image.ts';
import { parseManifest } from '../oci/parse.ts';
import type { StoredManifest } from '../store/image-store.ts';
import { documentDifferences } from './document-differences.ts';

/**
 * Returns what is wrong with an index over images that are each right: an image under another platform than its own,
 * several for one platform, images of several models, other annotations. Nothing for what is not an index.
 */
export function indexProblems(
  { bytes, mediaType }: StoredManifest,
  images: readonly PublishedImage[],
  name: string,
): string[] {
  const parsed = parseManifest(bytes, mediaType, name);
  if (parsed.kind === 'manifest') return [];
  const { manifests, annotations = {} } = parsed.index;
  const misplaced = images.flatMap(({ digest, platform }) =>
    manifests.flatMap(entry => {
      // What build tools add is for no platform.
      if (entry.digest !== digest || entry.platform === undefined || entry.platform.os === 'unknown')
        return [];
      const stated = `${entry.platform.os}/${entry.platform.architecture}`;
      return stated === platform
        ? []
        : [`its index lists ${digest} for ${plainLine(stated)}, and it is for ${platform}`];
    }),
  );
  const platforms = images.map(({ platform }) => platform);
  const double = platforms.find((platform, index) => platforms.indexOf(platform) !== index);
  const models = new Set(
    images.map(({ model }) => JSON.stringify([model?.id, model?.revision, model?.variant, model?.dir])),
  );
  const [others = []] = images
    .map(({ manifest }) => documentDifferences('index.annotations', manifest.annotations ?? {}, annotations))
    .toSorted((a, b) => a.length - b.length);
  return [
    ...misplaced,
    ...(double === undefined ? [] : [`its index lists several images for ${double}`]),
    ...(models.size > 1 ? ['its index lists images of several models, revisions or variants'] : []),
    ...others,
  ];
}
