import data from './vllm-releases.json' with { type: 'json' };

/** What `npm run refresh:vllm` reads from the wheels of vLLM: each item with the releases that changed it. */
interface ReleaseData extends Readonly<Record<Table, Readonly<Record<string, Changes>>>> {
  /** By version, the oldest first: its date, and the oldest `transformers` that it runs with. */
  readonly releases: Readonly<Record<string, readonly [string, string | null]>>;
}

/** A definition by the release that brought it; null if that release removed the item. */
type Changes = Readonly<Record<string, string | number | null>>;
type Table = 'architectures' | 'configTypes' | 'flags' | 'quantization' | 'toolParsers' | 'reasoningParsers';

/** A release of vLLM that the data knows. */
export interface Release {
  readonly version: string;
  /** `2025-04-28` */
  readonly date: string;
  readonly transformers: string | null;
  /** In the order of releases, 0 the oldest. */
  readonly rank: number;
}

const DATA = data as unknown as ReleaseData;

/** The vLLM releases that this version knows, oldest first; `rank` is the index in this list. */
export const RELEASES: readonly Release[] = Object.entries(DATA.releases).map(
  ([version, [date, transformers]], rank) => ({ version, date, transformers, rank }),
);
const BY_VERSION = new Map(RELEASES.map(release => [release.version, release]));

/** Returns the newest release in the data. Throws Error. */
export function newestRelease(): Release {
  const newest = RELEASES.at(-1);
  if (newest === undefined) throw new Error('vllm-releases.json has no release');
  return newest;
}

/** Returns a release by its version without `v`; undefined if the data does not have it. */
export function findRelease(version: string): Release | undefined {
  return BY_VERSION.get(version);
}

/** Returns the definition of an item in a release; undefined if that release does not have it. */
export function definitionAt(table: Table, name: string, { rank }: Release): string | undefined {
  let value: string | number | null = null;
  const changes = changesOf(table, name);
  for (const [since, changed] of changes) if (since.rank <= rank) value = changed;
  return value === null ? undefined : String(value);
}

/** Returns the names that a release has in a table. */
export function namesAt(table: Table, release: Release): readonly string[] {
  const key = `${table} ${release.version}`;
  const known = names.get(key);
  if (known !== undefined) return known;
  const found = Object.keys(DATA[table]).filter(name => definitionAt(table, name, release) !== undefined);
  names.set(key, found);
  return found;
}

const names = new Map<string, readonly string[]>();

/** Returns the first release after the given one that has the item; undefined if there is none. */
export function firstReleaseWith(table: Table, name: string, after?: Release): Release | undefined {
  return RELEASES.find(
    release => release.rank > (after?.rank ?? -1) && definitionAt(table, name, release) !== undefined,
  );
}

/** Returns the last release before the given one that has the item. */
export function lastReleaseWith(table: Table, name: string, before: Release): Release | undefined {
  return RELEASES.findLast(
    release => release.rank < before.rank && definitionAt(table, name, release) !== undefined,
  );
}

function changesOf(table: Table, name: string): readonly (readonly [Release, string | number | null])[] {
  const items = DATA[table];
  if (!Object.hasOwn(items, name)) return [];
  return Object.entries(items[name] ?? {}).flatMap(([version, value]) => {
    const release = BY_VERSION.get(version);
    return release === undefined ? [] : [[release, value] as const];
  });
}
