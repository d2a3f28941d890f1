import type { Digest } from '../../core/digest.ts';
import { isAbort, WeighbridgeError } from '../../core/errors.ts';
import type { ResolvedLayer } from '../../image/format/layer-annotations.ts';
import type { RequiredBlob } from '../../image/types.ts';
import { type Descriptor, MediaType } from '../../oci/types.ts';
import type { PlannedModel } from '../../plan/types.ts';
import type { BlobResult, TargetState } from '../target/target-state.ts';
import type { PublishContext } from '../types.ts';

/** What blobs are placed with. */
export interface PlaceOptions {
  readonly planned: PlannedModel;
  readonly context: PublishContext;
  /** Layers whose digests are proven, by key; see `Survey`. */
  readonly known: Map<string, ResolvedLayer>;
  readonly allTargets: readonly TargetState[];
}

const FATAL = new Set([
  'REGISTRY_UNREACHABLE',
  'REGISTRY_UNAUTHORIZED',
  'REGISTRY_FULL',
  'REGISTRY_LOGIN_HELPER',
  'REGISTRY_LOGIN_SERVICE',
  'STORE_IO',
]);

/** Records the result of a blob at a target. */
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

/** Records a failure. An error that concerns the whole registry makes the target unavailable for the rest of the model. */
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

/** Returns the digest of a blob; undefined for a layer of our own that has not been found or made yet. */
export function digestOfBlob(
  blob: RequiredBlob,
  known: ReadonlyMap<string, { readonly digest: Digest }>,
): Digest | undefined {
  return blob.kind === 'base' ? blob.digest : known.get(blob.id)?.digest;
}

/** Returns the descriptor of a blob whose digest is known by now. */
export function descriptorOf(blob: RequiredBlob, digest: Digest): Descriptor {
  if (blob.kind === 'base') return blob.descriptor;
  return { digest, size: blob.sizeBytes, mediaType: MediaType.ociLayerTar };
}
