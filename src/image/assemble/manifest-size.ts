import { digestFromHex } from '../../core/digest.ts';
import { WeighbridgeError } from '../../core/errors.ts';
import { formatBytes } from '../../core/text.ts';
import { resolvedLayer } from '../format/layer-annotations.ts';
import type { ImagePlatform } from '../types.ts';

/** What distribution, and most registries with it, takes as a manifest; https://distribution.github.io/distribution/spec/api/ */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
/** A manifest of fewer files is far below the limit, and is not made twice to know it. */
const MANY_FILES = 2000;

/**
 * Refuses an image whose manifest would be larger than registries take: it names every file of the model.
 * Throws WeighbridgeError IMAGE_TOO_MANY_FILES.
 */
export function checkManifestSize(subject: string, image: ImagePlatform): void {
  const count = image.layers.reduce((sum, { recipe }) => sum + recipe.entries.length, 0);
  if (count < MANY_FILES) return;
  const sizeBytes = image.seal(
    // Digests have one length, so the manifest has its size before any of them is known.
    image.layers.map(spec => {
      const sha256Of = new Map(spec.recipe.entries.map(({ path }) => [path, ZEROS]));
      return { spec, layer: resolvedLayer(spec, digestFromHex(ZEROS), sha256Of) };
    }),
  ).manifest.bytes.length;
  if (sizeBytes <= MAX_MANIFEST_BYTES) return;
  throw new WeighbridgeError(
    `${subject}: ${count} files make a manifest of ${formatBytes(sizeBytes)}, and registries take ${formatBytes(MAX_MANIFEST_BYTES)}`,
    {
      code: 'IMAGE_TOO_MANY_FILES',
      subject,
      remedy: 'Leave files out with `files.exclude`, or publish the slim image alone.',
    },
  );
}

const ZEROS = '0'.repeat(64);
