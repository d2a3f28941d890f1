import type { LicenseTemplate } from './license-template.ts';

/** How much alike two texts are, from 0 to 1, for one to be a changed copy of the other. */
const MIN_LIKENESS = 0.8;
/** Runs of words by which a license is looked up, of each the ones with the lowest numbers. */
const RUN_WORDS = 3;
const SKETCH_RUNS = 48;
const MAX_CANDIDATES = 12;

/** Finds the license that a text is nearly. What a license is compared with is chosen by an index of runs of its words. */
export class NearMatcher {
  readonly #byRun = new Map<number, LicenseTemplate[]>();
  readonly #pairs = new Map<LicenseTemplate, ReadonlyMap<string, number>>();

  constructor(templates: readonly LicenseTemplate[]) {
    for (const template of templates) {
      for (const run of sketch(template.words)) {
        const known = this.#byRun.get(run);
        if (known === undefined) this.#byRun.set(run, [template]);
        else known.push(template);
      }
    }
  }

  /** The most similar license; undefined if none is similar enough. `words`: as in `LicenseTemplate`. */
  find(words: readonly string[]): LicenseTemplate | undefined {
    let best: { template: LicenseTemplate; likeness: number } | undefined;
    const pairs = pairCounts(words);
    for (const template of this.#candidates(words)) {
      const likeness = likenessOf(
        pairs,
        words.length - 1,
        this.#pairsOf(template),
        template.words.length - 1,
      );
      if (likeness > (best?.likeness ?? MIN_LIKENESS)) best = { template, likeness };
    }
    return best?.template;
  }

  /** Those with the most runs in common, that are neither far longer nor far shorter. */
  #candidates(words: readonly string[]): readonly LicenseTemplate[] {
    const counts = new Map<LicenseTemplate, number>();
    for (const run of new Set(runsOf(words))) {
      for (const template of this.#byRun.get(run) ?? [])
        counts.set(template, (counts.get(template) ?? 0) + 1);
    }
    return [...counts]
      .filter(
        ([{ words: own }, count]) =>
          count > 2 && own.length <= 2 * words.length && words.length <= 2 * own.length,
      )
      .toSorted((a, b) => b[1] - a[1] || (a[0].id < b[0].id ? -1 : 1))
      .slice(0, MAX_CANDIDATES)
      .map(([template]) => template);
  }

  #pairsOf(template: LicenseTemplate): ReadonlyMap<string, number> {
    const known = this.#pairs.get(template);
    if (known !== undefined) return known;
    const pairs = pairCounts(template.words);
    this.#pairs.set(template, pairs);
    return pairs;
  }
}

function sketch(words: readonly string[]): readonly number[] {
  return [...new Set(runsOf(words))].toSorted((a, b) => a - b).slice(0, SKETCH_RUNS);
}

/** FNV-1a of each run of words. */
function runsOf(words: readonly string[]): number[] {
  const hashes = words.map(hashOf);
  const runs: number[] = [];
  for (let at = 0; at + RUN_WORDS <= hashes.length; at++) {
    let run = 0x811c9dc5;
    for (let i = 0; i < RUN_WORDS; i++) run = Math.imul(run ^ (hashes[at + i] ?? 0), 0x01000193);
    runs.push(run >>> 0);
  }
  return runs;
}

function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return hash;
}

function pairCounts(words: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (let i = 1; i < words.length; i++) {
    const pair = `${words[i - 1]} ${words[i]}`;
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  return counts;
}

/** Sørensen and Dice's measure over pairs of neighboring words. */
function likenessOf(
  pairs: ReadonlyMap<string, number>,
  count: number,
  others: ReadonlyMap<string, number>,
  otherCount: number,
): number {
  let shared = 0;
  for (const [pair, times] of others) shared += Math.min(times, pairs.get(pair) ?? 0);
  return count + otherCount < 1 ? 0 : (2 * shared) / (count + otherCount);
}
