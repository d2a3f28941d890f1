import { cacheBytes, type KvCache } from './kv-cache.ts';

/** A number of GPUs of one size that a model runs on. */
export interface GpuNeed {
  readonly memoryGB: number;
  readonly count: number;
  /** The longest request that they have room for. */
  readonly contextLength: number;
}

/** Of NVIDIA's GPUs that servers have: T4, L4 and A10, A100, L40S, A100 and H100, RTX PRO 6000, H200, B200. */
export const GPU_SIZES_GB = [16, 24, 40, 48, 80, 96, 141, 180] as const;
/** vLLM's `--gpu-memory-utilization`. */
const SHARE = 0.9;
/** Of each GPU: the CUDA context, activations and graphs. */
const RUNTIME_BYTES = 1.5e9;
const MOST_GPUS = 8;
/** What a server should have room for, or all that the model can. */
const USEFUL_TOKENS = 8192;
const STEP = 1024;

export interface GpuQuestion {
  readonly weightBytes: number;
  readonly cache: KvCache | undefined;
  readonly heads: number | undefined;
  readonly contextLength: number | undefined;
}

/** Returns the fewest GPUs of each size that the model runs on with a useful context; sizes that never do are left out. */
export function gpuNeeds(question: GpuQuestion): readonly GpuNeed[] {
  // Without config.json nothing is known of the cache.
  if (question.weightBytes === 0 || question.contextLength === undefined) return [];
  return GPU_SIZES_GB.flatMap(memoryGB => {
    for (let count = 1; count <= MOST_GPUS; count *= 2) {
      const contextLength = longestContext(question, memoryGB, count);
      const least = Math.min(USEFUL_TOKENS, question.contextLength ?? 0);
      if (contextLength !== undefined && contextLength >= least) return [{ memoryGB, count, contextLength }];
    }
    return [];
  });
}

/** Returns the longest request that fits; undefined if not even the weights do, or the heads cannot be divided. */
export function longestContext(
  { weightBytes, cache, heads, contextLength = 0 }: GpuQuestion,
  memoryGB: number,
  count: number,
): number | undefined {
  if (heads !== undefined && heads % count !== 0) return undefined;
  const free = memoryGB * 1e9 * SHARE - RUNTIME_BYTES - weightBytes / count;
  if (free < 0) return undefined;
  if (cache === undefined) return contextLength;
  const share = cache.isReplicated ? 1 : Math.min(count, cache.kvHeads);
  const fits = (tokens: number): boolean => cacheBytes(cache, tokens) / share <= free;
  if (fits(contextLength)) return contextLength;
  let low = 0;
  let high = Math.floor(contextLength / STEP);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle * STEP)) low = middle;
    else high = middle - 1;
  }
  return low * STEP;
}
