import type { Digest } from '../../core/digest.ts';
import { isAbort, WeighbridgeError } from '../../core/errors.ts';
import { digestOfBlob } from '../../image/assemble/required-blobs.ts';
import type { ImageDraft, RequiredBlob } from '../../image/assemble/types.ts';
import type { ResolvedLayer } from '../../image/format/layer-annotations.ts';
import type { PlannedModel } from '../../plan/types.ts';
import type { ImageStore } from '../../store/image-store.ts';
import type { PublishContext } from '../types.ts';
import type { TargetInventory } from './target-inventory.ts';

/** A target during one model's publish. */
export interface TargetState {
  readonly registry: string;
  readonly store: ImageStore;
  readonly inventory: TargetInventory;
  /** Of the repositories beside it that have the layers of other entries in the same folder. */
  near: readonly TargetInventory[];
  /** Set once nothing more can be expected of the target: down, refused, full. */
  unavailable?: unknown;
  /** What became of each blob here, by its id. */
  readonly blobs: Map<string, BlobResult>;
}

/** One image on its way to one target. */
export interface ImageJob {
  readonly planned: PlannedModel;
  readonly target: TargetState;
  readonly draft: ImageDraft;
}

type BlobResult =
  | { readonly how: 'uploaded'; readonly downloadedBytes: number }
  | { readonly how: 'mounted' | 'reused'; readonly digest: Digest }
  | { readonly how: 'failed'; readonly error: unknown };

/** What blobs are placed with. */
export interface PlaceOptions {
  readonly planned: PlannedModel;
  readonly context: PublishContext;
  /** Layers whose digests are proven, by key; see `Survey`. */
  readonly known: Map<string, ResolvedLayer>;
  readonly allTargets: readonly TargetState[];
}

/** Returns a layer as a target's image names it: proven in this run, or claimed by the target's own manifests. */
export function layerAt(
  { inventory }: TargetState,
  key: string,
  known: ReadonlyMap<string, ResolvedLayer>,
): ResolvedLayer | undefined {
  return known.get(key) ?? inventory.layer(key);
}

const FATAL = new Set([
  'REGISTRY_UNREACHABLE',
  'REGISTRY_UNAUTHORIZED',
  'REGISTRY_FULL',
  'REGISTRY_LOGIN_HELPER',
  'STORE_IO',
]);

/** Notes what became of a blob at a target. */
export function recordResult(
  target: TargetState,
  blob: RequiredBlob,
  result: BlobResult,
  { planned, context, known }: PlaceOptions,
): void {
  target.blobs.set(blob.id, result);
  const digest = digestOfBlob(blob, known);
  if (digest !== undefined && result.how !== 'failed') context.cache.noteHolder(digest, target.store.name);
  context.onEvent({
    type: 'blob-end',
    model: planned.model.short,
    blob: blob.name,
    how: result.how,
    sizeBytes: blob.sizeBytes,
  });
}

/** Notes a failure, and that the target is out where the error is one that stays. */
export function fail(
  target: TargetState,
  blob: RequiredBlob,
  error: unknown,
  options: PlaceOptions,
  isTargets = true,
): void {
  if (isAbort(error) && options.context.signal?.aborted) return;
  if (isTargets && error instanceof WeighbridgeError && FATAL.has(error.code)) target.unavailable ??= error;
  recordResult(target, blob, { how: 'failed', error }, options);
}
