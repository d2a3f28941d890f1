import { dashed, splitFlag } from '../core/serve-flags.ts';
import { type FlagDefinition, type FlagTable, flagsOf } from './flag-definition.ts';
import { valueFault } from './flag-value.ts';
import { findRelease, type Release } from './releases.ts';

/** What the parser of `vllm serve` makes of a command line. */
export interface ServeArguments {
  /** The values given, by the flag's own name; the last one counts, as for vLLM. An empty list for a flag without value. */
  readonly given: ReadonlyMap<string, GivenFlag>;
  /** What it refuses, in the order of the command line. It stops at the first. */
  readonly faults: readonly ArgumentFault[];
}

/** A flag of `vllm serve` with its value, as `serve_args` have it. */
export interface GivenFlag {
  readonly flag: FlagDefinition;
  /** As it was written. */
  readonly spelling: string;
  readonly values: readonly string[];
  /** `--no-…` or `--disable-…` of a flag that enables. */
  readonly isNegated: boolean;
}

/** What the parser of a release refuses in a list of arguments. */
export type ArgumentFault =
  | { readonly kind: 'unknown'; readonly spelling: string }
  | { readonly kind: 'ambiguous'; readonly spelling: string; readonly candidates: readonly string[] }
  | { readonly kind: 'stray'; readonly text: string }
  | { readonly kind: 'missing-value'; readonly spelling: string; readonly count: string }
  | { readonly kind: 'needless-value'; readonly spelling: string; readonly value: string }
  | {
      readonly kind: 'choice';
      readonly spelling: string;
      readonly value: string;
      readonly choices: readonly string[];
    }
  | { readonly kind: 'type'; readonly spelling: string; readonly value: string; readonly wants: string };

/** Since when `--hf-overrides.key value` is a part of a JSON object. */
const DOTTED_SINCE = '0.9.0';

/**
 * Reads the arguments that follow the model's folder, as that release's parser does: Python's argparse with prefixes of
 * names, and vLLM's `_` for `-`, `--json-arg.key value` and `-O3`. Returns the flags and the faults.
 */
export function parseServeArguments(args: readonly string[], release: Release): ServeArguments {
  const table = flagsOf(release);
  const words = withoutDotted(normalized(args, table), table, release);
  const given = new Map<string, GivenFlag>();
  const faults: ArgumentFault[] = [];
  for (let index = 0; index < words.length; ) {
    const word = words[index] as string;
    index += 1;
    const option = lookUp(word, table);
    if (option.kind === 'value') faults.push({ kind: 'stray', text: word });
    else if (option.kind === 'fault') {
      faults.push(option.fault);
      // What follows was meant for it.
      index += followingValues(words, index, table).length;
    } else {
      const { flag, spelling, explicit } = option;
      const following = followingValues(words, index, table);
      const taken = explicit === undefined ? takeValues(flag, following) : [explicit];
      if (explicit === undefined) index += taken.length;
      faults.push(...faultsOf(flag, spelling, taken, explicit));
      given.set(flag.name, { flag, spelling, values: taken, isNegated: isNegated(flag, spelling) });
    }
  }
  return { given, faults };
}

/** vLLM turns `_` into `-` between the dashes and the first dot, and `-O3` into the flag that it is short for. */
function normalized(args: readonly string[], table: FlagTable): string[] {
  const level = table.has('--optimization-level') ? '--optimization-level' : '-O';
  return args.flatMap((arg, index) => {
    if (arg.startsWith('--')) return [dashed(arg)];
    // It was short for a key of the compilation's JSON for a while.
    if (/^-O=?\d$/.test(arg) && table.get(level)?.value?.kind === 'object') return [];
    if (/^-O=?[^.]/.test(arg)) return [level, arg.replace(/^-O=?/, '')];
    return arg === '-O' && /^[0-3]$/.test(args[index + 1] ?? '') ? [level] : [arg];
  });
}

