import type { Digest } from '../core/digest.ts';
import { IntegrityError, isAbort, throwIfAborted, WeighbridgeError } from '../core/errors.ts';
import { allSettledOrThrow } from '../core/pool.ts';
import { MediaType } from '../oci/types.ts';
import type { PlannedModel } from '../plan/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import type { BlobNeed } from './blob-needs.ts';
import { type OriginPlan, planMade } from './blob-sources.ts';
import { heldSize } from './held-size.ts';
import { type KnownLayer, knownLayer, layerDescriptor } from './layer-annotations.ts';
import { type BytesMove, type BytesMoved, moveBytes } from './move-bytes.ts';
import type { PublishedLayers } from './published-layers.ts';
import type { PublishContext } from './types.ts';

export interface BlobMove {
  readonly need: BlobNeed;
  /** Targets that need the blob. */
  readonly targets: readonly TargetState[];
}

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

/** A source that gave wrong bytes is asked once more, from the start. */
const SOURCE_ATTEMPTS = 2;
const FATAL = new Set([
  'REGISTRY_UNREACHABLE',
  'REGISTRY_UNAUTHORIZED',
  'REGISTRY_FULL',
  'REGISTRY_LOGIN_HELPER',
  'STORE_IO',
]);

/** Brings every blob to every target that needs it, the biggest first. What fails is noted at the target, not thrown. */
export async function moveBlobs(moves: readonly BlobMove[], options: MoveOptions): Promise<void> {
  const bySize = [...moves].sort((a, b) => b.need.sizeBytes - a.need.sizeBytes);
  const { blobSlots } = options.context;
  const move = (one: BlobMove): Promise<void> => blobSlots.run(() => moveBlob(one, options));
  await allSettledOrThrow(
    bySize.map(one => {
      const digest = one.need.base?.descriptor.digest;
      // Models that wait for each other's base layers do so without a slot.
      return digest === undefined ? move(one) : options.context.memory.exclusively(digest, () => move(one));
    }),
  );
}

async function moveBlob({ need, targets }: BlobMove, options: MoveOptions): Promise<void> {
  const { signal } = options.context;
  const digest = need.base?.descriptor.digest ?? options.known.get(need.id)?.digest;
  const missing: TargetState[] = [];
  await Promise.all(
    targets.map(async target => {
      if (target.dead !== undefined) return;
      try {
        const how = await findAtTarget(target, need, digest, options);
        if (how === undefined) missing.push(target);
        else end(target, need, { how }, options);
      } catch (error) {
        fail(target, need, error, options);
      }
    }),
  );
  throwIfAborted(signal);
  const live = missing.filter(target => target.dead === undefined);
  if (live.length > 0) await transfer(need, live, digest, options);
}

/** Whether the target has the blob, or can have it without moving it. */
async function findAtTarget(
  { store, published }: TargetState,
  { base, sizeBytes }: BlobNeed,
  digest: Digest | undefined,
  { context, allTargets }: MoveOptions,
): Promise<'reused' | 'mounted' | undefined> {
  // A forced publish trusts none of our own layers; those of the base are not ours to make again.
  if (digest === undefined || (context.isForced && base === undefined)) return undefined;
  if (published.hasBlob(digest)) return 'reused';
  if ((await heldSize(store, digest, context.signal)) === sizeBytes) return 'reused';
  const from =
    base === undefined
      ? allTargets.filter(other => other.published.hasBlob(digest)).map(other => other.store.name)
      : [base.storeName, ...(await context.memory.holders(digest, store.name))];
  const descriptor = base?.descriptor ?? { digest, size: sizeBytes, mediaType: MediaType.ociLayerTar };
  for (const repository of from) {
    if (await store.mountBlob(descriptor, repository, context.signal)) return 'mounted';
  }
  return undefined;
}

