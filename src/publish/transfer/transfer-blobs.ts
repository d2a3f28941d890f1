import type { Digest } from '../../core/digest.ts';
import { IntegrityError, isAbort, WeighbridgeError } from '../../core/errors.ts';
import { layerDescriptor, resolvedLayer } from '../../image/format/layer-annotations.ts';
import type { RequiredBlob } from '../../image/types.ts';
import type { ImageStore } from '../../store/image-store.ts';
import type { TargetState } from '../target/target-state.ts';
import { type BlobSourceSpec, ownLayerSpec } from './blob-sources.ts';
import { descriptorOf, digestOfBlob, fail, type PlaceOptions, recordResult } from './record-result.ts';
import { runTransfer } from './run-transfer.ts';
import type { TransferReports, TransferredBlob } from './transfer-in-turn.ts';

/** A source that gave wrong bytes is asked once more, from the start. */
const SOURCE_ATTEMPTS = 2;

/**
 * Moves blobs to targets that lack them, one after the other, and notes there what became of each.
 * Throws InterruptedError.
 */
export async function transferBlobs(
  wanted: readonly RequiredBlob[],
  targets: readonly TargetState[],
  options: PlaceOptions,
): Promise<void> {
  const { context, known } = options;
  const reports = reportsOf(wanted, targets, options);
  const downloaded = wanted.map(() => 0);
  for (let attempt = 1; ; attempt++) {
    const blobs = wanted.map(blob => ({
      ...sourceOf(blob, targets, options, attempt),
      digest: digestOfBlob(blob, known),
    }));
    try {
      const sizeBytes = wanted.reduce((sum, blob) => sum + blob.sizeBytes, 0);
      const stores = targets.map(target => target.store);
      const moved = await runTransfer({ blobs, stores, sizeBytes, reports }, context);
      if (moved.every(({ failures }) => failures.size === 0)) context.blobSlots.raise();
      for (const [index, result] of moved.entries()) {
        const blob = wanted[index] as RequiredBlob;
        // Parts of a file that did not get to its end have not shown what they are.
        if (moved.length === wanted.length && result.digest !== undefined)
          await note(blob, result.digest, result, options);
        downloaded[index] = (downloaded[index] ?? 0) + result.readBytes;
      }
      for (const target of targets) recordMoved(target, wanted, moved, downloaded, options);
      return;
    } catch (error) {
      if (isAbort(error) || context.signal?.aborted || !(error instanceof WeighbridgeError)) throw error;
      const isFromRegistry = blobs.some(blob => blob.isFromRegistry);
      const mayHelp = error instanceof IntegrityError || isFromRegistry;
      if (mayHelp && attempt < SOURCE_ATTEMPTS) {
        const what = wanted.map(blob => blob.name).join(', ');
        context.onEvent({ type: 'retry', what, attempt, delayMs: 0, reason: error.message });
        continue;
      }
      for (const target of targets) for (const blob of wanted) fail(target, blob, error, options, false);
      return;
    }
  }
}

/** A blob begins where its first bytes come; the first begins at once. */
function reportsOf(
  wanted: readonly RequiredBlob[],
  targets: readonly TargetState[],
  { context, planned }: PlaceOptions,
): TransferReports {
  const model = planned.model.short;
  let begun = 0;
  const begin = (upTo: number): void => {
    for (; begun <= upTo; begun++) {
      const { name: blob, sizeBytes } = wanted[begun] as RequiredBlob;
      const registries = targets.map(target => target.registry);
      context.onEvent({ type: 'blob-start', model, blob, sizeBytes, targets: registries });
    }
  };
  begin(0);
  return {
    onProgress(index, doneBytes) {
      begin(index);
      const { name: blob } = wanted[index] as RequiredBlob;
      context.onEvent({ type: 'blob-progress', model, blob, doneBytes });
    },
    onRetry(index, store, error, attempt, delayMs) {
      const isTurnedAway = error instanceof WeighbridgeError && error.code === 'REGISTRY_RATE_LIMITED';
      context.onEvent({
        type: 'retry',
        what: `${(wanted[index] as RequiredBlob).name} to ${store.name}`,
        attempt,
        delayMs,
        reason: String(error),
        ...(isTurnedAway && { status: 429 }),
      });
    },
  };
}

/** The one read that fed all targets is counted at the first of them that has the blob: it is zero after that. */
function recordMoved(
  target: TargetState,
  wanted: readonly RequiredBlob[],
  moved: readonly TransferredBlob[],
  downloaded: number[],
  options: PlaceOptions,
): void {
  for (const [index, { failures }] of moved.entries()) {
    const blob = wanted[index] as RequiredBlob;
    const error = failures.get(target.store);
    if (error !== undefined) {
      // It got nothing of what came behind.
      fail(target, blob, error, options);
      return;
    }
    recordResult(target, blob, { how: 'uploaded', downloadedBytes: downloaded[index] ?? 0 }, options);
    downloaded[index] = 0;
  }
}

interface BlobSource {
  readonly from: BlobSourceSpec<ImageStore>;
  readonly isFromRegistry: boolean;
}

/** Where to read from. A second attempt goes to the Hub itself, whatever the registries claim to have. */
function sourceOf(
  blob: RequiredBlob,
  targets: readonly TargetState[],
  { context, known, allTargets }: PlaceOptions,
  attempt: number,
): BlobSource {
  if (blob.kind === 'base') {
    const store = context.openBase(blob.storeName);
    return { from: { kind: 'copy', store, descriptor: blob.descriptor }, isFromRegistry: false };
  }
  const mayTrust = attempt === 1 && !context.isForced;
  const made = known.get(blob.id);
  const holder = allTargets.find(
    target => !targets.includes(target) && made && target.inventory.hasBlob(made.digest),
  );
  if (mayTrust && made !== undefined && holder !== undefined) {
    const descriptor = descriptorOf(blob, made.digest);
    return { from: { kind: 'copy', store: holder.store, descriptor }, isFromRegistry: true };
  }
  const published = mayTrust
    ? allTargets.filter(target => target.unavailable === undefined).map(target => target.inventory)
    : [];
  return { from: ownLayerSpec(blob.layer, published), isFromRegistry: mayTrust };
}

/** Keeps what hashing one of our layers has shown. */
async function note(
  blob: RequiredBlob,
  digest: Digest,
  { sha256Of }: TransferredBlob,
  { known, context, allTargets }: PlaceOptions,
): Promise<void> {
  if (blob.kind === 'base' || sha256Of === undefined || known.has(blob.id)) return;
  const { layer } = blob;
  const made = resolvedLayer(layer, digest, sha256Of);
  known.set(layer.key, made);
  context.cache.noteLayer(made);
  for (const { store, inventory } of allTargets) {
    const claimed = inventory.layer(layer.key)?.digest;
    if (claimed === undefined || claimed === digest) continue;
    context.onEvent({
      type: 'warning',
      text: `${store.name} claims ${claimed} as the layer of ${blob.name}, which it is not: somebody else may have written there. Check who can; \`publish --force\` replaces its images.`,
    });
  }
  await context.layerIndex?.add(layerDescriptor(layer.recipe, made));
}
