import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MIB } from '../core/units.ts';

const CHECK_MS = 500;
/** Well above what a publish of a thousand models holds at a time, which is about 40 MiB. */
const MIN_BYTES = 72 * MIB;
/** So often more than was left by the last collection is let lie before the next. */
const GROWTH = 2;

/**
 * Collects garbage while a command runs. Left alone, V8 lets it lie as long as the machine has memory, and a list of a
 * thousand models takes several times what it needs. Returns what ends it.
 */
export function keepHeapSmall(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let nextBytes = MIN_BYTES;
  const timer = setInterval(() => {
    if (heldBytes() < nextBytes) return;
    collect();
    nextBytes = Math.max(MIN_BYTES, heldBytes() * GROWTH);
  }, CHECK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function heldBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}
