// What the single file runs: the command, and in its worker threads the part that moves blobs.
import { isMainThread } from 'node:worker_threads';

if (isMainThread) await import('../../src/cli/main.ts');
else await import('../../src/engine/blob-worker.ts');
