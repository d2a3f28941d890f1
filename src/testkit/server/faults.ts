/** What a rule is matched against. A RegExp sees `GET cdn /path?query`, decoded. */
export interface FaultTarget {
  readonly method: string;
  /** Which of the servers: `hub` or `cdn`, `registry` or `cdn`. */
  readonly origin: string;
  readonly path: string;
  /** With the `?`, decoded; empty if there is none. */
  readonly query: string;
  readonly range: string | undefined;
}

/** What goes wrong with a request. */
export type FaultKind =
  /** Answers with `status` (default 500), `headers` and `body` in place of what would have come. */
  | 'status'
  /** Resets the connection after `afterBytes` of the body: the request's for POST, PATCH and PUT, else the answer's. */
  | 'reset'
  /** Falls silent there and keeps the connection open. */
  | 'stall'
  /** Closes the connection there in good order, the answer unfinished. */
  | 'truncate'
  /** Does what was asked and resets the connection in place of answering. */
  | 'lose-answer'
  /** Flips one bit of the body's byte at `afterBytes` (whose body: as for `reset`). */
  | 'corrupt'
  /** Waits `delayMs`, then moves `bytesPerSecond` (default 65,536). */
  | 'slow'
  /** Waits for `until`, then answers as usual. */
  | 'hold'
  /** The signed link in the answer has already expired. */
  | 'expire-link'
  /** Says that the body has `afterBytes` bytes (default: one less than it has), and sends those. */
  | 'wrong-length'
  /** The usual answer with `headers` put over its own (undefined leaves one out) and its text through `editBody`. */
  | 'edit';

/** Which requests a fault happens to, and how often. */
export interface FaultRule {
  readonly match: RegExp | ((target: FaultTarget) => boolean);
  readonly kind: FaultKind;
  /** How many matching requests it strikes. Default 1. */
  readonly times?: number;
  /** How many matching requests go through before. Default 0. */
  readonly skip?: number;
  readonly afterBytes?: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly editBody?: (text: string) => string;
  readonly bytesPerSecond?: number;
  readonly delayMs?: number;
  readonly until?: Promise<unknown>;
}

/** A fault that has been added, for a test to look at or to take away. */
export interface AddedFault {
  /** How often it has struck. */
  readonly struck: number;
  remove(): void;
}

/** The faults that a server has been asked for; the first rule that matches a request strikes it, alone. */
export class Faults {
  #rules: { rule: FaultRule; seen: number; struck: number }[] = [];

  /** Adds a rule, behind those that are there. */
  add(rule: FaultRule): AddedFault {
    const entry = { rule, seen: 0, struck: 0 };
    this.#rules.push(entry);
    return {
      get struck() {
        return entry.struck;
      },
      remove: () => {
        this.#rules = this.#rules.filter(other => other !== entry);
      },
    };
  }

  clear(): void {
    this.#rules = [];
  }

  /** The fault for this request, used up by the call. */
  take(target: FaultTarget): FaultRule | undefined {
    for (const entry of this.#rules) {
      const { rule } = entry;
      if (entry.struck >= (rule.times ?? 1) || !matches(rule, target)) continue;
      entry.seen += 1;
      if (entry.seen <= (rule.skip ?? 0)) continue;
      entry.struck += 1;
      return rule;
    }
    return undefined;
  }
}

function matches({ match }: FaultRule, target: FaultTarget): boolean {
  if (typeof match === 'function') return match(target);
  // A global or sticky expression remembers where it stopped; a rule must not.
  return new RegExp(match.source, match.flags.replace(/[gy]/g, '')).test(
    `${target.method} ${target.origin} ${target.path}${target.query}`,
  );
}
