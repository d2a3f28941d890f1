/** What was put into a text and taken out of it, as far as it is the first of its kind; null for nothing. */
export interface WordChanges {
  readonly added: string | null;
  readonly removed: string | null;
}

/** Changes that are more than this are another text. */
const MAX_EDITS = 600;

/**
 * The first words that were added to `before` and the first that were taken out of it to make `after`, by Myers'
 * shortest edit script (http://www.xmailserver.org/diff2.pdf). Undefined where there are too many changes to tell.
 */
export function firstChanges(before: readonly string[], after: readonly string[]): WordChanges | undefined {
  const trace = editTrace(before, after);
  if (trace === undefined) return undefined;
  let x = before.length;
  let y = after.length;
  const isKeptBefore = new Array<boolean>(before.length).fill(false);
  const isKeptAfter = new Array<boolean>(after.length).fill(false);
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const furthest = trace[edits] as ReadonlyMap<number, number>;
    const k = x - y;
    const isDown = k === -edits || (k !== edits && at(furthest, k - 1) < at(furthest, k + 1));
    const previousK = isDown ? k + 1 : k - 1;
    const previousX = edits === 0 ? 0 : at(furthest, previousK);
    const previousY = edits === 0 ? 0 : previousX - previousK;
    while (x > previousX && y > previousY) {
      x -= 1;
      y -= 1;
      isKeptBefore[x] = true;
      isKeptAfter[y] = true;
    }
    x = previousX;
    y = previousY;
  }
  return { added: firstRun(after, isKeptAfter), removed: firstRun(before, isKeptBefore) };
}

/** For each number of edits, how far along each diagonal one gets with one edit less. */
function editTrace(
  before: readonly string[],
  after: readonly string[],
): ReadonlyMap<number, number>[] | undefined {
  const trace: ReadonlyMap<number, number>[] = [];
  let furthest = new Map<number, number>([[1, 0]]);
  for (let edits = 0; edits <= MAX_EDITS; edits++) {
    trace.push(furthest);
    const next = new Map<number, number>();
    for (let k = -edits; k <= edits; k += 2) {
      const isDown = k === -edits || (k !== edits && at(furthest, k - 1) < at(furthest, k + 1));
      let x = isDown ? at(furthest, k + 1) : at(furthest, k - 1) + 1;
      while (x < before.length && x - k < after.length && before[x] === after[x - k]) x += 1;
      next.set(k, x);
      if (x >= before.length && x - k >= after.length) return trace;
    }
    furthest = next;
  }
  return undefined;
}

function at(furthest: ReadonlyMap<number, number>, k: number): number {
  return furthest.get(k) ?? 0;
}

const MAX_RUN_WORDS = 14;

function firstRun(words: readonly string[], isKept: readonly boolean[]): string | null {
  const start = isKept.indexOf(false);
  if (start === -1) return null;
  const end = isKept.indexOf(true, start);
  const run = words.slice(start, end === -1 ? undefined : end);
  return run.length > MAX_RUN_WORDS ? `${run.slice(0, MAX_RUN_WORDS).join(' ')} …` : run.join(' ');
}
