import type { ModelPackForm } from '../../config/types.ts';
import type { Digest } from '../../core/digest.ts';
import { kindOf } from '../../core/model-files.ts';
import { table } from '../../core/table.ts';

// The wire types of https://github.com/modelpack/model-spec (v0.0.7).

/** The media types of CNCF ModelPack; https://github.com/modelpack/model-spec */
export const ModelPack = {
  manifest: 'application/vnd.cncf.model.manifest.v1+json',
  config: 'application/vnd.cncf.model.config.v1+json',
} as const;

/** https://github.com/modelpack/model-spec/blob/main/docs/annotations.md */
export const ModelPackAnnotation = {
  path: 'org.cncf.model.filepath',
  metadata: 'org.cncf.model.file.metadata+json',
} as const;

/** https://github.com/modelpack/model-spec/blob/main/docs/config.md */
export interface ModelPackConfig {
  readonly descriptor: {
    readonly name: string;
    readonly version: string;
    readonly revision: string;
    readonly sourceURL: string;
    readonly docURL: string;
    readonly title: string;
    readonly description: string;
    readonly licenses?: readonly string[];
  };
  readonly config: {
    readonly format?: string;
    /** `0.5b` */
    readonly paramSize?: string;
    readonly precision?: string;
    readonly quantization?: string;
  };
  readonly modelfs: { readonly type: 'layers'; readonly diffIds: readonly Digest[] };
}

/** Returns the type of a layer that holds these files: what the weightiest of them is. */
export function modelPackLayerType(paths: readonly string[], form: ModelPackForm): string {
  const roles = paths.map(roleOf);
  const role = ROLES.find(one => roles.includes(one)) ?? 'weight.config';
  return `application/vnd.cncf.model.${role}.v1.${form}`;
}

const ROLES = ['weight', 'weight.config', 'code', 'doc'] as const;

function roleOf(path: string): (typeof ROLES)[number] {
  switch (kindOf(path)) {
    case 'safetensors':
    case 'mistral':
    case 'torch':
    case 'gguf':
    case 'tensorizer':
    case 'other-framework':
      return 'weight';
    case 'code':
      return 'code';
    case 'extra':
      return 'doc';
    default:
      return DOCUMENT.test(path) ? 'doc' : 'weight.config';
  }
}

const DOCUMENT = /(^|\/)(README|LICEN[CS]E|NOTICE|COPYING|USE_POLICY)[^/]*$|\.(md|rst|pdf|html)$/i;

/** Returns the format of a model by its files: that of its weights, if they are of one. */
export function modelFormat(paths: readonly string[]): string | undefined {
  const kinds = new Set(paths.map(kindOf));
  if (kinds.has('safetensors') || kinds.has('mistral')) return 'safetensors';
  if (kinds.has('gguf')) return 'gguf';
  return kinds.has('torch') ? 'pytorch' : undefined;
}

/** Returns a count of parameters as ModelPack writes it: one digit after the point at most, `7.6b`, `135m`. */
export function paramSize(parameters: number): string {
  const [unit, size] = UNITS.find(([, one]) => parameters >= one) ?? ['', 1];
  return `${Math.round((parameters / size) * 10) / 10}${unit}`;
}

const UNITS = [
  ['t', 1e12],
  ['b', 1e9],
  ['m', 1e6],
  ['k', 1e3],
] as const;

/** Returns ModelPack's name of a precision, or the common name if it has none: `bfloat16` of `bf16`, `int4`. */
export function precisionName(precision: string): string {
  return PRECISIONS[precision] ?? precision;
}

/** Weights in fp8 have four bits of exponent: what vLLM loads, and what models are published in. */
const PRECISIONS = table<string>({
  bf16: 'bfloat16',
  fp16: 'float16',
  fp32: 'float32',
  fp8: 'float8_e4m3',
});
