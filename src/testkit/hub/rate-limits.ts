import type { Exchange } from '../server/exchange.ts';
import { hubError } from './access.ts';

/** The Hub's own words for the two; what is fetched from `resolve-cache` is in neither. */
export type RateLimited = 'api' | 'resolvers';

/** How many requests the Hub takes. */
export interface RateLimitOptions {
  /** Requests a window; the real ones are 500 and 3,000 for those who are not logged in. Default: no limit. */
  readonly api?: number;
  readonly resolvers?: number;
  /** Default five minutes, as on the Hub. */
  readonly windowMs?: number;
}

/** Counts requests in windows of fixed length; https://huggingface.co/docs/hub/rate-limits */
export class RateLimits {
  readonly #options: RateLimitOptions;
  readonly #windows = new Map<RateLimited, { count: number; endsAtMs: number }>();

  constructor(options: RateLimitOptions = {}) {
    this.#options = options;
  }

  /** Throws the Hub's 429 if the limit is reached. */
  count(exchange: Exchange, kind: RateLimited): void {
    const limit = this.#options[kind];
    const windowMs = this.#options.windowMs ?? 300_000;
    const now = Date.now();
    let window = this.#windows.get(kind);
    if (window === undefined || window.endsAtMs <= now) {
      window = { count: 0, endsAtMs: now + windowMs };
      this.#windows.set(kind, window);
    }
    window.count += 1;
    const shown = limit ?? 1_000_000;
    const seconds = Math.ceil((window.endsAtMs - now) / 1000);
    const headers = {
      ratelimit: `"${kind}";r=${Math.max(0, shown - window.count)};t=${seconds}`,
      'ratelimit-policy': `"fixed window";"${kind}";q=${shown};w=${windowMs / 1000}`,
    };
    exchange.always(headers);
    if (window.count > shown) {
      throw hubError(429, undefined, `We had to rate limit your IP. Retry after ${seconds} seconds.`);
    }
  }
}
