/**
 * A licence's text as the words that count, after the SPDX matching guidelines
 * (https://spdx.github.io/spdx-spec/v3.0.1/annexes/license-matching-guidelines-and-templates/): case, white space,
 * punctuation, bullets, comment signs, mark-up, copyright notices and spelling variants do not. One item a line of
 * the text, since what stands above a licence (its title) can be told from the licence by lines only.
 */
export function licenseLines(text: string): string[] {
  const lines = withoutMarkup(text.normalize('NFKC').toLowerCase())
    .split(/\r\n?|\n/)
    .map(line => line.replace(LINE_START, '').trimEnd());
  const kept: string[] = [];
  let wasNotice = false;
  for (const [index, line] of lines.entries()) {
    wasNotice = (wasNotice || isEnd(lines[index - 1] ?? '')) && isCopyrightNotice(line);
    const words = wasNotice ? '' : wordsOf(line);
    if (words !== '') kept.push(words);
  }
  return kept;
}

/** Whether a sentence may end with the line, so that what follows is not the rest of it. */
function isEnd(line: string): boolean {
  return line.length < 40 || /[.:;>)*]$|^spdx-/.test(line);
}

/** Comment signs, Markdown headings and quotes, and bullets, which each language and each copy has others of. */
const LINE_START = /^(?:\s|\/\/|\/\*|\*\/|[#>;*|+•·–—-]|--|<!--|rem\s)+/;

const HTML_TAG =
  /<\/?(?:a|abbr|b|big|blockquote|body|br|center|code|dd|div|dl|dt|em|font|h[1-6]|head|hr|html|i|li|link|meta|ol|p|pre|small|span|strong|style|sub|sup|table|tbody|td|th|title|tr|tt|u|ul)\b[^>]*>/g;

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&copy;': '©',
  '&gt;': '>',
  '&lt;': '<',
  '&nbsp;': ' ',
  '&quot;': '"',
};

function withoutMarkup(text: string): string {
  return text
    .replace(/&(?:amp|copy|gt|lt|nbsp|quot);/g, entity => ENTITIES[entity] ?? entity)
    .replace(HTML_TAG, '\n')
    .replace(/!?\[([^\]\n]*)\]\(([^)\s]*)\)/g, '$1');
}

/** Words that a copyright notice does not have: a condition that hides in one must not be lost with it. */
const CONDITION =
  /\b(?:use[ds]?|using|non|not|no|only|may|must|shall|commercial|permission|permitted|prohibited|research|restrict\w*|subject|except|unless|without|licen[cs]e|provided|redistribut\w*|modif\w*)\b/;

function isCopyrightNotice(line: string): boolean {
  if (line.length > MAX_NOTICE_CHARACTERS || CONDITION.test(line)) return false;
  if (/^\s*(?:all rights reserved|©|\(c\)\s*\d{4})/.test(line)) return true;
  if (!/^\s*(?:portions\s+)?copyright\b/.test(line) || MID_SENTENCE.test(line)) return false;
  return (
    /\(c\)|©|\d{4}|[<[{:]|\bby\b|all rights reserved/.test(line) ||
    /^[^.,;]{1,60}(?:,? inc\.?)?\s*$/.test(line)
  );
}

/** Where a line ends just before `copyright`, the next one is no notice. */
const MID_SENTENCE =
  /^\s*copyright\s+(?:notices?|holders?|owners?|laws?|acts?|interests?|statements?|rights?|protection|patents?|and|or|in|to|of|for)\b/;

const MAX_NOTICE_CHARACTERS = 160;

/** `1.`, `iv)`: any numbering will do, and none; `(a)` also within `Section 2(a)(1)`. */
const NUMBERING = /(^|\s)(?:\d{1,2}(?:\.\d{1,2})*|[a-z]|[ivx]{1,4})[.)](?=\s|$)/g;
const BRACKETED_NUMBERING = /[([](?:\d{1,2}(?:\.\d{1,2})*|[a-z]|[ivx]{1,4})[)\]]/g;

function wordsOf(line: string): string {
  const plain = line
    .replace(BRACKETED_NUMBERING, ' ')
    // Twice, for one that follows right behind another.
    .replace(NUMBERING, '$1')
    .replace(NUMBERING, '$1')
    .replace(/(?<=\p{L})['’‘`](?=\p{L})/gu, '')
    .replace(/https?:\/\//g, ' ');
  return (plain.match(/[\p{L}\p{N}]+/gu) ?? []).map(word => SAME_WORDS.get(word) ?? word).join(' ');
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
