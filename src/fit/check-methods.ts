import { table } from '../core/table.ts';
import { nearest } from '../core/text.ts';
import type { FitContext } from './fit-context.ts';
import { quantizationMethod } from './precision.ts';
import { firstReleaseWith, lastReleaseWith, namesAt, type Release } from './releases.ts';
import type { FitFinding } from './types.ts';

/** Names in config.json for methods that vLLM calls otherwise. */
const SAME = table<readonly string[]>({
  'auto-round': ['auto-round', 'inc', 'auto_round'],
  intel: ['inc', 'auto-round'],
  gptq: ['gptq', 'gptq_marlin', 'auto_gptq'],
  awq: ['awq', 'awq_marlin', 'auto_awq'],
  mxfp4: ['mxfp4', 'gpt_oss_mxfp4'],
  fp8: ['fp8', 'deepseek_v4_fp8'],
  modelopt_fp4: ['modelopt_fp4', 'nvfp4'],
});

/** Returns quantization methods and parsers that the release does not have. */
export function methodFindings(context: FitContext): FitFinding[] {
  return [
    ...quantizationFindings(context),
    ...parserFindings(context, '--tool-call-parser', 'toolParsers'),
    ...parserFindings(context, '--reasoning-parser', 'reasoningParsers'),
  ];
}

function quantizationFindings({ shape, args, release, input }: FitContext): FitFinding[] {
  const given = args.given.get('--quantization');
  const [asked] = given?.values ?? [];
  // A wrong choice has been said already, where the parser has choices.
  const isChecked = given?.flag.value?.choices !== undefined;
  const own = quantizationMethod(shape);
  const wanted: [method: string, evidence: string][] = [
    ...(asked === undefined || asked === 'None' || isChecked
      ? []
      : [[asked, `serve_args: ${input.serveArgs.join(' ')}`] as [string, string]]),
    ...(own === undefined || asked !== undefined
      ? []
      : [[own, `config.json, quantization_config.quant_method: ${own}`] as [string, string]]),
  ];
  if (own === undefined && asked === undefined && isOfMlx(shape)) return [mlxFinding(shape)];
  return wanted.flatMap(([method, evidence]) =>
    missing('quantization', method, 'quantization method', evidence, release),
  );
}

/** MLX names bits and groups, and no method; its weights are safetensors all the same. */
function isOfMlx({ quantization = {} }: FitContext['shape']): boolean {
  return typeof quantization.bits === 'number' && typeof quantization.group_size === 'number';
}

function mlxFinding({ quantization }: FitContext['shape']): FitFinding {
  const { bits, group_size } = quantization ?? {};
  return {
    rule: 'quantization-unknown',
    message: 'The weights are quantized for MLX: vLLM does not read them.',
    evidence: `config.json, quantization: ${JSON.stringify({ bits, group_size })} without quant_method`,
    remedy: 'Use the repository that they were converted from.',
  };
}

/** Parsers from a plugin are not known here. */
function parserFindings(
  context: FitContext,
  flag: string,
  table: 'toolParsers' | 'reasoningParsers',
): FitFinding[] {
  const { args, release, input } = context;
  const given = args.given.get(flag);
  const [name] = given?.values ?? [];
  const hasPlugin = args.given.has('--tool-parser-plugin') || args.given.has('--reasoning-parser-plugin');
  if (name === undefined || name === '' || /^none$/i.test(name) || hasPlugin) return [];
  if (given?.flag.value?.choices !== undefined) return [];
  const what = table === 'toolParsers' ? 'tool parser' : 'reasoning parser';
  return missing(table, name, what, `serve_args: ${input.serveArgs.join(' ')}`, release);
}

function missing(
  table: 'quantization' | 'toolParsers' | 'reasoningParsers',
  name: string,
  what: string,
  evidence: string,
  release: Release,
): FitFinding[] {
  const has = namesAt(table, release);
  const spellings = SAME[name] ?? [name];
  if (spellings.some(one => has.includes(one))) return [];
  const first = spellings
    .map(one => firstReleaseWith(table, one, release))
    .find(found => found !== undefined);
  const last = spellings.map(one => lastReleaseWith(table, one, release)).find(found => found !== undefined);
  const rule = table === 'quantization' ? 'quantization-unknown' : 'parser-unknown';
  const near = nearest(name, has);
  if (last !== undefined) {
    const message = `vLLM ${release.version} no longer has the ${what} ${name}; ${last.version} was the last that had it.`;
    return [{ rule, message, evidence, remedy: `Set base_image to vLLM ${last.version}.` }];
  }
  if (first !== undefined) {
    const message = `vLLM ${release.version} does not have the ${what} ${name}; ${first.version} is the first that does.`;
    return [{ rule, message, evidence, remedy: `Set base_image to vLLM ${first.version} or newer.` }];
  }
  const message = `vLLM ${release.version} does not have the ${what} ${name}.`;
  return [{ rule, message, evidence, ...(near === undefined ? {} : { remedy: `Did you mean ${near}?` }) }];
}
