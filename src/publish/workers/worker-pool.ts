import { Worker } from 'node:worker_threads';
import { errorFromWire, errorToWire } from '../../core/error-wire.ts';
import { InterruptedError } from '../../core/errors.ts';
import type { OnEvent } from '../../core/events.ts';
import type { FindCredential } from '../../store/auth/types.ts';
import type {
  BlobJob,
  BlobWorkers,
  FromWorker,
  JobReports,
  JobResult,
  ToWorker,
} from '../transfer/blob-job.ts';

interface WorkerPoolOptions {
  /** The module that a worker runs; it calls `serveJobs`. */
  readonly entry: URL;
  /** Threads, started as they are needed. */
  readonly size: number;
  readonly env: NodeJS.ProcessEnv;
  readonly credentials: FindCredential;
  readonly onEvent: OnEvent;
}

interface Running {
  readonly reports: JobReports;
  resolve(results: readonly JobResult[]): void;
  reject(error: Error): void;
}

interface Thread {
  readonly worker: Worker;
  readonly running: Map<number, Running>;
}

/** Young objects are few where bytes go round in buffers, and a large nursery would only be memory. */
const NURSERY_MB = 4;

/**
 * Threads that move blobs, each with its own connections, hashes and buffers: the whole way of a byte is in one thread,
 * and nothing but jobs, answers and now and then a number crosses between them.
 */
export class WorkerPool implements BlobWorkers {
  readonly #options: WorkerPoolOptions;
  readonly #threads: Thread[] = [];
  #nextId = 0;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  async run(
    job: BlobJob,
    reports: JobReports,
    signal: AbortSignal | undefined,
  ): Promise<readonly JobResult[]> {
    if (signal?.aborted) throw new InterruptedError();
    const thread = this.#choose();
    const id = this.#nextId++;
    const send = (message: ToWorker): void => thread.worker.postMessage(message);
    const abort = (): void => send({ type: 'abort', id });
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await new Promise<readonly JobResult[]>((resolve, reject) => {
        thread.running.set(id, { reports, resolve, reject });
        send({ type: 'run', id, job });
      });
    } finally {
      thread.running.delete(id);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Ends the threads; a job that still runs in one fails. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map(({ worker }) => worker.terminate()));
  }

  /** The thread with the least to do, or a new one rather than to have one do two jobs. */
  #choose(): Thread {
    const [idlest] = this.#threads.toSorted((a, b) => a.running.size - b.running.size);
    const isFull = this.#threads.length >= this.#options.size;
    return idlest !== undefined && (idlest.running.size === 0 || isFull) ? idlest : this.#start();
  }

  #start(): Thread {
    const { entry, env } = this.#options;
    const worker = new Worker(entry, {
      workerData: { env: { ...env } },
      resourceLimits: { maxYoungGenerationSizeMb: NURSERY_MB },
    });
    const thread: Thread = { worker, running: new Map() };
    this.#threads.push(thread);
    const fail = (error: Error): void => {
      const index = this.#threads.indexOf(thread);
      if (index !== -1) this.#threads.splice(index, 1);
      for (const { reject } of thread.running.values()) reject(error);
    };
    worker.on('message', (message: FromWorker) => void this.#hear(thread, message));
    worker.once('error', fail);
    worker.once('exit', status => fail(new Error(`a worker thread ended with status ${status}`)));
    return thread;
  }

  async #hear({ worker, running }: Thread, message: FromWorker): Promise<void> {
    switch (message.type) {
      case 'event':
        this.#options.onEvent(message.event);
        return;
      case 'progress':
        running.get(message.id)?.reports.onProgress(message.index, message.doneBytes);
        return;
      case 'retry': {
        const { id, index, targetIndex, error, attempt, delayMs } = message;
        running.get(id)?.reports.onRetry(index, targetIndex, errorFromWire(error), attempt, delayMs);
        return;
      }
      case 'done':
        running.get(message.id)?.resolve(message.results);
        return;
      case 'failed':
        running.get(message.id)?.reject(errorFromWire(message.error));
        return;
      case 'credential':
        worker.postMessage(await this.#credential(message));
    }
  }

  async #credential({
    question,
    registry,
    repository,
    refused,
  }: FromWorker & { type: 'credential' }): Promise<ToWorker> {
    const type = 'credential';
    try {
      const credential = await this.#options.credentials(registry, repository, refused);
      return { type, question, credential };
    } catch (error) {
      return { type, question, error: errorToWire(error) };
    }
  }
}
