import type { BufferPool } from '../../core/buffer-pool.ts';
import type { Digest } from '../../core/digest.ts';
import type { Hub } from '../../hub/types.ts';
import { type ContentHash, sourceHash } from '../../layer/content-hash.ts';
import { type FanOutResult, fanOut } from '../../store/fan-out/fan-out.ts';
import type { ImageStore } from '../../store/image-store.ts';
import { type BlobSourceSpec, openBlobSource } from './blob-sources.ts';

/** A blob and what is known of it beforehand. */
export interface BlobTransfer<Store> {
  readonly from: BlobSourceSpec<Store>;
  readonly digest: Digest | undefined;
}

/** What became of one blob at each store. */
export interface TransferredBlob extends FanOutResult {
  /** sha256 by path of the files in a layer that was made. */
  readonly sha256Of: ReadonlyMap<string, string> | undefined;
}

/** `index` is the blob's among those that are moved in turn. */
export interface TransferReports {
  onProgress(index: number, doneBytes: number): void;
  onRetry(index: number, store: ImageStore, error: unknown, attempt: number, delayMs: number): void;
}

interface TransferInTurnOptions {
  readonly hub: Hub;
  readonly stores: readonly ImageStore[];
  readonly buffers: BufferPool;
  readonly signal: AbortSignal | undefined;
  readonly reports: TransferReports;
}

/**
 * Brings blobs to the same stores, one after the other. Blobs whose digests are not known and that hold the parts of
 * one file belong together, all of them and in order: they are accepted if together they have the file's hash, and an
 * IntegrityError if not. Returns a result for each blob; a store that fails gets no further blob, and if none is left
 * the result ends.
 */
export async function transferInTurn(
  blobs: readonly BlobTransfer<ImageStore>[],
  { hub, stores, buffers, signal, reports }: TransferInTurnOptions,
): Promise<TransferredBlob[]> {
  const whole = wholeOf(blobs);
  const moved: TransferredBlob[] = [];
  let live = stores;
  for (const [index, { from, digest }] of blobs.entries()) {
    const opened = openBlobSource(from, hub, whole);
    const result = await fanOut({
      ...opened,
      ...(digest === undefined ? {} : { digest }),
      stores: live,
      buffers,
      signal,
      onProgress: doneBytes => reports.onProgress(index, doneBytes),
      onRetry: (store, error, attempt, delayMs) => reports.onRetry(index, store, error, attempt, delayMs),
    });
    moved.push({ ...result, sha256Of: opened.sha256Of });
    live = live.filter(store => !result.failures.has(store));
    if (live.length === 0) return moved;
  }
  whole?.finish();
  return moved;
}

function wholeOf(blobs: readonly BlobTransfer<ImageStore>[]): ContentHash | undefined {
  for (const { from, digest } of blobs) {
    if (digest !== undefined || from.kind === 'copy') continue;
    const part = from.recipe.entries.find(entry => entry.content.kind === 'part')?.content;
    if (part?.kind === 'part') return sourceHash(part);
  }
  return undefined;
}
