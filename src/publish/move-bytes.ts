import { BufferPool } from '../core/buffer-pool.ts';
import type { Digest } from '../core/digest.ts';
import { errorFromWire } from '../core/error-wire.ts';
import type { ImageStore } from '../store/image-store.ts';
import { type OriginPlan, openOrigin } from './blob-sources.ts';
import { type TransferResult, transferBlob } from './transfer.ts';
import type { PublishContext } from './types.ts';
import { blobJob } from './workers/blob-job.ts';

export interface BytesMove {
  readonly origin: OriginPlan<ImageStore>;
  readonly stores: readonly ImageStore[];
  readonly sizeBytes: number;
  readonly digest: Digest | undefined;
  readonly onProgress: (doneBytes: number) => void;
  readonly onRetry: (store: ImageStore, error: unknown, attempt: number, delayMs: number) => void;
}

export interface BytesMoved extends TransferResult {
  /** sha256 by path of the files in a layer that was made. */
  readonly sha256Of: ReadonlyMap<string, string> | undefined;
}

/** A blob smaller than this is done sooner than a thread has started. */
const MIN_JOB_BYTES = 8 * 1024 * 1024;

const buffers = new BufferPool();

/** Brings one blob to its stores: in a worker thread where there are any and the stores are registries, else here. */
export async function moveBytes(
  move: BytesMove,
  { hub, workers, signal }: Pick<PublishContext, 'hub' | 'workers' | 'signal'>,
): Promise<BytesMoved> {
  const { origin: plan, stores, digest, sizeBytes, onProgress, onRetry } = move;
  const job = sizeBytes < MIN_JOB_BYTES ? undefined : blobJob(plan, stores, digest);
  if (workers === undefined || job === undefined) {
    const origin = openOrigin(plan, hub);
    const common = { stores, signal, buffers, onProgress, onRetry };
    const result = await transferBlob({ ...origin, ...common, ...(digest === undefined ? {} : { digest }) });
    return { ...result, sha256Of: origin.sha256Of };
  }
  const storeAt = (index: number): ImageStore => stores[index] as ImageStore;
  const result = await workers.run(
    job,
    {
      onProgress,
      onRetry: (index, error, attempt, delayMs) => onRetry(storeAt(index), error, attempt, delayMs),
    },
    signal,
  );
  return {
    ...result,
    failures: new Map(result.failures.map(([index, error]) => [storeAt(index), errorFromWire(error)])),
  };
}
