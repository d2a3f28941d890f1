import { setFlagsFromString } from 'node:v8';

/**
 * So much more than was left by a collection may be in use before the next. Left alone, V8 lets garbage lie as long as the
 * machine has memory and is fast, up to four times what is needed.
 */
const GROWTH_PERCENT = 80;

/**
 * Has V8 collect garbage sooner while a command runs: a list of a thousand models makes gigabytes of it. It does so in
 * steps and in threads beside the work, which costs less than to ask for a collection. Returns what ends it.
 */
export function keepHeapSmall(): () => void {
  setGrowth(GROWTH_PERCENT);
  return () => setGrowth(V8_DECIDES);
}

const V8_DECIDES = 0;

function setGrowth(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}
