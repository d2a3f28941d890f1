import { type FlagDefinition, flagsOf } from '../../src/fit/flag-definition.ts';
import type { Release } from '../../src/fit/releases.ts';

/** Flags that read a file, print a page, or check their value by more than its form. */
const LEFT_OUT = new Set(['--config', '--help', '--model', '--lora-modules', '--prompt-adapters']);

/** Command lines that people write, right and wrong ones, for every release. */
export const PICKED: readonly (readonly string[])[] = [
  [],
  ['--host', '0.0.0.0', '--port', '8000'],
  ['--port=8000'],
  ['--port', 'http'],
  ['--port'],
  ['--max-model-len', '4096'],
  ['--max_model_len', '4096'],
  ['--max-model-len=16k'],
  ['--max-model-len', 'auto'],
  ['--max-model-len', '-1'],
  ['--max-model-le', '4096'],
  ['--max-model', '4096'],
  ['--max', '4096'],
  ['--gpu-memory-utilization', '0.85'],
  ['--gpu-memory-utilization', '85%'],
  ['--gpu-memory-utilisation', '0.85'],
  ['--dtype', 'bfloat16'],
  ['--dtype', 'bf16'],
  ['--dtype=half'],
  ['--tensor-parallel-size', '2'],
  ['-tp', '2'],
  ['-tp=2'],
  ['-tp', 'two'],
  ['--trust-remote-code'],
  ['--trust-remote-code', 'true'],
  ['--trust-remote-code=true'],
  ['--no-trust-remote-code'],
  ['--enable-prefix-caching', '--no-enable-prefix-caching'],
  ['--enable-auto-tool-choice', '--tool-call-parser', 'hermes'],
  ['--quantization', 'awq'],
  ['-q', 'fp8'],
  ['--quantization', 'None'],
  ['--task', 'embed'],
  ['--enable-reasoning'],
  ['--served-model-name', 'a', 'b', 'c'],
  ['--served-model-name'],
  ['--hf-overrides', '{"a": 1}'],
  ['--hf-overrides', '{a: 1}'],
  ['--hf-overrides.a.b', '1'],
  ['--speculative-config', '{"method": "ngram", "num_speculative_tokens": 3}'],
  ['-O3'],
  ['--kv-cache-dtype', 'fp8'],
  ['stray'],
  ['--disable-log-requests'],
  ['--allowed-origins', '["*"]'],
  ['--allowed-origins', '*'],
  ['--max-lora-rank', '64'],
  ['--max-lora-rank', '65'],
  ['--seed', '-5'],
  ['--', 'x'],
];

/** Returns command lines made of the release's own flags, each with good values and with damaged ones. */
export function generatedLines(release: Release, count: number, seed: number): string[][] {
  const next = randomOf(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T;
  const flags = [...new Set(flagsOf(release).values())].filter(({ name }) => !LEFT_OUT.has(name));
  return Array.from({ length: count }, () => {
    const length = 1 + Math.floor(next() * 3);
    return Array.from({ length }, () => flagWords(pick(flags), pick, next)).flat();
  });
}

type Pick = <T>(items: readonly T[]) => T;

function flagWords(flag: FlagDefinition, pick: Pick, next: () => number): string[] {
  const spelling = spelled(pick([flag.name, flag.name, ...flag.aliases]), pick, next);
  const values = valuesFor(flag, pick, next);
  const [first] = values;
  if (first !== undefined && values.length === 1 && next() < 0.3) return [`${spelling}=${first}`];
  return [spelling, ...values];
}

function spelled(name: string, pick: Pick, next: () => number): string {
  const chance = next();
  if (chance < 0.06) return name.replace(/.$/, pick(['x', 'zz', '']));
  if (chance < 0.1) return name.slice(0, Math.max(4, name.length - 2));
  if (chance < 0.2) return name.replace(/(?<=\w)-/g, '_');
  return name;
}

const GOOD: Readonly<Record<string, readonly string[]>> = {
  int: ['1', '4', '16', '-1', '0'],
  float: ['0.5', '1', '.9', '1e-3'],
  json: ['{}', '{"a": 1}', '[1]'],
  object: ['{}'],
  size: ['8192', '8k', '2.5k', '1M'],
  'size-or-auto': ['4096', '32k', 'auto'],
  'text-or-json': ['name', '{}'],
  text: ['name', 'a/b', '5'],
};
const BAD = ['abc', '1.5', '1k', '', '{bad', '7x', 'None', 'true'];

function valuesFor({ value }: FlagDefinition, pick: Pick, next: () => number): string[] {
  const isBad = next() < 0.2;
  if (value === undefined) return isBad ? [pick(['true', 'x'])] : [];
  const good = (): string => pick(value.choices ?? GOOD[value.kind] ?? ['x']);
  const one = (): string => (isBad ? pick(BAD) : good());
  if (isBad && next() < 0.2) return [];
  if (value.count === '+' || value.count === '*')
    return Array.from({ length: 1 + Math.floor(next() * 3) }, one);
  return typeof value.count === 'number' ? Array.from({ length: value.count }, one) : [one()];
}

/** https://en.wikipedia.org/wiki/Xorshift: the same lines in every run. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
