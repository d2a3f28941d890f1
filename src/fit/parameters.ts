import { table } from '../core/table.ts';
import type { ModelShape } from './model-shape.ts';
import { quantizationMethod, weightBits } from './precision.ts';

/** Values by their type, as the Hub counts them in safetensors headers: `{ BF16: 7615616512 }`. */
export type StoredTensors = Readonly<Record<string, number>>;

/** Numbers of parameters; undefined if they cannot be told. */
export interface ParameterCount {
  readonly total: number | undefined;
  /** Of a mixture of experts: those that one token uses. */
  readonly active: number | undefined;
}

/**
 * Returns the number of a model's parameters, in all and active: by the size of its weights if they are stored as
 * trained, which the files alone decide, else by the Hub's count of its tensors.
 */
export function countParameters(
  shape: ModelShape,
  weightBytes: number,
  tensors: StoredTensors | undefined,
): ParameterCount {
  const isPlain = quantizationMethod(shape) === undefined;
  const sized = bySize(shape, weightBytes);
  const counted = tensors && byTensors(shape, weightBytes, tensors);
  const total = isPlain ? (sized ?? counted) : (counted ?? sized);
  return { total, active: total === undefined ? undefined : activeOf(shape, total) };
}

/** Bytes of a value; what is not here has one. */
const BYTES = table<number>({
  BF16: 2,
  F16: 2,
  U16: 2,
  I16: 2,
  F32: 4,
  I32: 4,
  U32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
});

/** Weights of less than 8 bits are packed into integers of 8 or 32. Of some formats the Hub counts what is in them. */
function byTensors(shape: ModelShape, weightBytes: number, tensors: StoredTensors): number {
  const method = quantizationMethod(shape);
  const bits = weightBits(shape);
  const entries = Object.entries(tensors);
  const stored = entries.reduce((sum, [type, count]) => sum + count * (BYTES[type] ?? 1), 0);
  const isUnpacked = weightBytes > 0 && stored > weightBytes * 1.1;
  let total = 0;
  for (const [type, count] of entries) {
    if (method === undefined) total += count;
    // A block of 32 values of four bits has 16 bytes, and one for its scale.
    else if (type === 'U8' && method.includes('mxfp4'))
      total += isUnpacked ? (count * 32) / 33 : (count * 32) / 17;
    else if (bits >= 8) total += /^I(32|64)$/.test(type) ? 0 : count;
    else if (isUnpacked) total += count;
    else if (type === 'I32') total += count * (32 / bits);
    else if (type === 'U8') total += count * (8 / bits);
    // Scales of blocks are no parameters.
    else if (!type.startsWith('F8')) total += count;
  }
  return Math.round(total);
}

function bySize(shape: ModelShape, weightBytes: number): number | undefined {
  // Of quantized weights, some are left as they were: how many, a size does not say.
  if (weightBytes === 0 || shape.dtype === undefined || weightBits(shape) < 8) return undefined;
  return Math.round((weightBytes * 8) / weightBits(shape));
}

/** Layers that predict further tokens are in the files and run only when they are asked for. */
function activeOf({ experts }: ModelShape, total: number): number | undefined {
  if (experts === undefined || experts.parameters >= total) return undefined;
  const idle = 1 - experts.perToken / experts.count;
  return Math.round(total - experts.parameters * idle - experts.predictorParameters);
}
