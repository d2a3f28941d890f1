import type { ModelShape } from './model-shape.ts';

/** What the cache of keys and values takes, as vLLM lays it out without `--kv-cache-dtype`. */
export interface KvCache {
  /** What one more token adds, of the layers that keep every token. */
  readonly bytesPerToken: number;
  /** What one more token adds, of the layers that keep a window, until that is full. */
  readonly windowBytesPerToken: number;
  readonly windowTokens: number;
  /** Latent attention keeps the same on every GPU. */
  readonly isReplicated: boolean;
  readonly kvHeads: number;
}

/** Keys and values are kept in 16 bits, whatever the weights are in. */
const BYTES = 2;

/** Returns undefined if config.json does not say enough, and for models that keep no cache. */
export function kvCacheOf(shape: ModelShape): KvCache | undefined {
  const { fullAttentionLayers, windowLayers, windowTokens = 0, latentSize, kvHeads, headSize } = shape;
  if (fullAttentionLayers === undefined) return undefined;
  const isEncoder = shape.architectures.some(name =>
    /^(Bert|Roberta|XLMRoberta|ModernBert|NomicBert|Gte|NewModel|DistilBert|MPNet)/.test(name),
  );
  if (isEncoder) return undefined;
  const perLayer =
    latentSize ?? (kvHeads === undefined || headSize === undefined ? undefined : 2 * kvHeads * headSize);
  if (perLayer === undefined) return undefined;
  return {
    bytesPerToken: fullAttentionLayers * perLayer * BYTES,
    windowBytesPerToken: windowLayers * perLayer * BYTES,
    windowTokens,
    isReplicated: latentSize !== undefined,
    kvHeads: kvHeads ?? 1,
  };
}

/** Returns the bytes of one request of that many tokens, on all GPUs together. */
export function cacheBytes(cache: KvCache, tokens: number): number {
  const inWindow = cache.windowTokens === 0 ? tokens : Math.min(tokens, cache.windowTokens);
  return cache.bytesPerToken * tokens + cache.windowBytesPerToken * inWindow;
}
