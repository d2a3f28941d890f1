import { compatibilityForm } from '../core/compatibility-form.ts';
import { isCopyrightNotice } from './copyright-notice.ts';
import { withoutMarkup } from './markup.ts';
import { isNameWord } from './name-words.ts';

/**
 * A license's text as the words that count, after the SPDX matching guidelines
 * (https://spdx.github.io/spdx-spec/v3.0.1/annexes/license-matching-guidelines-and-templates/): case, white space,
 * punctuation, bullets, comment signs, mark-up, copyright notices and spelling variants do not.
 */
export interface TextWords {
  readonly words: readonly string[];
  /** For each word, what else is known of it: the bits below. */
  readonly flags: readonly number[];
  /** For each word, the line it is on. */
  readonly lineOf: readonly number[];
  /** As written, without mark-up and comment signs; the notices are among them and have no words. */
  readonly lines: readonly string[];
  readonly noticeCount: number;
}

/** `1.`, `iv)`, `(a)`: any numbering will do, and none. */
export const IS_NUMBERING = 1;
/** The first words of a line. */
export const IS_LINE_START = 2;
/** What can be in a name. */
export const IS_NAME = 4;

/** Returns the words of a text in their plain form, with their places. */
export function readWords(text: string): TextWords {
  const words: string[] = [];
  const flags: number[] = [];
  const lineOf: number[] = [];
  let noticeCount = 0;
  let isAfterNotice = false;
  const lines = withoutMarkup(compatibilityForm(text))
    .split(/\r\n?|\n/)
    .map(line => line.replace(LINE_START, '').trimEnd());
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    if (
      (isAfterNotice || isEnd(lines[index - 1] ?? '') || SURE_NOTICE.test(line)) &&
      isCopyrightNotice(line, isAfterNotice)
    ) {
      noticeCount += 1;
      isAfterNotice = true;
      continue;
    }
    isAfterNotice = false;
    addWords(line, (word, flag) => {
      words.push(word);
      flags.push(flag);
      lineOf.push(index);
    });
  }
  return { words, flags, lineOf, lines, noticeCount };
}

/** Returns the words of a text alone. */
export function wordsOf(text: string): readonly string[] {
  return readWords(text).words;
}

/** No sentence is wrapped before that. */
const SURE_NOTICE = /^(?:portions )?copyright (?:\(c\)|©) ?(?:\d{4}|the authors)/i;

/** Whether a sentence may end with the line, so that what follows is not the rest of it. */
function isEnd(line: string): boolean {
  return line.length < 40 || /[.:;>)*]/.test(line.at(-1) ?? '') || /^spdx-/i.test(line);
}

