/**
 * Names of files that are one copy of a model's weights together. The expressions are read by JavaScript and Python alike,
 * as those of `model-files.ts`.
 */

/** One of a series of files, before the ending. */
export const SHARD = String.raw`-(\d+)-of-(\d+)(?=\.[^/]*$)`;

/** The same weights in another precision, beside those without it: `model.fp32-00001-of-00002.safetensors`. */
export const VARIANT = String.raw`\.(fp32|fp16|bf16|b?float(?:16|32)|fp8(?:_\w+)?|fp4|nf4|int8|int4|8bit|4bit|non_ema|ema)(?=\.[a-z]+$)`;

const shard = new RegExp(SHARD, 'i');
const variant = new RegExp(VARIANT, 'i');

/** A file of weights among those that belong together. */
export interface SeriesPart {
  /** The path without its number: that of the weights in one piece. */
  readonly series: string;
  /** The same without a precision in its name. */
  readonly plain: string;
  /** Which one of how many, if it is numbered. */
  readonly part?: { readonly number: number; readonly total: number };
}

/** Returns which series of files a file of weights is of, by its name. */
export function seriesOf(path: string): SeriesPart {
  const [, number, total] = shard.exec(path) ?? [];
  const series = path.replace(shard, '');
  const part = number !== undefined &&
    total !== undefined && { number: Number(number), total: Number(total) };
  return { series, plain: series.replace(variant, ''), ...(part && { part }) };
}

/** Returns the weights that an index is of: `model.fp32.safetensors` for `model.safetensors.index.fp32.json`. */
export function indexedSeries(path: string): string {
  return path.replace(
    /\.(safetensors|bin)\.index(\.[\w-]+)?\.json$/i,
    (_, ending: string, precision = '') => `${precision}.${ending}`,
  );
}

/** A name can claim any number, and a list of more names is not read. */
const MAX_TOTAL = 1000;

/** Returns the numbers that a series of files lacks. Some begin with 0. */
export function missingNumbers(numbers: Iterable<number>, total: number): readonly number[] {
  const known = new Set(numbers);
  const first = known.has(0) ? 0 : 1;
  const expected = Array.from({ length: Math.min(total, MAX_TOTAL) }, (_, index) => index + first);
  return expected.filter(number => !known.has(number));
}
