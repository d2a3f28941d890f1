/** What was put into a text and taken out of it: the longest run of words of each, null for nothing. */
export interface WordChanges {
  readonly added: string | null;
  readonly removed: string | null;
}

/** Words that are the same in both texts for two places to be the same one. */
const ANCHOR_WORDS = 4;
const MAX_RUN_WORDS = 14;

/**
 * Returns the longest run of words that was added to `before` and the longest removed from it to make `after`. From
 * each place at which the texts part, they are read on to the next one at which they meet again; each word is looked at
 * once.
 */
export function longestChanges(before: readonly string[], after: readonly string[]): WordChanges {
  const places = anchors(before);
  let added: Run = [0, 0];
  let removed: Run = [0, 0];
  let x = 0;
  let y = 0;
  while (x < before.length || y < after.length) {
    if (before[x] === after[y] && x < before.length) {
      x += 1;
      y += 1;
      continue;
    }
    const [nextX, nextY] = meeting(x, y);
    if (nextX - x > removed[1] - removed[0]) removed = [x, nextX];
    if (nextY - y > added[1] - added[0]) added = [y, nextY];
    x = nextX;
    y = nextY;
  }
  return { added: wordsIn(after, added), removed: wordsIn(before, removed) };

  function meeting(fromX: number, fromY: number): Run {
    // Near by, a single word in place of another.
    for (let skip = 1; skip <= 2; skip++) {
      if (isSame(before, fromX + skip, after, fromY + skip)) return [fromX + skip, fromY + skip];
    }
    for (let at = fromY; at + ANCHOR_WORDS <= after.length; at++) {
      const place = places.get(anchorAt(after, at))?.find(known => known >= fromX);
      if (place !== undefined) return [place, at];
    }
    return [before.length, after.length];
  }
}

type Run = readonly [start: number, end: number];

function isSame(before: readonly string[], x: number, after: readonly string[], y: number): boolean {
  if (x + 2 > before.length || y + 2 > after.length) return false;
  return before[x] === after[y] && before[x + 1] === after[y + 1];
}

/** Where each run of a few words is; of a run that comes often, the first places. */
function anchors(words: readonly string[]): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, number[]>();
  for (let at = 0; at + ANCHOR_WORDS <= words.length; at++) {
    const anchor = anchorAt(words, at);
    const known = places.get(anchor);
    if (known === undefined) places.set(anchor, [at]);
    else if (known.length < MAX_PLACES) known.push(at);
  }
  return places;
}

const MAX_PLACES = 8;

function anchorAt(words: readonly string[], at: number): string {
  return words.slice(at, at + ANCHOR_WORDS).join(' ');
}

function wordsIn(words: readonly string[], [start, end]: Run): string | null {
  if (start === end) return null;
  const run = words.slice(start, Math.min(end, start + MAX_RUN_WORDS));
  return end - start > MAX_RUN_WORDS ? `${run.join(' ')} …` : run.join(' ');
}
