/**
 * Runs `work` over `items`, at most `limit` at once. Returns the results in the order of the items. The first error
 * stops new work from starting and is thrown once running work has ended. Throws RangeError.
 */
export async function mapPool<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  if (!Number.isInteger(limit) || limit < 1)
    throw new RangeError(`expected a limit of 1 or more, got ${limit}`);
  const results = new Array<R>(items.length);
  let next = 0;
  let failure: { error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    while (next < items.length && failure === undefined) {
      const index = next++;
      try {
        results[index] = await work(items[index] as T, index);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failure !== undefined) throw failure.error;
  return results;
}

/**
 * Returns a function that computes once per key; callers that come while it runs share the one computation. Errors are
 * not kept.
 */
export function memoizeAsync<K, V>(compute: (key: K) => Promise<V>): (key: K) => Promise<V> {
  const known = new Map<K, Promise<V>>();
  return key => {
    let value = known.get(key);
    if (value === undefined) {
      value = compute(key);
      known.set(key, value);
      value.catch(() => known.delete(key));
    }
    return value;
  };
}

/** Lets one holder in at a time, in the order of asking. */
export class Mutex {
  #tail: Promise<unknown> = Promise.resolve();

  /** Returns what `work` does, once all work before it has ended, well or not. Rejects as `work` does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

/**
 * Lets at most `limit` pieces of work run at once, whatever asks; the rest wait in line. `lower` and `raise` move the
 * bound between 1 and `limit`; what runs already goes on.
 */
export class Limiter {
  readonly #limit: number;
  #bound: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    if (!Number.isInteger(limit) || limit < 1)
      throw new RangeError(`expected a limit of 1 or more, got ${limit}`);
    this.#limit = limit;
    this.#bound = limit;
  }

  /** Returns what `work` does, which starts when there is room for it. Rejects as `work` does. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    // The releaser has already counted the waiter it wakes.
    if (this.#running < this.#bound) this.#running += 1;
    else await new Promise<void>(resolve => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#letIn();
    }
  }

  /** Halves the bound. */
  lower(): void {
    this.#bound = Math.max(1, Math.floor(this.#bound / 2));
  }

  /** One more at once, up to the limit. */
  raise(): void {
    this.#bound = Math.min(this.#limit, this.#bound + 1);
    this.#letIn();
  }

  #letIn(): void {
    while (this.#running < this.#bound) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#running += 1;
      next();
    }
  }
}

/** Waits for all, then throws the first error there was: nothing goes on behind the caller's back. */
export async function allSettledOrThrow(work: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const failed = results.find(result => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
