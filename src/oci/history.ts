import type { HistoryEntry } from './types.ts';

/**
 * Returns a history with one entry for each of `layers` layers, as buildah, podman and Artifactory want it. Builders
 * other than Docker's write none, or leave some out; which layers those describe is not known, so entries are added at
 * the end.
 */
export function completeHistory(
  history: readonly HistoryEntry[],
  layers: number,
  created: string,
): readonly HistoryEntry[] {
  const described = history.filter(entry => entry.empty_layer !== true).length;
  if (described <= layers) {
    const missing = Array.from({ length: layers - described }, () => ({
      created,
      created_by: 'layer of the base image',
      comment: 'the base image has no history for it',
    }));
    return [...history, ...missing];
  }
  let seen = 0;
  return history.map(entry => {
    if (entry.empty_layer !== true) seen += 1;
    return seen > layers ? { ...entry, empty_layer: true } : entry;
  });
}
