/** Returns bytes in binary units, with one decimal below ten: `1.5 KiB` for 1536. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit > 0 && value < 10 ? 1 : 0;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/**
 * Returns the candidate that is nearest to `word` by edit distance, if it is near enough to be a likely slip; else the only
 * one that goes on as `word` does up to its last letter: `qwen25-05b` for `qwen25`, `registries` for `registry`.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const all = [...candidates];
  return nearestByDistance(word, all) ?? onlyLonger(word, all);
}

const MIN_SHARED_START = 5;

function onlyLonger(word: string, candidates: readonly string[]): string | undefined {
  const start = word.toLowerCase().slice(0, Math.max(MIN_SHARED_START, word.length - 1));
  if (word.length < MIN_SHARED_START) return undefined;
  const longer = new Set(candidates.filter(candidate => candidate.toLowerCase().startsWith(start)));
  return longer.size === 1 ? [...longer][0] : undefined;
}

function nearestByDistance(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  // A slip in a word of two letters is another word.
  let bestDistance = Math.min(Math.max(2, Math.floor(word.length / 3)), word.length - 1) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Returns Levenshtein's distance with a swap of neighbors counted once. */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let value = Math.min(at(rows, i - 1, j) + 1, (row[j - 1] ?? 0) + 1, at(rows, i - 1, j - 1) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        value = Math.min(value, at(rows, i - 2, j - 2) + 1);
      }
      row.push(value);
    }
    rows.push(row);
  }
  return at(rows, a.length, b.length);
}

function at(rows: readonly number[][], i: number, j: number): number {
  return rows[i]?.[j] ?? 0;
}

/** Returns words as a POSIX shell would need them written: `a 'b c'`. */
export function shellQuote(words: readonly string[]): string {
  return words
    .map(word => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}

/** Returns `Slim` of `slim`. */
export function titleCase(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