/** The parts of a JSON object become that object, at the end, as vLLM has it. */
function withoutDotted(words: readonly string[], table: FlagTable, { rank }: Release): string[] {
  if (rank < (findRelease(DOTTED_SINCE)?.rank ?? 0)) return [...words];
  const kept: string[] = [];
  const dotted = new Map<string, Record<string, null>>();
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as string;
    const [, name, key, value] = /^(-[^.=]*)\.([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined || key === undefined || (!table.has(name) && !name.startsWith('--'))) {
      kept.push(word);
      continue;
    }
    const [top = ''] = key.split('.');
    dotted.set(name, { ...dotted.get(name), [top.replace(/\+$/, '')]: null });
    if (value === undefined) index += 1;
  }
  return [...kept, ...[...dotted].flatMap(([name, keys]) => [name, JSON.stringify(keys)])];
}

type Option =
  | { readonly kind: 'value' }
  | { readonly kind: 'fault'; readonly fault: ArgumentFault }
  | {
      readonly kind: 'flag';
      readonly flag: FlagDefinition;
      readonly spelling: string;
      readonly explicit: string | undefined;
    };

/** As `_parse_optional` of argparse. */
function lookUp(word: string, table: FlagTable): Option {
  if (!word.startsWith('-') || word === '-') return { kind: 'value' };
  const exact = table.get(word);
  if (exact !== undefined) return { kind: 'flag', flag: exact, spelling: word, explicit: undefined };
  const { name, value: explicit } = splitFlag(word) ?? { name: word, value: undefined };
  const named = table.get(name);
  if (named !== undefined) return { kind: 'flag', flag: named, spelling: name, explicit };
  const matches = word.startsWith('--') ? longMatches(name, explicit, table) : shortMatches(word, table);
  const [match, second] = matches;
  if (match !== undefined && second === undefined) return match;
  if (match !== undefined) {
    const candidates = matches.map(({ spelling }) => spelling);
    return { kind: 'fault', fault: { kind: 'ambiguous', spelling: name, candidates } };
  }
  if (splitFlag(word) === undefined || word.includes(' ')) return { kind: 'value' };
  return { kind: 'fault', fault: { kind: 'unknown', spelling: name } };
}

type Match = Extract<Option, { kind: 'flag' }>;

function longMatches(name: string, explicit: string | undefined, table: FlagTable): Match[] {
  return [...table].flatMap(([spelling, flag]) =>
    spelling.startsWith(name) ? [{ kind: 'flag', flag, spelling, explicit } as const] : [],
  );
}

/** `-q8` is `-q 8`, and `-t` may be the start of `-tp`. */
function shortMatches(word: string, table: FlagTable): Match[] {
  return [...table].flatMap(([spelling, flag]): Match[] => {
    if (spelling === word.slice(0, 2)) return [{ kind: 'flag', flag, spelling, explicit: word.slice(2) }];
    return spelling.startsWith(word) ? [{ kind: 'flag', flag, spelling, explicit: undefined }] : [];
  });
}

function followingValues(words: readonly string[], start: number, table: FlagTable): string[] {
  const values: string[] = [];
  for (const word of words.slice(start)) {
    if (lookUp(word, table).kind !== 'value') break;
    values.push(word);
  }
  return values;
}

function takeValues({ value }: FlagDefinition, following: readonly string[]): readonly string[] {
  if (value === undefined) return [];
  if (value.count === 'one' || value.count === '?') return following.slice(0, 1);
  return typeof value.count === 'number' ? following.slice(0, value.count) : following;
}

function faultsOf(
  { value }: FlagDefinition,
  spelling: string,
  taken: readonly string[],
  explicit: string | undefined,
): ArgumentFault[] {
  if (value === undefined) {
    return explicit === undefined ? [] : [{ kind: 'needless-value', spelling, value: explicit }];
  }
  const least =
    value.count === '?' || value.count === '*' ? 0 : typeof value.count === 'number' ? value.count : 1;
  if (taken.length < least) return [{ kind: 'missing-value', spelling, count: String(value.count) }];
  return taken.flatMap((text): ArgumentFault[] => {
    const fault = valueFault(value, text);
    return fault === undefined ? [] : [{ value: text, ...fault, spelling }];
  });
}

function isNegated({ name, value }: FlagDefinition, spelling: string): boolean {
  if (value !== undefined || spelling === name || !spelling.startsWith('--')) return false;
  return spelling.startsWith('--no-') || spelling.startsWith('--disable-') !== name.startsWith('--disable-');
}
