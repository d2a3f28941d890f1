import type { Digest } from '../../core/digest.ts';
import type { WireError } from '../../core/error-wire.ts';
import type { ProgressEvent } from '../../core/events.ts';
import type { Credential } from '../../store/auth/types.ts';
import type { ImageStore, RemoteRepository } from '../../store/image-store.ts';
import type { BlobSourceSpec } from './blob-sources.ts';
import type { BlobTransfer } from './transfer-in-turn.ts';

/** The way of blobs from where they come from to all of their targets, as data that another thread can be given. */
export interface BlobJob {
  /** One after the other. */
  readonly blobs: readonly BlobTransfer<RemoteRepository>[];
  readonly targets: readonly RemoteRepository[];
}

/** Of one blob. */
export interface JobResult {
  readonly digest: Digest | undefined;
  readonly readBytes: number;
  /** By the index of the target. */
  readonly failures: readonly (readonly [index: number, error: WireError])[];
  readonly sha256Of: ReadonlyMap<string, string> | undefined;
}

/** What a job in a worker reports. `index` is the blob's in the job, `delayMs` the wait before the next try. */
export interface JobReports {
  onProgress(index: number, doneBytes: number): void;
  onRetry(index: number, targetIndex: number, error: unknown, attempt: number, delayMs: number): void;
}

/** Moves blobs elsewhere than in this thread. */
export interface BlobWorkers {
  /** Throws what concerns the source, like `fanOut`. */
  run(job: BlobJob, reports: JobReports, signal: AbortSignal | undefined): Promise<readonly JobResult[]>;
}

/** A message to a worker thread. */
export type ToWorker =
  | { readonly type: 'run'; readonly id: number; readonly job: BlobJob }
  | { readonly type: 'abort'; readonly id: number }
  | {
      readonly type: 'credential';
      readonly question: number;
      readonly credential?: Credential | undefined;
      readonly error?: WireError;
    };

/** A message from a worker thread. */
export type FromWorker =
  | { readonly type: 'progress'; readonly id: number; readonly index: number; readonly doneBytes: number }
  | {
      readonly type: 'retry';
      readonly id: number;
      readonly index: number;
      readonly targetIndex: number;
      readonly error: WireError;
      readonly attempt: number;
      readonly delayMs: number;
    }
  | { readonly type: 'event'; readonly event: ProgressEvent }
  | { readonly type: 'done'; readonly id: number; readonly results: readonly JobResult[] }
  | { readonly type: 'failed'; readonly id: number; readonly error: WireError }
  /** Logins stay in the main thread, which asks helpers and files once for all. */
  | {
      readonly type: 'credential';
      readonly question: number;
      readonly registry: string;
      readonly repository: string;
      readonly refused: Credential | undefined;
    };

/** Returns the job for blobs whose stores can all be opened from another thread; undefined if one cannot. */
export function blobJob(
  blobs: readonly BlobTransfer<ImageStore>[],
  stores: readonly ImageStore[],
): BlobJob | undefined {
  const targets = stores.map(store => store.remote);
  if (!targets.every(target => target !== undefined)) return undefined;
  const remote: BlobTransfer<RemoteRepository>[] = [];
  for (const blob of blobs) {
    const from = toRemote(blob.from);
    if (from === undefined) return undefined;
    remote.push({ ...blob, from });
  }
  return { blobs: remote, targets };
}

function toRemote(from: BlobSourceSpec<ImageStore>): BlobSourceSpec<RemoteRepository> | undefined {
  if (from.kind === 'copy') {
    const { remote } = from.store;
    return remote && { ...from, store: remote };
  }
  const published = [];
  for (const { store, ...place } of from.published) {
    if (store.remote === undefined) return undefined;
    published.push({ ...place, store: store.remote });
  }
  return { ...from, published };
}
