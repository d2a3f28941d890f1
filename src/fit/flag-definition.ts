import { definitionAt, namesAt, type Release } from './releases.ts';

/** What a value has to be, as the parser of `vllm serve` converts it. */
export type ValueKind =
  | 'int'
  | 'float'
  | 'json'
  | 'object'
  | 'size'
  | 'size-or-auto'
  | 'text-or-json'
  | 'text';

/** A flag of `vllm serve` in one release. */
export interface FlagDefinition {
  /** With its dashes: `--max-model-len`. */
  readonly name: string;
  /** `--no-…`, short forms and old names. */
  readonly aliases: readonly string[];
  /** Undefined for a flag that takes no value. */
  readonly value:
    | {
        readonly kind: ValueKind;
        /** Whether an empty value and `None` mean that there is none. */
        readonly isOptional: boolean;
        /** As in Python's argparse: exactly one, `?`, `+`, `*`, or a number of them. */
        readonly count: 'one' | '?' | '+' | '*' | number;
        readonly choices?: readonly string[];
        /** What an object may have, if that is checked. */
        readonly keys?: readonly string[];
        /** Whether case, and `-` for `_`, make no difference to choices. */
        readonly isFolded: boolean;
      }
    | undefined;
  readonly isDeprecated: boolean;
}

/** Every spelling of every flag of a release. */
export type FlagTable = ReadonlyMap<string, FlagDefinition>;

const tables = new Map<string, FlagTable>();

/** Returns the flags that a release has, by every spelling of them. */
export function flagsOf(release: Release): FlagTable {
  const known = tables.get(release.version);
  if (known !== undefined) return known;
  const table = new Map<string, FlagDefinition>();
  for (const name of namesAt('flags', release)) {
    const flag = parseDefinition(name, definitionAt('flags', name, release) ?? '');
    for (const spelling of [flag.name, ...flag.aliases]) table.set(spelling, flag);
  }
  tables.set(release.version, table);
  return table;
}

/**
 * Reads `KIND[*COUNT][~][!] [ALIAS…] [=CHOICE|CHOICE]`, as scripts/vllm-releases writes it, and returns the flag's
 * definition; an object has keys in place of choices.
 */
function parseDefinition(name: string, text: string): FlagDefinition {
  const [, words = '', choices] = /^(.*?)(?:(?:^| )=(.*))?$/s.exec(text) ?? [];
  const [head = '', ...others] = words.split(' ');
  const [, kind = '', count, marks = ''] = /^([a-z-]+\??)(?:\*([?+*]|\d+))?([~!]*)$/.exec(head) ?? [];
  const aliases = kind === 'bool' ? [`--no-${name.slice(2)}`, ...others] : others;
  const isDeprecated = marks.includes('!');
  if (kind === 'bool' || kind === 'flag') return { name, aliases, value: undefined, isDeprecated };
  return {
    name,
    aliases,
    isDeprecated,
    value: {
      kind: kind.replace('?', '') as ValueKind,
      isOptional: kind.endsWith('?'),
      count: count === undefined ? 'one' : /\d/.test(count) ? Number(count) : (count as '?' | '+' | '*'),
      isFolded: marks.includes('~'),
      ...(choices === undefined
        ? {}
        : { [kind.startsWith('object') ? 'keys' : 'choices']: choices.split('|') }),
    },
  };
}
