import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError, InterruptedError } from '../core/errors.ts';
import { quoted } from '../core/safe-text.ts';

/** How often and how long something is tried again. Times are milliseconds. */
export interface RetryPolicy {
  /** Tries at least, the first included. */
  readonly attempts: number;
  /** And as many more as fit into this time after the first one failed; only answers and broken connections count. */
  readonly patienceMs: number;
  /** The first delay is up to this; it doubles with each try. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** A server that asks for a longer wait than this is not waited for. */
  readonly maxServerWaitMs: number;
}

/** How requests are tried again unless the environment says otherwise. Times in ms. */
export const DEFAULT_RETRY: RetryPolicy = {
  attempts: 5,
  patienceMs: 0,
  baseMs: 400,
  maxMs: 20_000,
  maxServerWaitMs: 360_000,
};

const DEFAULT_PATIENCE_SECONDS = 60;

/** Less than this does not count as progress: in the time in which a server may be silent it is as good as silence. */
export const MIN_PROGRESS_BYTES = 256;

/** Returns for how many ms to try again, by `WEIGHBRIDGE_RETRY_SECONDS`. Throws ConfigError USAGE. */
export function patienceFromEnv(env: NodeJS.ProcessEnv): number {
  const text = env.WEIGHBRIDGE_RETRY_SECONDS || String(DEFAULT_PATIENCE_SECONDS);
  if (/^\d{1,4}$/.test(text) && Number(text) <= 3600) return Number(text) * 1000;
  throw new ConfigError(`WEIGHBRIDGE_RETRY_SECONDS must be a number from 0 to 3600, not ${quoted(text)}`, {
    code: 'USAGE',
    subject: 'WEIGHBRIDGE_RETRY_SECONDS',
    remedy: 'Unset it, or set it to how many seconds a request that fails is tried again.',
  });
}

/** Counts the tries of one thing, and says when it is time to give it up. */
export class Retries {
  /** How many tries have failed since the last progress. */
  failed = 0;
  readonly #policy: RetryPolicy;
  readonly #nowMs: () => number;
  #sinceMs = 0;

  constructor(policy: RetryPolicy, nowMs: () => number = () => performance.now()) {
    this.#policy = policy;
    this.#nowMs = nowMs;
  }

  /** After a failure: whether to try once more. A host that is not there will not be there in a minute either. */
  again(error?: unknown): boolean {
    this.failed += 1;
    if (this.failed === 1) this.#sinceMs = this.#nowMs();
    const { attempts, patienceMs } = this.#policy;
    if (this.failed < attempts) return true;
    return !isUnreachable(error) && this.#nowMs() - this.#sinceMs < patienceMs;
  }

  /** So many bytes have come, or gone, since the last try: the count begins anew, unless they are next to none. */
  progress(bytes: number): void {
    if (bytes >= MIN_PROGRESS_BYTES) this.failed = 0;
  }
}

const UNREACHABLE = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN']);

function isUnreachable(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (UNREACHABLE.has(String((cause as NodeJS.ErrnoException).code))) return true;
  }
  return false;
}

/**
 * Returns a wait in ms with full jitter: anything from nothing to the exponential bound (Brooker, "Exponential Backoff
 * And Jitter").
 */
export function backoffMs(attempt: number, policy: RetryPolicy, random: () => number = Math.random): number {
  return Math.floor(random() * Math.min(policy.maxMs, policy.baseMs * 2 ** (attempt - 1)));
}

/**
 * Returns the wait a server asks for, in ms: `Retry-After` (seconds or a date), else the Hub's `RateLimit:
 * "…";r=0;t=<s>`. Undefined if it asks for none.
 */
export function serverWaitMs(headers: IncomingHttpHeaders): number | undefined {
  const retryAfter = headers['retry-after'];
  if (retryAfter !== undefined) {
    if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * 1000;
    const date = Date.parse(retryAfter);
    // By the server's own clock, if it says what that shows: ours may be wrong.
    const said = Date.parse(headers.date ?? '');
    const nowMs = Number.isNaN(said) ? Date.now() : said;
    if (!Number.isNaN(date)) return Math.max(0, date - nowMs);
  }
  const rateLimit = headers.ratelimit;
  if (typeof rateLimit === 'string') {
    const left = /;\s*r=(\d+)/.exec(rateLimit)?.[1];
    const seconds = /;\s*t=(\d+)/.exec(rateLimit)?.[1];
    if (seconds !== undefined && (left === undefined || left === '0')) return Number(seconds) * 1000;
  }
  return undefined;
}

/** Returns whether a status may pass if the request is tried again. */
export function isRetryableStatus(status: number): boolean {
  return PASSING.has(status);
}

const PASSING: ReadonlySet<number> = new Set([
  ...[408, 425, 429, 500, 502, 503, 504],
  // Of nginx for a connection that the other side has closed, and of Cloudflare for a server that it cannot reach.
  ...[499, 520, 521, 522, 523, 524],
]);

/** Waits, or throws InterruptedError as soon as `signal` fires. */
export async function pause(delayMs: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
  } catch {
    throw new InterruptedError();
  }
}
