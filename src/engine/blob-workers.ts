import { availableParallelism } from 'node:os';
import type { OnEvent } from '../core/events.ts';
import { WorkerPool } from '../publish/workers/worker-pool.ts';
import type { Services } from './services.ts';

/** More threads than cores never helped, and no network that was measured needs more than these. */
const MAX_WORKERS = 8;

export interface BlobWorkerContext {
  readonly env: NodeJS.ProcessEnv;
  readonly services: Services;
  readonly onEvent: OnEvent;
}

/** Returns threads for the bytes of large blobs: one a core, started when there is something to do. */
export function createBlobWorkers({ env, services, onEvent }: BlobWorkerContext): WorkerPool {
  // The sources run as they are in a clone; a published package has them compiled.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new WorkerPool({
    entry: new URL(`./blob-worker.${extension}`, import.meta.url),
    size: Math.min(availableParallelism(), MAX_WORKERS),
    env,
    credentials: services.credentials,
    onEvent,
  });
}
