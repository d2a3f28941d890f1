import { parentPort, workerData } from 'node:worker_threads';
import { serveJobs } from '../publish/workers/serve-jobs.ts';
import { createServices } from './services.ts';

/** What a worker thread runs: the same outside world as the main thread's, but for the logins, which it asks for. */
if (parentPort === null) throw new Error('this module is for worker threads');
const { env } = workerData as { readonly env: NodeJS.ProcessEnv };
serveJobs(parentPort, (findCredential, onEvent) => createServices(env, onEvent, findCredential));
