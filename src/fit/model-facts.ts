import { weightKindOf } from '../core/model-files.ts';
import { type GpuNeed, gpuNeeds } from './gpu-need.ts';
import { nameOf } from './json-value.ts';
import { type KvCache, kvCacheOf } from './kv-cache.ts';
import { shapeOf } from './model-shape.ts';
import { countParameters, type StoredTensors } from './parameters.ts';
import { precisionOf, quantizationMethod } from './precision.ts';
import { definitionAt, type Release } from './releases.ts';
import { taskOf } from './task.ts';
import type { FitInput } from './types.ts';

/** What people choose a model by. Null for what the repository does not say. */
export interface ModelFacts {
  readonly parameters: number | null;
  /** Of a mixture of experts: those that one token uses. */
  readonly activeParameters?: number;
  /** `bf16`, `fp8`, `int4` */
  readonly precision: string;
  /** vLLM's name for the method; null for weights that are not quantized. */
  readonly quantization: string | null;
  readonly contextLength: number | null;
  readonly task: string;
  /** As the card names them: `en`, `zh`; absent if it names none. */
  readonly languages?: readonly string[];
  /** The first of config.json's `architectures`. */
  readonly architecture?: string;
  /** What tensor parallelism has to divide. */
  readonly attentionHeads?: number;
  /** What the cache of keys and values is computed from; absent if it keeps none, or config.json does not say enough. */
  readonly kvCache?: KvCache;
  /** What one more token adds to the cache, of all layers that keep every token. */
  readonly kvBytesPerToken: number | null;
  readonly weightBytes: number;
  readonly gpus: readonly GpuNeed[];
}

/** What the facts of a model are read from. */
export interface FactsInput extends Pick<FitInput, 'files' | 'documents'> {
  /** What the Hub counts of the tensors, by type; undefined if it does not. */
  readonly tensors?: StoredTensors | undefined;
  readonly release?: Release | undefined;
  readonly languages?: readonly string[] | undefined;
}

/** Returns the facts of a model, from config.json, the sizes of its files and what the Hub counts. */
export function factsOf({ files, documents, tensors, release, languages }: FactsInput): ModelFacts {
  const shape = shapeOf(documents.config);
  const weightBytes = files
    .filter(({ path }) => weightKindOf(path) !== undefined)
    .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const cache = kvCacheOf(shape);
  const { total, active } = countParameters(shape, weightBytes, tensors);
  const known = shape.architectures.map(name => release && definitionAt('architectures', name, release));
  const architecture = nameOf(shape.architectures[0]);
  return {
    parameters: total ?? null,
    ...(active === undefined ? {} : { activeParameters: active }),
    precision: precisionOf(shape),
    quantization: quantizationMethod(shape) ?? null,
    contextLength: shape.contextLength ?? null,
    task: taskOf(shape, known[0], files),
    ...(languages !== undefined && languages.length > 0 && { languages }),
    ...(architecture !== undefined && { architecture }),
    ...(shape.heads !== undefined && { attentionHeads: shape.heads }),
    ...(cache !== undefined && { kvCache: cache }),
    kvBytesPerToken: cache?.bytesPerToken ?? null,
    weightBytes,
    gpus: gpuNeeds({ weightBytes, cache, heads: shape.heads, contextLength: shape.contextLength }),
  };
}
