import { availableParallelism } from 'node:os';
import { WorkerPool } from '../publish/workers/worker-pool.ts';
import type { Session } from './session.ts';

/** More threads than cores never helped, and no network that was measured needs more than these. */
const MAX_WORKERS = 8;

/** Threads for the bytes of large blobs: one a core, started when there is something to do. */
export function createBlobWorkers({ env, services, progress }: Session): WorkerPool {
  // The sources run as they are in a clone; a published package has them compiled.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new WorkerPool({
    entry: new URL(`./blob-worker.${extension}`, import.meta.url),
    size: Math.min(availableParallelism(), MAX_WORKERS),
    env,
    credentials: services.credentials,
    onEvent: progress.onEvent,
  });
}
