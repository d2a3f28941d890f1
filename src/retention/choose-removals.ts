import { VARIANTS, type Variant } from '../config/types.ts';
import { compareBytes } from '../core/bytes-order.ts';
import type { Digest } from '../core/digest.ts';
import { Label } from '../image/format/labels.ts';
import { reachableFrom } from './reachable.ts';
import type {
  GraphNode,
  RemovedImage,
  RepositoryGraph,
  RetainedImage,
  RetentionPlan,
  RetentionRules,
} from './types.ts';

const DAY_MS = 86_400_000;

/**
 * Returns which images of a repository go. Only what no kept tag reaches goes: through indexes and their platforms, and
 * through what refers to them. An image that is not Weighbridge's stays, with all that it reaches.
 */
export function chooseRemovals(graph: RepositoryGraph, rules: RetentionRules): RetentionPlan {
  const images = taggedImages(graph);
  const newest = newestOfEachVariant(images, graph, rules.keep);
  const judged = images.map(image => ({ image, reason: reasonToKeep(image, graph, newest, rules) }));
  const kept = judged.flatMap(({ image, reason }): RetainedImage[] =>
    reason === undefined ? [] : [{ ...image, reason }],
  );
  const going = judged.filter(({ reason }) => reason === undefined).map(({ image }) => image);

  const reachable = reachableFrom(graph, [...kept.map(({ digest }) => digest), ...strayLists(graph)], 'all');
  // A platform or a referrer that a tag of its own names is an image like any other: it may be kept for what it belongs to.
  const stays = going.filter(({ digest }) => reachable.has(digest));
  const removed = going.filter(({ digest }) => !reachable.has(digest));
  const deletions = inDeletionOrder(
    graph,
    removed.map(({ digest }) => digest),
    reachable,
  );
  const freed = new Set(deletions);
  return {
    repository: graph.repository,
    kept: [...kept, ...stays.map(image => ({ ...image, reason: 'a part of an image that stays' }))],
    removed: removed.map((image): RemovedImage => {
      const own = inDeletionOrder(graph, [image.digest], reachable);
      return {
        ...image,
        reason: `not among the ${rules.keep} newest ${image.variant ?? ''} images, and without a current tag`,
        freedBytes: bytesOf(graph, new Set(own)),
      };
    }),
    deletions,
    freedBytes: bytesOf(graph, freed),
  };
}

/** Returns the plan in which every image of Weighbridge's goes: of a model that left the file. */
export function removeAll(graph: RepositoryGraph): RetentionPlan {
  const images = taggedImages(graph);
  const kept = images.filter(({ digest }) => !isOurs(graph.nodes.get(digest)));
  const reachable = reachableFrom(graph, [...kept.map(({ digest }) => digest), ...strayLists(graph)], 'all');
  const removed = images.filter(
    ({ digest }) => !kept.some(one => one.digest === digest) && !reachable.has(digest),
  );
  const deletions = inDeletionOrder(
    graph,
    removed.map(({ digest }) => digest),
    reachable,
  );
  return {
    repository: graph.repository,
    kept: kept.map(image => ({ ...image, reason: 'not published by Weighbridge' })),
    removed: removed.map(image => ({
      ...image,
      reason: 'its model is no longer in the file',
      freedBytes: bytesOf(graph, new Set(inDeletionOrder(graph, [image.digest], reachable))),
    })),
    deletions,
    freedBytes: bytesOf(graph, new Set(deletions)),
  };
}

/** Lists of referrers whose subject no tag reaches: what they were for cannot be known, so they stay as they are. */
function strayLists(graph: RepositoryGraph): Digest[] {
  return [...graph.ownedTags].flatMap(([tag, subject]) => {
    const list = graph.tags.get(tag);
    return list === undefined || graph.nodes.has(subject) ? [] : [list];
  });
}

/** Whether any image in the repository is Weighbridge's. */
export function hasOurImages(graph: RepositoryGraph): boolean {
  return taggedImages(graph).some(({ digest }) => isOurs(graph.nodes.get(digest)));
}

type TaggedImage = Omit<RetainedImage, 'reason'>;

/** The images that tags name, by variant and first tag; tags that belong to another manifest by their name are no images. */
function taggedImages(graph: RepositoryGraph): TaggedImage[] {
  const byDigest = new Map<Digest, string[]>();
  for (const [tag, digest] of graph.tags) {
    if (graph.ownedTags.has(tag)) continue;
    byDigest.set(digest, [...(byDigest.get(digest) ?? []), tag]);
  }
  const images = [...byDigest].map(([digest, tags]) => {
    const annotations = graph.nodes.get(digest)?.annotations ?? {};
    return {
      digest,
      tags: tags.toSorted(compareBytes),
      variant: annotations[Label.variant],
      version: annotations[Label.version],
    };
  });
  return images.sort(
    (a, b) => rankOf(a.variant) - rankOf(b.variant) || compareBytes(a.tags[0] ?? '', b.tags[0] ?? ''),
  );
}

