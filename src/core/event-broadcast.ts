import type { OnEvent } from './events.ts';

/** One place that events are told to, and those who listen. */
export interface EventBroadcast {
  readonly onEvent: OnEvent;
  /** Has every event told to `listener` too, until what it returns is called. */
  readonly listen: (listener: OnEvent) => () => void;
}

/** Returns a place that tells `first`, and then all who listen, each event. */
export function broadcastEvents(first?: OnEvent): EventBroadcast {
  const listeners = new Set<OnEvent>(first === undefined ? [] : [first]);
  return {
    onEvent(event) {
      for (const listener of listeners) listener(event);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
