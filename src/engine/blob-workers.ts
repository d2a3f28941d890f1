import { availableParallelism } from 'node:os';
import type { OnEvent } from '../core/events.ts';
import { WorkerPool } from '../publish/workers/worker-pool.ts';
import type { Services } from './services.ts';
import { blobWorkerEntry } from './worker-entry.ts';

/** More threads than cores never helped, and no network that was measured needs more than these. */
const MAX_WORKERS = 8;

/** What worker threads are started with. */
export interface BlobWorkerContext {
  readonly env: NodeJS.ProcessEnv;
  readonly services: Services;
  readonly onEvent: OnEvent;
}

/** Returns threads for the bytes of large blobs: one a core, started when there is something to do. */
export function createBlobWorkers({ env, services, onEvent }: BlobWorkerContext): WorkerPool {
  return new WorkerPool({
    entry: blobWorkerEntry(),
    size: Math.min(availableParallelism(), MAX_WORKERS),
    env,
    credentials: services.credentials,
    onEvent,
  });
}
