import { isAbort, WeighbridgeError } from '../../core/errors.ts';
import type { BlobNeed } from '../../image/assemble/blob-needs.ts';
import type { KnownLayer } from '../../image/format/layer-annotations.ts';
import type { PlannedModel } from '../../plan/types.ts';
import type { ImageStore } from '../../store/image-store.ts';
import type { PublishContext } from '../types.ts';
import type { PublishedLayers } from './published-layers.ts';

/** A target during one model's publish. */
export interface TargetState {
  readonly registry: string;
  readonly store: ImageStore;
  readonly published: PublishedLayers;
  /** Set once nothing more can be expected of the target: down, refused, full. */
  dead?: unknown;
  /** What became of each blob here, by the need's id. */
  readonly blobs: Map<string, BlobFate>;
}

export type BlobFate =
  | { readonly how: 'uploaded'; readonly downloadedBytes: number }
  | { readonly how: 'mounted' | 'reused' }
  | { readonly how: 'failed'; readonly error: unknown };

export interface MoveOptions {
  readonly planned: PlannedModel;
  readonly context: PublishContext;
  /** Layers whose digests are known, by key; what is made is added. */
  readonly known: Map<string, KnownLayer>;
  readonly allTargets: readonly TargetState[];
}

const FATAL = new Set([
  'REGISTRY_UNREACHABLE',
  'REGISTRY_UNAUTHORIZED',
  'REGISTRY_FULL',
  'REGISTRY_LOGIN_HELPER',
  'STORE_IO',
]);

/** Notes what became of a blob at a target. */
export function settle(
  target: TargetState,
  need: BlobNeed,
  fate: BlobFate,
  { planned, context }: MoveOptions,
): void {
  target.blobs.set(need.id, fate);
  if (need.base !== undefined && fate.how !== 'failed')
    context.memory.noteHolder(need.base.descriptor.digest, target.store.name);
  context.onEvent({
    type: 'blob-end',
    model: planned.model.short,
    blob: need.name,
    how: fate.how,
    sizeBytes: need.sizeBytes,
  });
}

/** Notes a failure, and that the target is out where the error is one that stays. */
export function fail(
  target: TargetState,
  need: BlobNeed,
  error: unknown,
  options: MoveOptions,
  isTargets = true,
): void {
  if (isAbort(error) && options.context.signal?.aborted) return;
  if (isTargets && error instanceof WeighbridgeError && FATAL.has(error.code)) target.dead ??= error;
  settle(target, need, { how: 'failed', error }, options);
}
