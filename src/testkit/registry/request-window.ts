import type { RegistryQuirks } from './quirks.ts';

/** Counts requests in windows of fixed length. */
export class RequestWindow {
  readonly #quirks: RegistryQuirks;
  #count = 0;
  #endsAtMs = 0;

  constructor(quirks: RegistryQuirks) {
    this.#quirks = quirks;
  }

  /** How long one who asks has to wait: 0 where the request may go on. */
  count(): number {
    const { rateLimit } = this.#quirks;
    if (rateLimit === undefined) return 0;
    const now = Date.now();
    if (this.#endsAtMs <= now) {
      this.#endsAtMs = now + rateLimit.windowMs;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count > rateLimit.requests ? this.#endsAtMs - now : 0;
  }
}
