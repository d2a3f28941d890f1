import type { SigningSurroundings } from '../engine/signing.ts';
import type { Session } from './session.ts';

/** Returns what signing takes from a session. */
export function surroundingsOf({ env, services, signal, progress }: Session): SigningSurroundings {
  return { env, services, signal, onEvent: progress.onEvent };
}
