import { RunCache } from '../publish/run-cache.ts';
import type { Session } from './session.ts';

/** Returns what the models of this command find out for each other. `patienceMs`: see `RunCacheOptions`. */
export function createRunCache({ services, signal }: Session, patienceMs?: number): RunCache {
  return new RunCache({
    openBase: name => services.openRepository(name, 'pull'),
    signal,
    ...(patienceMs !== undefined && { patienceMs }),
  });
}
