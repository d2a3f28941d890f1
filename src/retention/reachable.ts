import type { Digest } from '../core/digest.ts';
import type { RepositoryGraph } from './types.ts';

/**
 * Returns everything that these manifests reach. `all`: platforms, referrers, and the other way what a referrer refers to, so
 * that nothing kept loses a part or its subject; `owned`: platforms and referrers alone.
 */
export function reachableFrom(
  graph: RepositoryGraph,
  digests: readonly Digest[],
  way: 'all' | 'owned',
): Set<Digest> {
  const subjects = new Map<Digest, Digest[]>();
  if (way === 'all') {
    for (const [subject, referrers] of graph.referrers)
      for (const referrer of referrers) subjects.set(referrer, [...(subjects.get(referrer) ?? []), subject]);
  }
  const lists = new Map<Digest, Digest[]>();
  for (const [tag, subject] of graph.ownedTags) {
    const list = graph.tags.get(tag);
    if (list !== undefined) lists.set(subject, [...(lists.get(subject) ?? []), list]);
  }
  const reached = new Set<Digest>();
  const open = [...digests];
  for (let digest = open.pop(); digest !== undefined; digest = open.pop()) {
    if (reached.has(digest)) continue;
    reached.add(digest);
    open.push(...(graph.nodes.get(digest)?.children ?? []));
    open.push(...(graph.referrers.get(digest) ?? []));
    open.push(...(subjects.get(digest) ?? []));
    // The list of referrers goes with what it is about.
    open.push(...(lists.get(digest) ?? []));
  }
  return reached;
}
