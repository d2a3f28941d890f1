import type { Digest } from '../core/digest.ts';
import { isAbort, RegistryError, throwIfAborted, WeighbridgeError } from '../core/errors.ts';
import { mapPool } from '../core/pool.ts';
import type { ImageStore } from '../store/image-store.ts';
import { reachableFrom } from './reachable.ts';
import type { RepositoryGraph, RetentionPlan } from './types.ts';

/** How a registry deletes: by the OCI API, or by one of its own. */
export interface ManifestDeleter {
  /** Returns false if the manifest is not there. Throws RegistryError. */
  deleteManifest(digest: Digest, signal?: AbortSignal): Promise<boolean>;
}

/** What became of the images that were to go. */
export interface DeletionResult {
  readonly deleted: readonly Digest[];
  /** Images that the registry keeps by a rule of its own; they stay with all that belongs to them. */
  readonly refused: readonly Digest[];
  /** The first failure. What comes after it in the order is left alone, unless one image alone was refused. */
  readonly error: WeighbridgeError | undefined;
}

const REQUESTS_AT_ONCE = 6;

/**
 * Deletes what the plan removes, one manifest after the other, in the order of the plan. Returns what was deleted and
 * what was refused. Before the first and before each image, it looks again at what the tags name: throws RegistryError
 * REGISTRY_CHANGED if a tag has moved since the graph was read and nothing has been deleted yet.
 */
export async function deleteRemovals(
  graph: RepositoryGraph,
  plan: RetentionPlan,
  context: {
    readonly store: ImageStore;
    readonly deleter: ManifestDeleter;
    /** Tags that may not lose their image. */
    readonly currentTags: ReadonlySet<string>;
    readonly signal?: AbortSignal | undefined;
    readonly onDeleted?: (digest: Digest) => void;
  },
): Promise<DeletionResult> {
  const { store, deleter, signal } = context;
  if (plan.deletions.length === 0) return NOTHING_DELETED;
  await checkTags(store, graph, signal);
  const images = new Set(plan.removed.map(({ digest }) => digest));
  const deleted: Digest[] = [];
  const refused: Digest[] = [];
  const staying = new Set<Digest>();
  let error: WeighbridgeError | undefined;
  for (const digest of plan.deletions) {
    throwIfAborted(signal);
    if (staying.has(digest)) continue;
    try {
      if (images.has(digest)) await checkCurrent(store, digest, context.currentTags, signal);
      await deleter.deleteManifest(digest, signal);
      deleted.push(digest);
      context.onDeleted?.(digest);
    } catch (failure) {
      if (isAbort(failure) || !(failure instanceof WeighbridgeError)) throw failure;
      error ??= failure;
      if (failure.code !== 'IMAGE_UNDELETABLE') break;
      refused.push(digest);
      for (const part of reachableFrom(graph, [digest], 'all')) staying.add(part);
    }
  }
  return { deleted, refused, error };
}

/** The result of a plan that deletes nothing. */
export const NOTHING_DELETED: DeletionResult = { deleted: [], refused: [], error: undefined };

async function checkTags(
  store: ImageStore,
  { tags }: RepositoryGraph,
  signal: AbortSignal | undefined,
): Promise<void> {
  const now = await store.listTags(tags.size + 1, signal);
  const moved = now.find(tag => !tags.has(tag));
  if (moved !== undefined) throw changed(store, moved);
  await mapPool(now, REQUESTS_AT_ONCE, async tag => {
    const digest = await store.resolveTag(tag, signal);
    if (digest !== undefined && digest !== tags.get(tag)) throw changed(store, tag);
  });
}

async function checkCurrent(
  store: ImageStore,
  digest: Digest,
  currentTags: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<void> {
  await mapPool([...currentTags], REQUESTS_AT_ONCE, async tag => {
    if ((await store.resolveTag(tag, signal)) === digest) throw changed(store, tag);
  });
}

function changed(store: ImageStore, tag: string): RegistryError {
  return new RegistryError(`the tag ${tag} of ${store.name} has moved while it was being looked through`, {
    code: 'REGISTRY_CHANGED',
    subject: store.name,
    remedy: 'Prune again when no publish is running.',
  });
}
