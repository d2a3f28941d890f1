import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

/** Far more than any scenario takes; what is still running then is not merely slow. */
const LIMIT_MS = 60_000;
const ANSWER_MS = 10_000;

/**
 * Runs scenarios, functions that `module` exports, in a thread of its own. A loop that never yields would stop the test
 * that is to find it, and every signal with it; from outside it can be seen and ended.
 */
export class Watchdog {
  readonly #module: string;
  #worker: Worker | undefined;

  constructor(module: string) {
    this.#module = module;
  }

  /** What the scenario returns, or what is the matter with it. */
  async run(scenario: string): Promise<string> {
    this.#worker ??= new Worker(new URL('./watchdog-thread.ts', import.meta.url), {
      workerData: { module: this.#module },
    });
    const worker = this.#worker;
    const told = (kind: string): Promise<string> =>
      new Promise(resolve => {
        worker.on('message', (message: { kind: string; text: string }) => {
          if (message.kind === kind) resolve(message.text);
        });
      });
    const ended = told(scenario);
    worker.postMessage(scenario);
    const outcome = await Promise.race([ended, sleep(LIMIT_MS, undefined, { ref: false })]);
    worker.removeAllListeners('message');
    if (outcome !== undefined) return outcome;
    const answer = told('pong').then(() => 'its event loop turns');
    worker.postMessage('ping');
    const silence = sleep(ANSWER_MS, 'its event loop stands still: no signal gets through', { ref: false });
    const state = await Promise.race([answer, silence]);
    await this.close();
    return `still running after ${LIMIT_MS / 1000} s; ${state}`;
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker === undefined) return;
    const exit = once(worker, 'exit');
    await worker.terminate();
    await exit.catch(() => undefined);
  }
}
