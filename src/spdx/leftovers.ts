import { declarationIn, type WordSpan } from './declarations.ts';
import type { Segment } from './license-matcher.ts';
import type { LicenseTemplate } from './license-template.ts';
import type { TextWords } from './text-words.ts';
import { isHeading, isTitle } from './title-lines.ts';

/** Words of a text that are neither a license's nor a title of it. */
export type Leftover = WordSpan;

/** Headings above the first license: the name of a company and of a model. */
const MAX_HEADINGS = 2;

/**
 * Returns what is left of a text besides the licenses in it, their titles, and sentences that only say which licenses
 * they are.
 */
export function leftoversOf(text: TextWords, segments: readonly Segment[]): readonly Leftover[] {
  const leftovers: Leftover[] = [];
  const isSeveral = segments.length > 1;
  let headings = 0;
  for (const { gap, before, behind } of gaps(text, segments)) {
    const near = [...(before?.templates ?? []), ...(behind?.templates ?? [])];
    const unexplained: WordSpan[] = [];
    for (const line of linesOf(text, gap)) {
      if (isTitle(text.words.slice(line.start, line.end), near)) continue;
      if (declares(text, line, near) || declares(text, wholeLine(text, line), near)) continue;
      const mayHaveHeading = behind !== undefined && (before === undefined || isSeveral);
      if (mayHaveHeading && (isSeveral || headings < MAX_HEADINGS) && isHeading(text, line)) {
        headings += 1;
        continue;
      }
      unexplained.push(line);
    }
    for (const block of joined(unexplained)) {
      if (!declares(text, block, near) && !declares(text, wholeLine(text, block), near))
        leftovers.push(block);
    }
  }
  return leftovers;
}

/** Whether words say that something is under one of the licenses, and nothing else. */
function declares(text: TextWords, span: WordSpan, near: readonly LicenseTemplate[]): boolean {
  const declared = declarationIn(text, span);
  return declared !== undefined && near.some(({ id }) => sameFamily(id, declared));
}

function sameFamily(a: string, b: string): boolean {
  const family = (id: string): string => id.toLowerCase().replace(/(?:\+|-only|-or-later)$/, '');
  return family(a) === family(b);
}

interface Gap {
  readonly gap: WordSpan;
  readonly before: Segment | undefined;
  readonly behind: Segment | undefined;
}

function gaps({ words }: TextWords, segments: readonly Segment[]): Gap[] {
  const edges = [undefined, ...segments, undefined];
  return edges.slice(1).flatMap((behind, index) => {
    const before = edges[index];
    const gap = { start: before?.end ?? 0, end: behind?.start ?? words.length };
    return gap.end > gap.start ? [{ gap, before, behind }] : [];
  });
}

function linesOf({ lineOf }: TextWords, { start, end }: WordSpan): WordSpan[] {
  const lines: WordSpan[] = [];
  for (let at = start; at < end; ) {
    let next = at + 1;
    while (next < end && lineOf[next] === lineOf[at]) next += 1;
    lines.push({ start: at, end: next });
    at = next;
  }
  return lines;
}

/** With the words on its last line that a license begins with: `… is under the MIT License`, if that is the title. */
function wholeLine({ lineOf }: TextWords, { start, end }: WordSpan): WordSpan {
  let last = end;
  while (last < lineOf.length && last - end < MAX_TITLE_WORDS && lineOf[last] === lineOf[end - 1]) last += 1;
  return { start, end: last };
}

const MAX_TITLE_WORDS = 12;

/** Lines that follow each other, as one. */
function joined(lines: readonly WordSpan[]): WordSpan[] {
  const blocks: WordSpan[] = [];
  for (const line of lines) {
    const last = blocks.at(-1);
    if (last?.end === line.start) blocks[blocks.length - 1] = { start: last.start, end: line.end };
    else blocks.push(line);
  }
  return blocks;
}
