import { ANY_NAME, type LicenseTemplate } from './license-template.ts';
import { IS_LINE_START, IS_NAME, IS_NUMBERING, type TextWords } from './text-words.ts';

/** Words of a text that are a whole license: from `start` up to `end`, which is not of it. */
export interface Segment {
  readonly start: number;
  readonly end: number;
  /** More than one where several licenses of the list are the same text. */
  readonly templates: readonly LicenseTemplate[];
}

/** Work for a word of a text that no license needs: more is a text made to take time, and is not matched. */
const MAX_STEPS_PER_WORD = 400;
const SPARE_STEPS = 1_000_000;

/**
 * Finds the licenses in a text, each word by word as one of its paths goes. All paths are followed at once, so the work is
 * bounded by the words of the text times the paths that are open.
 */
export class LicenseMatcher {
  readonly #byStart = new Map<string, LicenseTemplate[]>();
  readonly #same = new Map<LicenseTemplate, readonly LicenseTemplate[]>();
  /** Of the last text: how many words were compared with a node. */
  steps = 0;

  constructor(templates: readonly LicenseTemplate[]) {
    for (const same of Map.groupBy(templates, ({ words }) => words.join(' ')).values()) {
      const [template] = same;
      if (template === undefined || template.words.length === 0) continue;
      this.#same.set(template, same);
      for (const start of startsOf(template)) {
        const known = this.#byStart.get(start);
        if (known === undefined) this.#byStart.set(start, [template]);
        else known.push(template);
      }
    }
  }

  /** The licenses in the order of the text; undefined if that takes more work than any text is worth. */
  find(text: TextWords): readonly Segment[] | undefined {
    const { words } = text;
    const budget = words.length * MAX_STEPS_PER_WORD + SPARE_STEPS;
    const segments: Segment[] = [];
    this.steps = 0;
    for (let at = 0; at < words.length; ) {
      const segment = this.#longestAt(text, at);
      if (this.steps > budget) return undefined;
      if (segment !== undefined) segments.push(segment);
      at = segment?.end ?? at + 1;
    }
    return segments;
  }

  #longestAt(text: TextWords, start: number): Segment | undefined {
    let end = -1;
    let found = new Set<LicenseTemplate>();
    const first = text.words[start] ?? '';
    for (const key of [`${first} ${text.words[start + 1]}`, `${first} *`]) {
      for (const template of this.#byStart.get(key) ?? []) {
        const reached = this.#match(template, text, start);
        if (reached > end) found = new Set();
        if (reached !== -1 && reached >= end) {
          found.add(template);
          end = reached;
        }
      }
    }
    if (end === -1) return undefined;
    return { start, end, templates: [...found].flatMap(template => this.#same.get(template) ?? []) };
  }

  /** How far the template goes from `start` on; -1 if it does not fit. */
  #match({ paths }: LicenseTemplate, text: TextWords, start: number): number {
    let open = new Set<number>();
    reach(paths.skips, 0, open);
    let reached = -1;
    for (let at = start; open.size > 0; at++) {
      if (open.has(paths.end) && at > start) reached = at;
      const word = text.words[at];
      if (word === undefined) break;
      const flags = text.flags[at] ?? 0;
      const isNumber = (flags & IS_NUMBERING) !== 0;
      const further = new Set<number>();
      // Numbers at the start of a line may be where the license has none.
      if (isNumber && (flags & IS_LINE_START) !== 0 && at > start) for (const node of open) further.add(node);
      this.steps += open.size;
      for (const node of open) {
        if (node === paths.end) continue;
        const own = paths.words[node];
        const fits =
          own === ANY_NAME
            ? (flags & IS_NAME) !== 0
            : own === word || (isNumber && (paths.isNumbering[node] ?? false));
        if (fits) reach(paths.skips, paths.next[node] ?? paths.end, further);
      }
      open = further;
    }
    return reached;
  }
}

function reach(skips: ReadonlyMap<number, readonly number[]>, node: number, open: Set<number>): void {
  if (open.has(node)) return;
  open.add(node);
  for (const other of skips.get(node) ?? []) reach(skips, other, open);
}

/** The pairs of words that the template's paths begin with. */
function startsOf({ paths }: LicenseTemplate): ReadonlySet<string> {
  const starts = new Set<string>();
  const first = new Set<number>();
  reach(paths.skips, 0, first);
  for (const node of first) {
    const word = paths.words[node];
    if (typeof word !== 'string' || node === paths.end) continue;
    const second = new Set<number>();
    reach(paths.skips, paths.next[node] ?? paths.end, second);
    for (const behind of second) {
      const other = paths.words[behind];
      const isFixed =
        typeof other === 'string' && !(paths.isNumbering[behind] ?? false) && behind !== paths.end;
      starts.add(`${word} ${isFixed ? other : '*'}`);
    }
  }
  return starts;
}
