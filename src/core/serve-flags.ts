/** Returns an argument of `vllm serve` as vLLM reads it: `_` is `-` between the dashes of a long flag and its first dot or `=`. */
export function dashed(arg: string): string {
  const [, name, rest = ''] = /^(--[^.=]*)(.*)$/s.exec(arg) ?? [];
  return name === undefined ? arg : name.replaceAll('_', '-') + rest;
}

/** As argparse has it: `--seed -1` is a flag and its value. */
const NO_FLAG = /^-(?:\d+|\d*\.\d+)?$/;

/**
 * Returns the name of a flag and the value that is written with it, `--flag=value`; undefined for a value, which `-` and
 * negative numbers are too.
 */
export function splitFlag(
  arg: string,
): { readonly name: string; readonly value: string | undefined } | undefined {
  if (NO_FLAG.test(arg)) return undefined;
  const [, name, value] = /^(-[^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
  return name === undefined ? undefined : { name, value };
}

/** A flag as a command line has it. */
export interface WrittenFlag {
  /** With `-` for `_`. Empty for what precedes the first flag. */
  readonly name: string;
  /** The arguments up to the next flag, this one first, as they are. */
  readonly words: readonly string[];
  /** What is behind its `=`, and what follows. vLLM may take fewer: that depends on the flag. */
  readonly values: readonly string[];
}

/**
 * Returns arguments of `vllm serve`, cut before each flag: their `words` together are the arguments again. This needs no
 * list of flags, so it serves every release of vLLM; what a release makes of them, `fit/serve-arguments.ts` tells.
 */
export function writtenFlags(args: readonly string[]): WrittenFlag[] {
  const flags: { name: string; words: string[]; values: string[] }[] = [];
  for (const word of args) {
    const flag = splitFlag(dashed(word));
    const last = flags.at(-1);
    if (flag !== undefined)
      flags.push({ name: flag.name, words: [word], values: flag.value === undefined ? [] : [flag.value] });
    else if (last === undefined) flags.push({ name: '', words: [word], values: [word] });
    else {
      last.words.push(word);
      last.values.push(word);
    }
  }
  return flags;
}

/**
 * Returns the first value of a flag among arguments of `vllm serve`; undefined if it is not there, `''` if it has no value.
 * `names`: all of its spellings. The last one that is written counts.
 */
export function flagValue(args: readonly string[], ...names: readonly string[]): string | undefined {
  const flag = writtenFlags(args).findLast(({ name }) => names.includes(name));
  return flag && (flag.values[0] ?? '');
}

/** Returns whether a flag is among arguments of `vllm serve`, by any of its spellings. */
export function hasFlag(args: readonly string[], ...names: readonly string[]): boolean {
  return flagValue(args, ...names) !== undefined;
}

/** Returns arguments of `vllm serve` without some flags and their values. */
export function withoutFlags(args: readonly string[], ...names: readonly string[]): string[] {
  return writtenFlags(args).flatMap(({ name, words }) => (names.includes(name) ? [] : words));
}

/**
 * Returns what vLLM is told to load, as it spells its load formats: `auto` unless a flag says otherwise. The bootstrap
 * reads them the same way: `load_format` in `model_files.py`.
 */
export function loadFormatOf(args: readonly string[]): string {
  const format = givenLoadFormat(args);
  if (format !== 'auto') return format;
  // These make vLLM look for files of that format as well.
  if (shortenedValue(args, '--config-format', '--config-') === 'mistral') return 'mistral';
  return quantizationOf(args) === 'gguf' ? 'gguf' : 'auto';
}

/** Returns the value of `--load-format`; `auto` if it is not given. */
export function givenLoadFormat(args: readonly string[]): string {
  return shortenedValue(args, '--load-format', '--load')?.toLowerCase() ?? 'auto';
}

/** `-qgguf` is `-q gguf`. */
function quantizationOf(args: readonly string[]): string | undefined {
  const flag = writtenFlags(args).findLast(({ name }) => name === '--quantization' || /^-q/.test(name));
  const joined = /^-q([^-].*)$/s.exec(flag?.name ?? '')?.[1];
  return (joined ?? flag?.values[0])?.toLowerCase();
}

/** Python's parsers take the beginning of a flag's name, if no other begins so: from `shortest` on. */
function shortenedValue(args: readonly string[], name: string, shortest: string): string | undefined {
  const flag = writtenFlags(args).findLast(
    written => written.name.length >= shortest.length && name.startsWith(written.name),
  );
  return flag && (flag.values[0] ?? '');
}
