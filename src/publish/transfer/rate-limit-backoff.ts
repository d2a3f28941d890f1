import type { OnEvent } from '../../core/events.ts';
import type { Limiter } from '../../core/pool.ts';

/**
 * Returns a listener for requests that were refused with 429 and are waited out, in whatever thread: fewer blobs at
 * once are faster than more that are refused. Those that come while the first is still waiting belong to the same
 * burst.
 */
export function backOffAtRateLimits(
  blobSlots: Pick<Limiter, 'lower'>,
  nowMs: () => number = () => performance.now(),
): OnEvent {
  let untilMs = Number.NEGATIVE_INFINITY;
  return event => {
    if (event.type !== 'retry' || event.status !== 429 || nowMs() < untilMs) return;
    untilMs = nowMs() + event.delayMs;
    blobSlots.lower();
  };
}
