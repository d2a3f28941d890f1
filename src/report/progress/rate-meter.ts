const WINDOW_MS = 5000;
const MIN_SPACING_MS = 200;

/** How fast a count of bytes has been growing lately. */
export class RateMeter {
  readonly #samples: { readonly atMs: number; readonly bytes: number }[] = [];

  /**
   * The first call only sets where counting begins, since a resumed blob starts at what is there already. A count that
   * falls (an upload that was lost) begins anew.
   */
  add(bytes: number, nowMs: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && bytes < last.bytes) this.#samples.length = 0;
    else if (last !== undefined && nowMs - last.atMs < MIN_SPACING_MS) return;
    this.#samples.push({ atMs: nowMs, bytes });
    while (this.#samples.length > 2 && nowMs - (this.#samples[0]?.atMs ?? nowMs) > WINDOW_MS)
      this.#samples.shift();
  }

  /** Undefined until there is something to tell from; falls towards zero while nothing comes. */
  bytesPerSecond(nowMs: number): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || first === last) return undefined;
    // A pause shorter than a sample's spacing says nothing.
    const idleMs = nowMs - last.atMs;
    const untilMs = idleMs > 2 * MIN_SPACING_MS ? nowMs : last.atMs;
    return ((last.bytes - first.bytes) * 1000) / (untilMs - first.atMs);
  }
}
