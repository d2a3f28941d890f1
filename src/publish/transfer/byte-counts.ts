import { formatBytes } from '../../core/text.ts';
import type { BlobNeed } from '../../image/assemble/blob-needs.ts';
import type { TargetState } from '../target/target-state.ts';
import type { ByteCounts } from '../types.ts';

export const ZERO_BYTES: ByteCounts = { downloaded: 0, uploaded: 0, mounted: 0, reused: 0 };

/**
 * What became of an image's blobs at a target, in bytes. `counted` holds the blobs that an earlier variant has taken
 * to its account; for this one they were there already.
 */
export function countBytes(
  needs: readonly BlobNeed[],
  target: TargetState,
  counted: Set<string>,
): ByteCounts {
  const bytes = { ...ZERO_BYTES };
  for (const { id, sizeBytes } of needs) {
    const fate = target.blobs.get(id);
    if (fate === undefined || fate.how === 'failed') continue;
    if (counted.has(id) || fate.how === 'reused') bytes.reused += sizeBytes;
    else if (fate.how !== 'uploaded') bytes.mounted += sizeBytes;
    else {
      bytes.uploaded += sizeBytes;
      bytes.downloaded += fate.downloadedBytes;
    }
    counted.add(id);
  }
  return bytes;
}

/**
 * What a publish would have to do, as far as the published manifests tell. `counted` as for `countBytes`: what an earlier
 * variant would bring is there for this one.
 */
export function sizeBeforehand(
  needs: readonly BlobNeed[],
  target: TargetState,
  counted: Set<string>,
): { reason: string; bytes: ByteCounts } {
  const bytes = { ...ZERO_BYTES };
  for (const { id, base, layer, sizeBytes } of needs) {
    const digest = base?.descriptor.digest ?? target.published.layer(layer?.key ?? '')?.digest;
    const isThere = digest !== undefined && target.published.hasBlob(digest);
    if (isThere || counted.has(id)) bytes.reused += sizeBytes;
    else bytes.uploaded += sizeBytes;
    counted.add(id);
  }
  const reason = `would move up to ${formatBytes(bytes.uploaded)}, ${formatBytes(bytes.reused)} is there already`;
  return { reason, bytes };
}
