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
/** What weights may take of a GPU if nothing is known of the cache. */
const SHARE_OF_WEIGHTS = 0.75;
/** Of each GPU: the CUDA context, activations and graphs. */
const RUNTIME_BYTES = 1.5e9;
const MOST_GPUS = 8;
/** What a server should have room for, or all that the model can. */
const USEFUL_TOKENS = 8192;
const STEP = 1024;

/** What the memory of GPUs is needed for. Sizes are bytes. */
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
  return GPU_SIZES_GB.flatMap(memoryGB => leastGpus(question, memoryGB) ?? []);
}

/**
 * Returns the fewest GPUs of one size, a power of two, that the model runs on with a useful context; undefined if a
 * machine does not hold enough of them. If the context is not known, a part of each is left for its cache.
 */
export function leastGpus(question: GpuQuestion, memoryGB: number): GpuNeed | undefined {
  const { weightBytes, contextLength: longest } = question;
  const least = Math.min(USEFUL_TOKENS, longest ?? 0);
  for (let count = 1; count <= MOST_GPUS; count *= 2) {
    const contextLength = longestContext(question, memoryGB, count);
    const hasRoom = longest !== undefined || weightBytes / count <= memoryGB * 1e9 * SHARE_OF_WEIGHTS;
    if (hasRoom && contextLength !== undefined && contextLength >= least)
      return { memoryGB, count, contextLength };
  }
  return undefined;
}

/** Returns `1 GPU of 24 GB (24k context), or 1 of 40 GB (128k)`: the smallest sizes, each number of GPUs once. */
export function gpuSentence(gpus: readonly GpuNeed[]): string {
  const shown = gpus.filter(
    (one, index) =>
      index === 0 ||
      one.count !== gpus[index - 1]?.count ||
      one.contextLength > (gpus[index - 1]?.contextLength ?? 0),
  );
  return shown
    .map(({ memoryGB, count, contextLength }, index) => {
      const noun = index === 0 ? (count === 1 ? ' GPU' : ' GPUs') : '';
      const context =
        contextLength === 0 ? '' : ` (${tokens(contextLength)}${index === 0 ? ' context' : ''})`;
      return `${count}${noun} of ${memoryGB} GB${context}`;
    })
    .join(', or ');
}

function tokens(count: number): string {
  return count >= 1024 ? `${Math.floor(count / 1024)}k` : String(count);
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
  // The question may come from labels of a strange image: a context without an end must not make a search without one.
  let high = Math.floor(Math.min(contextLength, Number.MAX_SAFE_INTEGER) / STEP);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle * STEP)) low = middle;
    else high = middle - 1;
  }
  return low * STEP;
}
