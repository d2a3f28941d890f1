import type { Digest } from '../../core/digest.ts';
import { IntegrityError, isAbort, WeighbridgeError } from '../../core/errors.ts';
import type { BlobNeed } from '../../image/assemble/blob-needs.ts';
import { knownLayer, layerDescriptor } from '../../image/format/layer-annotations.ts';
import { MediaType } from '../../oci/types.ts';
import type { ImageStore } from '../../store/image-store.ts';
import { fail, type MoveOptions, settle, type TargetState } from '../target/target-state.ts';
import { type OriginPlan, planMade } from './blob-sources.ts';
import { moveBytes } from './move-bytes.ts';
import type { MovedBlob, MoveReports } from './move-in-turn.ts';

/** A source that gave wrong bytes is asked once more, from the start. */
const SOURCE_ATTEMPTS = 2;

/** Moves blobs to targets that lack them, one after the other, and notes there what became of each. */
export async function transferNeeds(
  needs: readonly BlobNeed[],
  targets: readonly TargetState[],
  options: MoveOptions,
): Promise<void> {
  const { context, known } = options;
  const reports = reportsOf(needs, targets, options);
  const downloaded = needs.map(() => 0);
  for (let attempt = 1; ; attempt++) {
    const blobs = needs.map(need => ({
      ...originOf(need, targets, options, attempt),
      digest: need.base?.descriptor.digest ?? known.get(need.id)?.digest,
    }));
    try {
      const sizeBytes = needs.reduce((sum, need) => sum + need.sizeBytes, 0);
      const stores = targets.map(target => target.store);
      const moved = await moveBytes({ blobs, stores, sizeBytes, reports }, context);
      if (moved.every(({ failures }) => failures.size === 0)) context.blobSlots.raise();
      for (const [index, result] of moved.entries()) {
        const need = needs[index] as BlobNeed;
        // Parts of a file that did not get to its end have not shown what they are.
        if (moved.length === needs.length && result.digest !== undefined)
          await note(need, result.digest, result, options);
        downloaded[index] = (downloaded[index] ?? 0) + result.readBytes;
      }
      for (const target of targets) settleMoved(target, needs, moved, downloaded, options);
      return;
    } catch (error) {
      if (isAbort(error) || context.signal?.aborted || !(error instanceof WeighbridgeError)) throw error;
      const isFromRegistry = blobs.some(blob => blob.isFromRegistry);
      const mayHelp = error instanceof IntegrityError || isFromRegistry;
      if (mayHelp && attempt < SOURCE_ATTEMPTS) {
        const what = needs.map(need => need.name).join(', ');
        context.onEvent({ type: 'retry', what, attempt, delayMs: 0, reason: error.message });
        continue;
      }
      for (const target of targets) for (const need of needs) fail(target, need, error, options, false);
      return;
    }
  }
}

/** A blob begins where its first bytes come; the first begins at once. */
function reportsOf(
  needs: readonly BlobNeed[],
  targets: readonly TargetState[],
  { context, planned }: MoveOptions,
): MoveReports {
  const model = planned.model.short;
  let begun = 0;
  const begin = (upTo: number): void => {
    for (; begun <= upTo; begun++) {
      const { name: blob, sizeBytes } = needs[begun] as BlobNeed;
      const registries = targets.map(target => target.registry);
      context.onEvent({ type: 'blob-start', model, blob, sizeBytes, targets: registries });
    }
  };
  begin(0);
  return {
    onProgress(index, doneBytes) {
      begin(index);
      const { name: blob } = needs[index] as BlobNeed;
      context.onEvent({ type: 'blob-progress', model, blob, doneBytes });
    },
    onRetry(index, store, error, attempt, delayMs) {
      const isTurnedAway = error instanceof WeighbridgeError && error.code === 'REGISTRY_RATE_LIMITED';
      context.onEvent({
        type: 'retry',
        what: `${(needs[index] as BlobNeed).name} to ${store.name}`,
        attempt,
        delayMs,
        reason: String(error),
        ...(isTurnedAway && { status: 429 }),
      });
    },
  };
}

/** The one read that fed all targets is counted at the first of them that has the blob: it is zero after that. */
function settleMoved(
  target: TargetState,
  needs: readonly BlobNeed[],
  moved: readonly MovedBlob[],
  downloaded: number[],
  options: MoveOptions,
): void {
  for (const [index, { failures }] of moved.entries()) {
    const need = needs[index] as BlobNeed;
    const error = failures.get(target.store);
    if (error !== undefined) {
      // It got nothing of what came behind.
      fail(target, need, error, options);
      return;
    }
    settle(target, need, { how: 'uploaded', downloadedBytes: downloaded[index] ?? 0 }, options);
    downloaded[index] = 0;
  }
}

interface Origin {
  readonly origin: OriginPlan<ImageStore>;
  readonly isFromRegistry: boolean;
}

/** Where to read from. A second attempt goes to the Hub itself, whatever the registries claim to have. */
function originOf(
  { base, layer, id, sizeBytes }: BlobNeed,
  targets: readonly TargetState[],
  { context, known, allTargets }: MoveOptions,
  attempt: number,
): Origin {
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
  { sha256Of }: MovedBlob,
  { known, context }: MoveOptions,
): Promise<void> {
  if (layer === undefined || sha256Of === undefined || known.has(layer.key)) return;
  const made = knownLayer(layer.recipe, digest, sha256Of);
  known.set(layer.key, made);
  await context.layerIndex?.add(layerDescriptor(layer.recipe, made));
}
