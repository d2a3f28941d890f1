/** Returns an argument of `vllm serve` as vLLM reads it: `_` is `-` between the dashes of a long flag and its first dot or `=`. */
export function dashed(arg: string): string {
  const [, name, rest = ''] = /^(--[^.=]*)(.*)$/s.exec(arg) ?? [];
  return name === undefined ? arg : name.replaceAll('_', '-') + rest;
}

/** Returns the name of a flag and the value that is written with it, `--flag=value`; undefined for a value. */
export function splitFlag(
  arg: string,
): { readonly name: string; readonly value: string | undefined } | undefined {
  const [, name, value] = /^(-[^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
  return name === undefined ? undefined : { name, value };
}

/**
 * Returns the value of a flag among arguments of `vllm serve`; undefined if it is not there, `''` if it has no value.
 * vLLM takes `--load-format x`, `--load-format=x` and `_` for `-`; the last one counts.
 */
export function flagValue(args: readonly string[], name: string): string | undefined {
  let value: string | undefined;
  for (const [index, arg] of args.entries()) {
    const flag = splitFlag(dashed(arg));
    if (flag?.name === name) value = flag.value ?? args[index + 1] ?? '';
  }
  return value;
}

/** Returns what vLLM is told to load, as it spells its load formats: `auto` unless a flag says otherwise. */
export function loadFormatOf(args: readonly string[]): string {
  const format = flagValue(args, '--load-format')?.toLowerCase() ?? 'auto';
  if (format !== 'auto') return format;
  // These make vLLM look for files of that format as well.
  if (flagValue(args, '--config-format') === 'mistral') return 'mistral';
  const quantization = flagValue(args, '--quantization') ?? flagValue(args, '-q');
  return quantization === 'gguf' ? 'gguf' : 'auto';
}