/** What is not a variant comes last. */
function rankOf(variant: string | undefined): number {
  const rank = VARIANTS.indexOf(variant as Variant);
  return rank === -1 ? VARIANTS.length : rank;
}

function isOurs(node: GraphNode | undefined): boolean {
  return node?.annotations[Label.modelId] !== undefined && node.annotations[Label.variant] !== undefined;
}

function reasonToKeep(
  { digest, tags }: TaggedImage,
  graph: RepositoryGraph,
  newest: ReadonlySet<Digest>,
  rules: RetentionRules,
): string | undefined {
  if (!isOurs(graph.nodes.get(digest))) return 'not published by Weighbridge';
  const current = tags.find(tag => rules.tags.has(tag));
  if (current !== undefined) return `a current tag: ${current}`;
  if (newest.has(digest)) return `among the newest ${rules.keep} of its variant`;
  if (rules.youngerThanMs === undefined) return undefined;
  const publishedAtMs = rules.publishedAtMs(digest);
  if (publishedAtMs === undefined) return 'the registry does not tell when it was published';
  const days = Math.ceil(rules.youngerThanMs / DAY_MS);
  return rules.nowMs - publishedAtMs < rules.youngerThanMs ? `younger than ${days} days` : undefined;
}

/** The newest by the date of the base, then by version; of those that are equal, all that could be the newest. */
function newestOfEachVariant(
  images: readonly TaggedImage[],
  graph: RepositoryGraph,
  keep: number,
): ReadonlySet<Digest> {
  const byVariant = Map.groupBy(
    images.filter(({ digest }) => isOurs(graph.nodes.get(digest))),
    ({ variant }) => variant,
  );
  const created = ({ digest }: TaggedImage): string =>
    graph.nodes.get(digest)?.annotations[Label.created] ?? '';
  const compare = (a: TaggedImage, b: TaggedImage): number =>
    compareBytes(created(b), created(a)) ||
    (b.version ?? '').localeCompare(a.version ?? '', 'en', { numeric: true });
  return new Set(
    [...byVariant.values()].flatMap(group => {
      const sorted = group.toSorted(compare);
      const last = sorted[Math.min(keep, sorted.length) - 1];
      return last === undefined
        ? []
        : sorted.filter(one => compare(one, last) <= 0).map(({ digest }) => digest);
    }),
  );
}

/**
 * A deletion that is broken off leaves no image without a part, and of one image at most parts without it: what a tag
 * names goes first, then its platforms, then what refers to either, from the subject outwards, and then the next image.
 * What several have goes with the last of them.
 */
function inDeletionOrder(
  graph: RepositoryGraph,
  roots: readonly Digest[],
  kept: ReadonlySet<Digest>,
): Digest[] {
  const owned = roots.map(root => [...reachableFrom(graph, [root], 'owned')].filter(one => !kept.has(one)));
  const owners = new Map<Digest, number>();
  for (const digest of owned.flat()) owners.set(digest, (owners.get(digest) ?? 0) + 1);
  const depths = depthsFrom(graph, roots);
  // Lists of referrers are reached by tag only, and go last.
  const depthOf = (digest: Digest): number => depths.get(digest) ?? Number.MAX_SAFE_INTEGER;
  return owned.flatMap(parts => {
    for (const digest of parts) owners.set(digest, (owners.get(digest) ?? 0) - 1);
    const last = parts.filter(digest => owners.get(digest) === 0);
    return last.toSorted((x, y) => depthOf(x) - depthOf(y) || compareBytes(x, y));
  });
}

/** How far manifests are from the roots: one step for a platform, and beyond all platforms for what refers to them. */
function depthsFrom(graph: RepositoryGraph, roots: readonly Digest[]): ReadonlyMap<Digest, number> {
  const depths = new Map<Digest, number>();
  const measure = (digest: Digest, depth: number, trail: ReadonlySet<Digest>): void => {
    if (trail.has(digest) || (depths.get(digest) ?? -1) >= depth) return;
    depths.set(digest, depth);
    const next = new Set(trail).add(digest);
    for (const child of graph.nodes.get(digest)?.children ?? []) measure(child, depth + 1, next);
    for (const referrer of graph.referrers.get(digest) ?? []) measure(referrer, depth + 1000, next);
  };
  for (const root of roots) measure(root, 0, new Set());
  return depths;
}

/** Bytes of these manifests, and of the blobs that no other manifest of the repository has. */
function bytesOf(graph: RepositoryGraph, going: ReadonlySet<Digest>): number {
  const needed = new Set<Digest>();
  for (const [digest, { blobs }] of graph.nodes)
    if (!going.has(digest)) for (const blob of blobs.keys()) needed.add(blob);
  const freed = new Map<Digest, number>();
  let total = 0;
  for (const digest of going) {
    const node = graph.nodes.get(digest);
    total += node?.sizeBytes ?? 0;
    for (const [blob, sizeBytes] of node?.blobs ?? []) if (!needed.has(blob)) freed.set(blob, sizeBytes);
  }
  return total + [...freed.values()].reduce((sum, bytes) => sum + bytes, 0);
}
