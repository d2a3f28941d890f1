import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

/**
 * A number of things that all threads of this process may have at once. Threads that start later share what the first
 * one made. A thread that dies takes what it had with it.
 */
export class SharedBudget {
  readonly #left: Int32Array;

  constructor(name: string, limit: number) {
    if (!Number.isInteger(limit) || limit < 0)
      throw new RangeError(`expected a limit of 0 or more, got ${limit}`);
    const key = `weighbridge:${name}`;
    let memory = getEnvironmentData(key) as unknown as SharedArrayBuffer | undefined;
    if (memory === undefined) {
      memory = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
      new Int32Array(memory)[0] = limit;
      setEnvironmentData(key, memory as never);
    }
    this.#left = new Int32Array(memory);
  }

  /** False if nothing is left; no one waits. */
  take(): boolean {
    for (;;) {
      const left = Atomics.load(this.#left, 0);
      if (left <= 0) return false;
      if (Atomics.compareExchange(this.#left, 0, left, left - 1) === left) return true;
    }
  }

  /** Returns one that `take` has got. */
  giveBack(): void {
    Atomics.add(this.#left, 0, 1);
  }

  get left(): number {
    return Atomics.load(this.#left, 0);
  }
}
