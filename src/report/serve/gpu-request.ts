import { flagValue } from '../../core/serve-flags.ts';
import { table } from '../../core/table.ts';
import { formatBytes } from '../../core/text.ts';
import { GPU_SIZES_GB, type GpuQuestion, longestContext } from '../../fit/gpu-need.ts';
import { cacheBytes } from '../../fit/kv-cache.ts';
import { type ServedImage, setsGpus } from './served-image.ts';

/** What a manifest asks of GPUs, and what it says of it. */
export interface GpuRequest {
  readonly gpus: number;
  /** Flags that the image does not set and that its use of the GPUs takes. */
  readonly addedArgs: readonly string[];
  /** Lines for people; none if nothing is known of the model. */
  readonly comment: readonly string[];
}

const MOST_GPUS = 8;

/**
 * Returns the GPUs that an image is given: as many as its flags divide the model by; if they do not, and the GPUs have
 * `memoryGB` (10⁹ bytes) each, as many as have room for the weights and the longest request.
 */
export function gpuRequest(served: ServedImage, memoryGB?: number): GpuRequest {
  const { serveArgs, gpus, need } = served;
  const context = maxModelLen(serveArgs) ?? need?.contextLength;
  if (need === undefined || context === undefined || need.weightBytes === 0)
    return { gpus, addedArgs: [], comment: [] };
  const question = { ...need, contextLength: context };
  const facts = memorySentence(question);
  if (setsGpus(serveArgs)) {
    const room = memoryGB === undefined ? undefined : longestContext(question, memoryGB, gpus);
    const isEnough = memoryGB === undefined || (room ?? 0) >= context;
    return {
      gpus,
      addedArgs: [],
      comment: [facts, ...(isEnough ? [] : [tooSmall(gpus, memoryGB, room)])],
    };
  }
  if (memoryGB === undefined) return { gpus, addedArgs: [], comment: [facts, bySize(question)] };
  const count = fewest(question, memoryGB);
  if (count === undefined) return { gpus, addedArgs: [], comment: [facts, neverFits(question, memoryGB)] };
  if (count === 1)
    return { gpus: 1, addedArgs: [], comment: [facts, `One GPU of ${memoryGB} GB has room for it.`] };
  const flag = ['--tensor-parallel-size', String(count)];
  return {
    gpus: count,
    addedArgs: flag,
    comment: [
      facts,
      `That takes ${count} GPUs of ${memoryGB} GB. The image does not set ${flag[0]}, so this file adds \`${flag.join(' ')}\`;`,
      'set it in `serve_args` of models.yaml to have it in the image.',
    ],
  };
}

/** Returns the value of `--max-model-len` in tokens; vLLM takes `8k` for 8,000 and `8K` for 8,192. Undefined without it. */
export function maxModelLen(serveArgs: readonly string[]): number | undefined {
  const [, digits, unit = ''] =
    /^(\d+(?:\.\d+)?)([kKmM]?)$/.exec(flagValue(serveArgs, '--max-model-len') ?? '') ?? [];
  if (digits === undefined) return undefined;
  const tokens = Math.round(Number(digits) * (UNITS[unit] ?? 1));
  return Number.isSafeInteger(tokens) && tokens > 0 ? tokens : undefined;
}

const UNITS = table<number>({ k: 1e3, K: 1024, m: 1e6, M: 1024 ** 2 });

/** The least number with room for a request of the whole context. */
function fewest(question: Required<GpuQuestion>, memoryGB: number): number | undefined {
  for (let count = 1; count <= MOST_GPUS; count *= 2)
    if ((longestContext(question, memoryGB, count) ?? -1) >= (question.contextLength ?? 0)) return count;
  return undefined;
}

function memorySentence({ weightBytes, cache, contextLength = 0 }: GpuQuestion): string {
  const kept =
    cache === undefined
      ? ''
      : `, and ${formatBytes(cacheBytes(cache, contextLength))} of KV cache for a request of ${contextLength} tokens`;
  return `GPU memory: ${formatBytes(weightBytes)} of weights${kept}.`;
}

/** The smallest size for each number of GPUs. */
function bySize(question: Required<GpuQuestion>): string {
  const sizes = new Map<number, number>();
  for (const memoryGB of GPU_SIZES_GB) {
    const count = fewest(question, memoryGB);
    if (count !== undefined && !sizes.has(count)) sizes.set(count, memoryGB);
  }
  if (sizes.size === 0) return neverFits(question, GPU_SIZES_GB.at(-1) ?? 0);
  const words = [...sizes].sort(([a], [b]) => a - b).map(([count, size]) => `${count} of ${size} GB`);
  const more = [...sizes.keys()].some(count => count > 1)
    ? '; for more than one set `--tensor-parallel-size`, or name the size with --gpu-memory'
    : '';
  return `GPUs with room for it: ${words.join(', or ')}${more}.`;
}

function tooSmall(gpus: number, memoryGB: number, room: number | undefined): string {
  const has =
    room === undefined || room === 0
      ? 'no room for it'
      : `room for ${room} tokens: set \`--max-model-len ${room}\``;
  const noun = gpus === 1 ? 'GPU' : 'GPUs';
  return `The ${gpus} ${noun} of ${memoryGB} GB that the image's flags divide it by have ${has}, or more or larger GPUs.`;
}

function neverFits(question: Required<GpuQuestion>, memoryGB: number): string {
  const room = longestContext(question, memoryGB, MOST_GPUS);
  const most = `${MOST_GPUS} GPUs of ${memoryGB} GB`;
  return room === undefined || room === 0
    ? `Not even ${most} have room for it.`
    : `${most} have room for ${room} tokens: set \`--max-model-len ${room}\` and \`--tensor-parallel-size ${MOST_GPUS}\`.`;
}
