import type { JsonRecord } from '../core/json-shape.ts';
import { table } from '../core/table.ts';
import { nameOf, recordOf, textOf } from './json-value.ts';
import type { ModelShape } from './model-shape.ts';

/** Returns the name of the weights' quantization method as vLLM has it; undefined if they are not quantized. */
export function quantizationMethod({ quantization }: Pick<ModelShape, 'quantization'>): string | undefined {
  if (quantization === undefined) return undefined;
  const named =
    nameOf(quantization.quant_method) ??
    nameOf(quantization.qformat_weight) ??
    nameOf(quantization.quant_algo);
  const method = named?.toLowerCase();
  if (method === undefined) return undefined;
  if (method === 'compressed-tensors' || method === 'compressed_tensors') return 'compressed-tensors';
  // params.json of Mistral's own format
  if (method === 'fp8_e4m3') return 'fp8';
  return method === 'modelopt' ? modeloptMethod(quantization) : method;
}

/** NVIDIA's Model Optimizer has one name for several, told apart by the algorithm. */
function modeloptMethod(quantization: JsonRecord): string {
  const algorithm = textOf(quantization.quant_algo) ?? textOf(recordOf(quantization.quantization).quant_algo);
  return algorithm?.toUpperCase().includes('FP4') ? 'modelopt_fp4' : 'modelopt';
}

/** Returns bits of a weight as it is stored, for people and for sums. */
export function weightBits(shape: Pick<ModelShape, 'quantization' | 'dtype'>): number {
  const method = quantizationMethod(shape);
  const quantization = shape.quantization ?? {};
  const stated = quantization.bits ?? quantization.w_bit ?? quantization.num_bits ?? groupBits(quantization);
  if (typeof stated === 'number' && stated >= 1 && stated <= 16) return stated;
  if (method === undefined) return bitsOfDtype(shape.dtype);
  if (/fp4|mxfp4|nvfp4|awq|gptq|int4/.test(method)) return 4;
  if (method === 'bitsandbytes') return quantization.load_in_8bit === true ? 8 : 4;
  return 8;
}

/** compressed-tensors: `config_groups: { group_0: { weights: { num_bits: 4 } } }` */
function groupBits(quantization: JsonRecord): unknown {
  const [first] = Object.values(recordOf(quantization.config_groups));
  return recordOf(recordOf(first).weights).num_bits;
}

/** Returns the bits of a value of a dtype, as config.json names it: 16 if it names none. */
function bitsOfDtype(dtype: string | undefined): number {
  if (dtype === undefined) return 16;
  if (/float32|^f32$/i.test(dtype)) return 32;
  return /float8|fp8|int8|f8/i.test(dtype) ? 8 : 16;
}

/** Returns the precision as people call it: `bf16`, `fp8`, `int4`. */
export function precisionOf(shape: Pick<ModelShape, 'quantization' | 'dtype'>): string {
  const method = quantizationMethod(shape);
  const dtype = shape.dtype?.replace(/^torch\./, '').toLowerCase();
  if (method === undefined) {
    const known = table<string>({
      bfloat16: 'bf16',
      float16: 'fp16',
      half: 'fp16',
      float32: 'fp32',
      float: 'fp32',
    });
    return dtype === undefined ? 'unknown' : (known[dtype] ?? dtype);
  }
  const bits = weightBits(shape);
  if (method.includes('mxfp4') || method.includes('fp4')) return method.includes('mxfp4') ? 'mxfp4' : 'nvfp4';
  const isFloat = /fp8|float/.test(`${method} ${JSON.stringify(shape.quantization ?? {})}`) && bits === 8;
  return isFloat ? 'fp8' : `int${bits}`;
}
