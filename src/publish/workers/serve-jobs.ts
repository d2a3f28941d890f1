import type { MessagePort } from 'node:worker_threads';
import { BufferPool } from '../../core/buffer-pool.ts';
import { errorFromWire, errorToWire } from '../../core/error-wire.ts';
import type { ProgressEvent } from '../../core/events.ts';
import type { Hub } from '../../hub/types.ts';
import type { Credential, FindCredential } from '../../store/auth/types.ts';
import type { ImageStore, RemoteRepository } from '../../store/image-store.ts';
import type { BlobJob, FromWorker, JobResult, ToWorker } from '../transfer/blob-job.ts';
import type { BlobSourceSpec } from '../transfer/blob-sources.ts';
import { transferInTurn } from '../transfer/transfer-in-turn.ts';

/** The outside world as a worker thread has it. */
export interface WorkerServices {
  readonly hub: Hub;
  openRepository(
    name: string,
    access: RemoteRepository['access'],
    connection?: RemoteRepository['connection'],
  ): ImageStore;
}

/** Progress is for people: more often than this it is not told. */
const PROGRESS_MS = 100;

/**
 * The worker's side: does jobs as they come, any number at once. `wire` makes its services; the logins that it needs
 * are asked of the main thread.
 */
export function serveJobs(
  port: MessagePort,
  wire: (find: FindCredential, onEvent: (event: ProgressEvent) => void) => WorkerServices,
): void {
  const send = (message: FromWorker): void => port.postMessage(message);
  const logins = new CredentialQuestions(send);
  const services = wire(logins.find, event => send({ type: 'event', event }));
  const buffers = new BufferPool();
  const running = new Map<number, AbortController>();
  port.on('message', (message: ToWorker) => {
    if (message.type === 'credential') logins.answer(message);
    else if (message.type === 'abort') running.get(message.id)?.abort();
    else void run(message.id, message.job);
  });

  async function run(id: number, job: BlobJob): Promise<void> {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const results = await runJob(job, { services, buffers, id, send, signal: controller.signal });
      send({ type: 'done', id, results });
    } catch (error) {
      send({ type: 'failed', id, error: errorToWire(error) });
    } finally {
      running.delete(id);
    }
  }
}

async function runJob(
  job: BlobJob,
  context: {
    readonly services: WorkerServices;
    readonly buffers: BufferPool;
    readonly id: number;
    readonly send: (message: FromWorker) => void;
    readonly signal: AbortSignal;
  },
): Promise<JobResult[]> {
  const { services, buffers, id, send, signal } = context;
  const open = ({ name, access, connection }: RemoteRepository): ImageStore =>
    services.openRepository(name, access, connection);
  const stores = job.targets.map(open);
  const blobs = job.blobs.map(blob => ({ ...blob, from: opened(blob.from, open) }));
  let toldAtMs = 0;
  const moved = await transferInTurn(blobs, {
    hub: services.hub,
    stores,
    buffers,
    signal,
    reports: {
      onProgress(index, doneBytes) {
        const nowMs = performance.now();
        if (nowMs - toldAtMs < PROGRESS_MS) return;
        toldAtMs = nowMs;
        send({ type: 'progress', id, index, doneBytes });
      },
      onRetry(index, store, error, attempt, delayMs) {
        const targetIndex = stores.indexOf(store);
        send({ type: 'retry', id, index, targetIndex, error: errorToWire(error), attempt, delayMs });
      },
    },
  });
  return moved.map(({ failures, ...result }) => ({
    ...result,
    failures: [...failures].map(([store, error]) => [stores.indexOf(store), errorToWire(error)]),
  }));
}

function opened(
  from: BlobSourceSpec<RemoteRepository>,
  open: (remote: RemoteRepository) => ImageStore,
): BlobSourceSpec<ImageStore> {
  if (from.kind === 'copy') return { ...from, store: open(from.store) };
  return { ...from, published: from.published.map(place => ({ ...place, store: open(place.store) })) };
}

class CredentialQuestions {
  readonly #send: (message: FromWorker) => void;
  readonly #asked = new Map<
    number,
    { resolve(value: Credential | undefined): void; reject(error: Error): void }
  >();
  #next = 0;

  constructor(send: (message: FromWorker) => void) {
    this.#send = send;
  }

  readonly find: FindCredential = (registry, repository, refused) =>
    new Promise((resolve, reject) => {
      const question = this.#next++;
      this.#asked.set(question, { resolve, reject });
      this.#send({ type: 'credential', question, registry, repository, refused });
    });

  answer({ question, credential, error }: ToWorker & { type: 'credential' }): void {
    const asked = this.#asked.get(question);
    this.#asked.delete(question);
    if (error === undefined) asked?.resolve(credential);
    else asked?.reject(errorFromWire(error));
  }
}