async function transfer(
  need: BlobNeed,
  targets: readonly TargetState[],
  digest: Digest | undefined,
  options: MoveOptions,
): Promise<void> {
  const { context, planned } = options;
  const model = planned.model.short;
  context.onEvent({
    type: 'blob-start',
    model,
    blob: need.name,
    sizeBytes: need.sizeBytes,
    targets: targets.map(target => target.registry),
  });
  let downloadedBytes = 0;
  for (let attempt = 1; ; attempt++) {
    const { origin, isFromRegistry } = originOf(need, targets, options, attempt);
    try {
      const move: BytesMove = {
        origin,
        stores: targets.map(target => target.store),
        sizeBytes: need.sizeBytes,
        digest,
        onProgress: doneBytes =>
          context.onEvent({ type: 'blob-progress', model, blob: need.name, doneBytes }),
        onRetry: (store, error, retry, delayMs) => {
          const isTurnedAway = error instanceof WeighbridgeError && error.code === 'REGISTRY_RATE_LIMITED';
          context.onEvent({
            type: 'retry',
            what: `${need.name} to ${store.name}`,
            attempt: retry,
            delayMs,
            reason: String(error),
            ...(isTurnedAway && { status: 429 }),
          });
        },
      };
      const result = await moveBytes(move, context);
      downloadedBytes += result.readBytes;
      if (result.failures.size === 0) context.blobSlots.raise();
      if (result.digest !== undefined) await note(need, result.digest, result, options);
      // The one read that fed all targets is counted at the first of them.
      for (const target of targets) {
        const error = result.failures.get(target.store);
        if (error !== undefined) fail(target, need, error, options);
        else {
          end(target, need, { how: 'uploaded', downloadedBytes }, options);
          downloadedBytes = 0;
        }
      }
      return;
    } catch (error) {
      if (isAbort(error) || context.signal?.aborted || !(error instanceof WeighbridgeError)) throw error;
      const mayHelp = error instanceof IntegrityError || (attempt < SOURCE_ATTEMPTS && isFromRegistry);
      if (mayHelp && attempt < SOURCE_ATTEMPTS) {
        context.onEvent({ type: 'retry', what: need.name, attempt, delayMs: 0, reason: error.message });
        continue;
      }
      for (const target of targets) fail(target, need, error, options, false);
      return;
    }
  }
}

/** Where to read from. A second attempt goes to the Hub itself, whatever the registries claim to have. */
function originOf(
  { base, layer, id, sizeBytes }: BlobNeed,
  targets: readonly TargetState[],
  { context, known, allTargets }: MoveOptions,
  attempt: number,
): { readonly origin: OriginPlan<ImageStore>; readonly isFromRegistry: boolean } {
  if (base !== undefined) {
    const store = context.openBase(base.storeName);
    return { origin: { kind: 'copy', store, descriptor: base.descriptor }, isFromRegistry: false };
  }
  if (layer === undefined) throw new TypeError(`${id} is neither a base layer nor one of ours`);
  const mayTrust = attempt === 1 && !context.isForced;
  const made = known.get(id);
  const holder = allTargets.find(
    target => !targets.includes(target) && made && target.published.hasBlob(made.digest),
  );
  if (mayTrust && made !== undefined && holder !== undefined) {
    const descriptor = { digest: made.digest, size: sizeBytes, mediaType: MediaType.ociLayerTar };
    return { origin: { kind: 'copy', store: holder.store, descriptor }, isFromRegistry: true };
  }
  const published = mayTrust
    ? allTargets.filter(target => target.dead === undefined).map(target => target.published)
    : [];
  return { origin: planMade(layer, published), isFromRegistry: mayTrust };
}

/** Keeps what hashing a layer of ours has shown. */
async function note(
  { layer }: BlobNeed,
  digest: Digest,
  { sha256Of }: BytesMoved,
  { known, context }: MoveOptions,
): Promise<void> {
  if (layer === undefined || sha256Of === undefined || known.has(layer.key)) return;
  const made = knownLayer(layer.recipe, digest, sha256Of);
  known.set(layer.key, made);
  await context.layerIndex?.add(layerDescriptor(layer.recipe, made));
}

function end(target: TargetState, need: BlobNeed, fate: BlobFate, { planned, context }: MoveOptions): void {
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

function fail(
  target: TargetState,
  need: BlobNeed,
  error: unknown,
  options: MoveOptions,
  isTargets = true,
): void {
  if (isAbort(error) && options.context.signal?.aborted) return;
  if (isTargets && error instanceof WeighbridgeError && FATAL.has(error.code)) target.dead ??= error;
  end(target, need, { how: 'failed', error }, options);
}
