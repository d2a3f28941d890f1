import type { RequiredBlob } from '../../image/types.ts';
import type { TargetState } from '../target/target-state.ts';
import type { ByteCounts } from '../types.ts';

/** No byte of any kind: where counting starts. */
export const ZERO_BYTES: ByteCounts = { downloaded: 0, uploaded: 0, mounted: 0, reused: 0 };

/**
 * Returns the bytes of an image's blobs at a target, by what became of them. `counted` holds the blobs that an earlier
 * variant has counted; for this one they were there already.
 */
export function countBytes(
  blobs: readonly RequiredBlob[],
  target: TargetState,
  counted: Set<string>,
): ByteCounts {
  const bytes = { ...ZERO_BYTES };
  for (const { id, sizeBytes } of blobs) {
    const result = target.blobs.get(id);
    if (result === undefined || result.how === 'failed') continue;
    if (counted.has(id) || result.how === 'reused') bytes.reused += sizeBytes;
    else if (result.how !== 'uploaded') bytes.mounted += sizeBytes;
    else {
      bytes.uploaded += sizeBytes;
      bytes.downloaded += result.downloadedBytes;
    }
    counted.add(id);
  }
  return bytes;
}
