import { BASES, NEWEST, OLDEST, type SlimWorld } from './world.ts';

/** One thing that an operator may meet, seen in a real container. */
export interface SlimCase {
  readonly name: string;
  /** Runs always; the others only where WEIGHBRIDGE_LONG=1, or an everyday run would take minutes. */
  readonly isShort?: true;
  /** Fails by throwing; gives what was seen, in a few words, for the table. */
  run(world: SlimWorld): Promise<string>;
}

export interface CaseGroup {
  readonly title: string;
  readonly cases: readonly SlimCase[];
}

export interface LibraryCase extends Omit<SlimCase, 'run'> {
  run(world: SlimWorld, base: string): Promise<string>;
}

/** The case with the newest library, and in a long run with the oldest too: what lies between has parts of both. */
export function withEachLibrary({ isShort, ...one }: LibraryCase): SlimCase[] {
  return [NEWEST, OLDEST].map(base => ({
    name: `${one.name} (${BASES[base]?.huggingfaceHub})`,
    ...(base === NEWEST && isShort ? { isShort } : {}),
    run: world => one.run(world, base),
  }));
}

export interface CaseRow {
  readonly group: string;
  readonly name: string;
  readonly seen: string;
  readonly seconds: number;
  readonly isGreen: boolean;
}

/** The rows as a Markdown table, one line each. */
export function caseTable(rows: readonly CaseRow[]): string {
  const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
  const lines = rows.map(({ group, name, seen, seconds, isGreen }) =>
    [isGreen ? 'ok' : 'FAILED', group, cell(name), cell(seen), seconds.toFixed(1)].join(' | '),
  );
  return [
    'result | group | case | seen | seconds',
    '--- | --- | --- | --- | ---:',
    ...lines,
    '',
    `${rows.filter(row => row.isGreen).length} of ${rows.length} cases are green`,
  ].join('\n');
}
