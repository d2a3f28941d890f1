import { BufferPool } from '../../core/buffer-pool.ts';
import { errorFromWire } from '../../core/error-wire.ts';
import type { ImageStore } from '../../store/image-store.ts';
import type { PublishContext } from '../types.ts';
import { blobJob } from './blob-job.ts';
import {
  type BlobTransfer,
  type TransferReports,
  type TransferredBlob,
  transferInTurn,
} from './transfer-in-turn.ts';

/** A blob on its way from a source to stores. */
export interface Transfer {
  /** One after the other; see `transferInTurn`. */
  readonly blobs: readonly BlobTransfer<ImageStore>[];
  readonly stores: readonly ImageStore[];
  /** Of all blobs. */
  readonly sizeBytes: number;
  readonly reports: TransferReports;
}

/** What is smaller than this is done sooner than a thread has started. */
const MIN_JOB_BYTES = 8 * 1024 * 1024;

const buffers = new BufferPool();

/**
 * Brings blobs to their stores: in a worker thread if there are any and the stores are registries, else here. Returns a
 * result for each blob.
 */
export async function runTransfer(
  { blobs, stores, sizeBytes, reports }: Transfer,
  { hub, workers, signal }: Pick<PublishContext, 'hub' | 'workers' | 'signal'>,
): Promise<TransferredBlob[]> {
  const job = sizeBytes < MIN_JOB_BYTES ? undefined : blobJob(blobs, stores);
  if (workers === undefined || job === undefined)
    return await transferInTurn(blobs, { hub, stores, buffers, signal, reports });
  const storeAt = (index: number): ImageStore => stores[index] as ImageStore;
  const results = await workers.run(
    job,
    {
      onProgress: reports.onProgress,
      onRetry: (index, target, error, attempt, delayMs) =>
        reports.onRetry(index, storeAt(target), error, attempt, delayMs),
    },
    signal,
  );
  return results.map(result => ({
    ...result,
    failures: new Map(result.failures.map(([index, error]) => [storeAt(index), errorFromWire(error)])),
  }));
}
