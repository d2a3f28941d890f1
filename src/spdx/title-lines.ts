import type { WordSpan } from './declarations.ts';
import type { LicenseTemplate } from './license-template.ts';
import { isConditionWord } from './name-words.ts';
import { IS_NAME, type TextWords, wordsOf } from './text-words.ts';

const TITLE_WORDS: ReadonlySet<string> = new Set(
  'a the license licenses version v full text file legal code spdx identifier www http https com net org html txt md rst of opensource'.split(
    ' ',
  ),
);
const MONTHS: ReadonlySet<string> = new Set(
  'january february march april may june july august september october november december'.split(' '),
);
const MAX_TITLE_WORDS = 16;

/** Whether words say no more than what license this is: `Version 2.0, January 2004`, `SPDX-License-Identifier: MIT`. */
export function isTitle(words: readonly string[], templates: readonly LicenseTemplate[]): boolean {
  if (words.length > MAX_TITLE_WORDS) return false;
  if (words.join(' ') === 'end of terms and conditions') return true;
  const hasMonth = words.some(word => MONTHS.has(word));
  const isDatePart = (word: string): boolean =>
    MONTHS.has(word) || /^(?:19|20)\d\d$/.test(word) || (hasMonth && /^\d{1,2}(?:st|nd|rd|th)?$/.test(word));
  return templates.some(template => {
    const own = ownWords(template);
    return words.every(word => TITLE_WORDS.has(word) || own.has(word) || isDatePart(word));
  });
}

const OWN_WORDS = new WeakMap<LicenseTemplate, ReadonlySet<string>>();

function ownWords(template: LicenseTemplate): ReadonlySet<string> {
  const known = OWN_WORDS.get(template);
  if (known !== undefined) return known;
  const { id, name } = template;
  const own = new Set(wordsOf(`${name} ${id} ${id.replace(/(\d)\.0\b/, '$1')}`));
  OWN_WORDS.set(template, own);
  return own;
}

const MAX_HEADING_WORDS = 6;
/** A heading with one of these names other terms. */
const LICENSE_SIGNS: ReadonlySet<string> = new Set(
  'agpl apache aup bsd bsl busl cc cla clause commons copyright eula gpl lgpl llama mit mpl nc nd openrail rail sa sspl tos tou'.split(
    ' ',
  ),
);

/** Whether words can be the name of what is licensed: `Microsoft.`, `Qwen2.5`, `LICENSE FOR stanford_alpaca code`. */
export function isHeading(text: TextWords, { start, end }: WordSpan): boolean {
  const words = text.words.slice(start, end);
  const opening =
    /^(?:notices?|licenses?) (?:for|of) (?:the )?/.exec(words.join(' '))?.[0].trim().split(' ').length ?? 0;
  const names = words.slice(opening);
  const isPart =
    names.length > 1 &&
    opening > 0 &&
    /^(?:code|library|software|project|package|model)$/.test(names.at(-1) ?? '');
  const last = isPart ? names.length - 1 : names.length;
  return (
    last <= MAX_HEADING_WORDS &&
    !names.some(word => LICENSE_SIGNS.has(word) || /^(?:19|20)\d\d$/.test(word)) &&
    names.slice(0, last).every((word, index) => {
      const isName = ((text.flags[start + opening + index] ?? 0) & IS_NAME) !== 0;
      return (isName || isPart) && !isConditionWord(word);
    })
  );
}