/** Comment signs, Markdown headings and quotes, and bullets, which each language and each copy has others of. */
const LINE_START = /^(?:\s|\/\/|\/\*|\*\/|[#>;*|+•·–—=~-]|<!--|rem\s|dnl\s)+/i;

/** Letters that NFKC has no plain form of, in squares and circles, and those that could not be decoded are words too. */
const WORD = /[\p{L}\p{M}\p{N}\ufffd\ue000-\uf8ff\u{1f100}-\u{1f1ff}]+(?:['’‘`]\p{L}+)*/gu;
const NUMBER = /^(?:\d{1,2}(?:\.\d{1,2})*|[a-z]|[ivx]{1,4})$/i;

/** `2. a)`: more numbers than that at the start of a line are words in disguise. */
const MAX_NUMBERS = 2;

function addWords(line: string, add: (word: string, flag: number) => void): void {
  let numbers = 0;
  WORD.lastIndex = 0;
  for (let match = WORD.exec(line); match !== null; match = WORD.exec(line)) {
    const [written] = match;
    // Addresses are the same with and without.
    if (/^https?$/i.test(written) && line.startsWith('://', WORD.lastIndex)) continue;
    const { words, isName, mayNumber } = readWord(written);
    const isStart = numbers < MAX_NUMBERS;
    const isLast = WORD.lastIndex > line.length - 2;
    const isNumber: boolean =
      mayNumber &&
      isNumbering(line, match.index, WORD.lastIndex, isStart) &&
      // A letter alone numbers nothing.
      !(isLast && /\D/.test(written));
    const flag = (isNumber ? IS_NUMBERING : 0) | (isStart ? IS_LINE_START : 0) | (isName ? IS_NAME : 0);
    for (const word of words) add(word, flag);
    numbers += isNumber ? 1 : MAX_NUMBERS;
  }
}

interface ReadWord {
  readonly words: readonly string[];
  readonly isName: boolean;
  readonly mayNumber: boolean;
}

/** Licenses have few words, and each of them often. */
const READ = new Map<string, ReadWord>();
const MAX_REMEMBERED = 50_000;
const MAX_REMEMBERED_CHARACTERS = 40;

function readWord(written: string): ReadWord {
  const known = READ.get(written);
  if (known !== undefined) return known;
  const plain = written.toLowerCase().replace(/['’‘`]/g, '');
  const read = {
    words: (SAME_WORDS.get(plain) ?? plain).split(' '),
    isName: isNameWord(written),
    mayNumber: NUMBER.test(written),
  };
  if (READ.size < MAX_REMEMBERED && written.length <= MAX_REMEMBERED_CHARACTERS) READ.set(written, read);
  return read;
}

/** Numbers as they are written before a clause: in brackets, or at the start of a line or sentence with a dot. */
function isNumbering(line: string, start: number, end: number, isLineStart: boolean): boolean {
  const before = line[start - 1] ?? ' ';
  const behind = line[end] ?? ' ';
  if (/[([]/.test(before) && /[)\]]/.test(behind)) return true;
  if (!/[.):]/.test(behind) || !/\s/.test(line[end + 1] ?? ' ')) return false;
  return isLineStart || /[.:;]\s+$/.test(line.slice(Math.max(0, start - 4), start));
}

/** Equivalent words of the guidelines, and words that are written in one or in two. */
const SAME_WORDS: ReadonlyMap<string, string> = new Map([
  ['acknowledgement', 'acknowledgment'],
  ['analogue', 'analog'],
  ['analyse', 'analyze'],
  ['artefact', 'artifact'],
  ['authorisation', 'authorization'],
  ['authorised', 'authorized'],
  ['authorising', 'authorizing'],
  ['calibre', 'caliber'],
  ['cancelled', 'canceled'],
  ['capitalisations', 'capitalizations'],
  ['catalogue', 'catalog'],
  ['categorise', 'categorize'],
  ['centre', 'center'],
  ['emphasised', 'emphasized'],
  ['favour', 'favor'],
  ['favourite', 'favorite'],
  ['fulfil', 'fulfill'],
  ['fulfilment', 'fulfillment'],
  ['initialise', 'initialize'],
  ['judgement', 'judgment'],
  ['labelling', 'labeling'],
  ['labour', 'labor'],
  ['licence', 'license'],
  ['licences', 'licenses'],
  ['maximise', 'maximize'],
  ['modelled', 'modeled'],
  ['modelling', 'modeling'],
  ['noderivatives', 'no derivatives'],
  ['noderivs', 'no derivatives'],
  ['derivs', 'derivatives'],
  ['noncommercial', 'non commercial'],
  ['noninfringement', 'non infringement'],
  ['offence', 'offense'],
  ['optimise', 'optimize'],
  ['organisation', 'organization'],
  ['organise', 'organize'],
  ['owner', 'holder'],
  ['owners', 'holders'],
  ['percent', 'per cent'],
  ['practise', 'practice'],
  ['programme', 'program'],
  ['realise', 'realize'],
  ['recognise', 'recognize'],
  ['sharealike', 'share alike'],
  ['signalling', 'signaling'],
  ['sublicensable', 'sub licensable'],
  ['sublicensed', 'sub licensed'],
  ['sublicence', 'sub license'],
  ['sublicense', 'sub license'],
  ['sublicensing', 'sub licensing'],
  ['utilisation', 'utilization'],
  ['whilst', 'while'],
  ['wilful', 'willful'],
]);
