import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { InterruptedError } from '../core/errors.ts';

export interface RetryPolicy {
  /** Tries in all, the first included. */
  readonly attempts: number;
  /** The first delay is up to this; it doubles with each try. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** A server that asks for a longer wait than this is not waited for. */
  readonly maxServerWaitMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = {
  attempts: 5,
  baseMs: 400,
  maxMs: 20_000,
  maxServerWaitMs: 360_000,
};

/** Full jitter: anything from nothing to the exponential bound (Brooker, "Exponential Backoff And Jitter"). */
export function backoffMs(attempt: number, policy: RetryPolicy, random: () => number = Math.random): number {
  return Math.floor(random() * Math.min(policy.maxMs, policy.baseMs * 2 ** (attempt - 1)));
}

/**
 * The wait a server asks for, in ms: `Retry-After` (seconds or a date), else the Hub's `RateLimit: "…";r=0;t=<s>`.
 * Undefined where it asks for none.
 */
export function serverWaitMs(headers: IncomingHttpHeaders): number | undefined {
  const retryAfter = headers['retry-after'];
  if (retryAfter !== undefined) {
    if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * 1000;
    const date = Date.parse(retryAfter);
    // By the server's own clock, where it says what that shows: ours may be wrong.
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

export function isRetryableStatus(status: number): boolean {
  return (
    status === 408 || status === 425 || status === 429 || status === 500 || (status >= 502 && status <= 504)
  );
}

/** Waits, or throws InterruptedError as soon as `signal` fires. */
export async function pause(delayMs: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
  } catch {
    throw new InterruptedError();
  }
}
