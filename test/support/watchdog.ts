import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

/** Far more than any scenario takes; what is still running then is not merely slow. */
const LIMIT_MS = 30_000;
const ANSWER_MS = 5000;

/**
 * Runs `scenario`, a function that `module` exports, in a thread of its own and gives what it returns. A loop that never
 * yields would stop the test that is to find it, and every signal with it; from outside it can be seen and ended.
 */
export async function watched(module: string, scenario: string): Promise<string> {
  const worker = new Worker(new URL('./watchdog-thread.ts', import.meta.url), {
    workerData: { module, scenario },
  });
  try {
    const ended = once(worker, 'message').then(([text]) => String(text));
    const late = sleep(LIMIT_MS, undefined, { ref: false });
    const outcome = await Promise.race([ended, late]);
    if (outcome !== undefined) return outcome;
    const answer = once(worker, 'message').then(() => 'its event loop turns');
    worker.postMessage('ping');
    const silence = sleep(ANSWER_MS, 'its event loop stands still: no signal gets through', { ref: false });
    return `still running after ${LIMIT_MS / 1000} s; ${await Promise.race([answer, silence])}`;
  } finally {
    await worker.terminate();
  }
}
