import type { Digest } from '../core/digest.ts';
import { WeighbridgeError } from '../core/errors.ts';
import type { ImageStore } from '../store/image-store.ts';
import { chooseRemovals, hasOurImages, removeAll } from './choose-removals.ts';
import {
  type DeletionResult,
  deleteRemovals,
  type ManifestDeleter,
  NOTHING_DELETED,
} from './delete-removals.ts';
import { readGraph } from './read-graph.ts';
import type { RepositoryGraph, RetentionPlan, RetentionRules } from './types.ts';

/** How a repository is asked and told. */
export interface PrunedRepository {
  readonly store: ImageStore;
  /** Opened only when something is to be deleted, or an age is needed that the store does not tell. */
  readonly openDeleter: () => Promise<
    ManifestDeleter & { publishedAtMs?(digest: Digest): number | undefined }
  >;
  /** Whether `openDeleter` tells ages. */
  readonly tellsAges: boolean;
}

/** What stays in a repository, and whether anything is deleted. */
export interface PruneOptions {
  /** `removed`: the model left the file, so all of its images go. */
  readonly rules: Omit<RetentionRules, 'publishedAtMs'> | 'removed';
  /** Without it nothing is written. */
  readonly isConfirmed: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onDeleted?: (digest: Digest) => void;
}

/** What became of one repository. */
export interface PruneOutcome {
  readonly plan: RetentionPlan;
  /** Undefined if nothing was to be written. */
  readonly result: DeletionResult | undefined;
}

/** A publish at the same moment moves tags: look again, and not for ever. */
const MAX_ATTEMPTS = 3;

/**
 * Reads a repository, chooses what goes and, if that is confirmed, deletes it. Returns the choice and what became of
 * it. Throws RegistryError if any part of the repository cannot be read; nothing of it has been deleted then.
 */
export async function pruneRepository(
  repository: PrunedRepository,
  options: PruneOptions,
): Promise<PruneOutcome> {
  const { store } = repository;
  const { rules, isConfirmed, signal, onDeleted } = options;
  for (let attempt = 1; ; attempt++) {
    const graph = await readGraph(store, signal);
    const plan = await planFor(graph, repository, rules);
    if (!isConfirmed) return { plan, result: undefined };
    if (plan.deletions.length === 0) return { plan, result: NOTHING_DELETED };
    const context = {
      store,
      deleter: await repository.openDeleter(),
      signal,
      currentTags: rules === 'removed' ? new Set<string>() : rules.tags,
      ...(onDeleted && { onDeleted }),
    };
    try {
      return { plan, result: await deleteRemovals(graph, plan, context) };
    } catch (error) {
      const hasMoved = error instanceof WeighbridgeError && error.code === 'REGISTRY_CHANGED';
      if (!hasMoved || attempt >= MAX_ATTEMPTS) throw error;
    }
  }
}

async function planFor(
  graph: RepositoryGraph,
  { openDeleter, tellsAges }: PrunedRepository,
  rules: PruneOptions['rules'],
): Promise<RetentionPlan> {
  if (rules === 'removed') return hasOurImages(graph) ? removeAll(graph) : nothingOurs(graph);
  const ages = rules.youngerThanMs !== undefined && tellsAges ? await openDeleter() : undefined;
  const publishedAtMs = (digest: Digest): number | undefined =>
    ages?.publishedAtMs?.(digest) ?? earliestReferrerMs(graph, digest);
  return chooseRemovals(graph, { ...rules, publishedAtMs });
}

function nothingOurs({ repository }: RepositoryGraph): RetentionPlan {
  return { repository, kept: [], removed: [], deletions: [], freedBytes: 0 };
}

/** An image was there when the first scan or signature of it was made. */
function earliestReferrerMs(graph: RepositoryGraph, digest: Digest): number | undefined {
  const parts = [digest, ...(graph.nodes.get(digest)?.children ?? [])];
  const times = parts
    .flatMap(part => graph.referrers.get(part) ?? [])
    .map(referrer =>
      Date.parse(graph.nodes.get(referrer)?.annotations['org.opencontainers.image.created'] ?? ''),
    )
    .filter(time => Number.isFinite(time));
  return times.length === 0 ? undefined : Math.min(...times);
}
