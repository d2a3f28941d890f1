import { table } from '../core/table.ts';
import type { FitContext } from './fit-context.ts';
import type { FitFinding } from './types.ts';

/** Returns `--max-model-len` above what config.json allows: vLLM stops, unless it is told to allow it. */
export function contextFindings({ shape, args }: FitContext): FitFinding[] {
  const [text] = args.given.get('--max-model-len')?.values ?? [];
  const wanted = text === undefined ? undefined : tokensOf(text);
  if (wanted === undefined || shape.contextLength === undefined || wanted <= shape.contextLength) return [];
  // These change what the model has.
  if (['--hf-overrides', '--rope-scaling', '--rope-theta'].some(flag => args.given.has(flag))) return [];
  return [
    {
      rule: 'context-too-long',
      message: `--max-model-len ${text} is more than the ${shape.contextLength} tokens of the model's context.`,
      evidence: `config.json: ${shape.contextLength} positions`,
      remedy: `Set it to ${shape.contextLength} or less, or leave it out.`,
    },
  ];
}

/** Returns a number of tokens: 16,000 for `16k`, 16,384 for `16K`. Undefined for a text that is not one. */
function tokensOf(text: string): number | undefined {
  const [, digits, unit = ''] = /^\s*(\d+(?:\.\d+)?)([kKmMgG]?)\s*$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const scale = table<number>({
    '': 1,
    k: 1e3,
    m: 1e6,
    g: 1e9,
    K: 2 ** 10,
    M: 2 ** 20,
    G: 2 ** 30,
  });
  return Math.floor(Number(digits) * (scale[unit] ?? 1));
}

/** Returns a finding if attention heads cannot be divided evenly among the GPUs. */
export function parallelFindings({ shape, args }: FitContext): FitFinding[] {
  const given = args.given.get('--tensor-parallel-size');
  const size = Number(given?.values[0] ?? 1);
  if (shape.heads === undefined || !Number.isSafeInteger(size) || size < 1 || shape.heads % size === 0)
    return [];
  const { heads } = shape;
  const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 16].filter(count => heads % count === 0);
  return [
    {
      rule: 'parallel-size',
      message: `The model's ${heads} attention heads cannot be divided among ${size} GPUs (${given?.spelling} ${size}).`,
      evidence: `config.json: ${heads} attention heads`,
      remedy: `Use one of ${sizes.join(', ')}.`,
    },
  ];
}
