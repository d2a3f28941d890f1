import { compatibilityForm } from '../core/compatibility-form.ts';
import {
  NON_COMMERCIAL,
  NOT_RESTRICTING,
  PERMISSIVE_NAME,
  RESTRICTING,
  RESTRICTING_ELSEWHERE,
  RESTRICTING_NAMES,
} from './restricting-words.ts';

/** What is longer is read in pieces: a sentence has fewer, and every expression is tried on each. */
const MAX_SENTENCE_CHARACTERS = 1500;
/** Of a piece, what the next one begins with: no expression looks further. */
const OVERLAP_CHARACTERS = 300;
const MAX_QUOTE_CHARACTERS = 160;

/** A sentence as it is written, and as the expressions want it. */
export interface Sentence {
  readonly written: string;
  /** Lower case, without mark-up, hyphens and line breaks as spaces; addresses of links behind their text. */
  readonly plain: string;
}

/** Returns the first sentence of a text that forbids or limits something, fit for a reason; undefined if none does. */
export function restrictionIn(text: string): string | undefined {
  const found = sentences(text).find(sentence => !isTitle(sentence) && isRestricting(sentence));
  return found && quote(found);
}

/** Whether a sentence forbids or limits something, or names a license that does. */
export function isRestricting({ plain }: Sentence): boolean {
  if (RESTRICTING_ELSEWHERE.some(words => words.test(plain))) return true;
  if (namesRestrictingLicense(plain)) return true;
  if (NOT_RESTRICTING.some(words => words.test(plain)) || isIntention(plain)) return false;
  return RESTRICTING.some(words => words.test(plain)) && !asksToObeyTheLaw(plain);
}

/** `Intended for research and educational use`: what it was made for, and no more. */
function isIntention(plain: string): boolean {
  return (
    /\b(?:intended|designed|suitable|meant|made) (?:for|to)\b/.test(plain) &&
    !/\b(?:only|solely|exclusively|strictly|purely|not|no|non|prohibit\w*|commercial\w*|licen[cs]\w*)\b/.test(
      plain,
    )
  );
}

/** Whether a sentence names a license that is not permissive. */
export function namesRestrictingLicense(plain: string): boolean {
  return RESTRICTING_NAMES.some(name => {
    const found = name.exec(plain);
    return found !== null && !PERMISSIVE_NAME.test(found[0]);
  });
}

const MODEL = /\b(?:models?|weights?|checkpoints?|adapters?|release)\b/;

/**
 * Whether a sentence can only be about a model's own terms, wherever it is: in a notice among the licenses of others' code,
 * in a card among words about other things.
 */
export function isPlainlyRestricting(sentence: Sentence): boolean {
  const { plain } = sentence;
  if (/\bbuilt with (?:meta )?llama\b(?![ .]?(?:cpp|factory|file|index|board|hub))/.test(plain)) return true;
  if (!isRestricting(sentence)) return false;
  if (namesRestrictingLicense(plain)) return TERMS_VERB.test(plain);
  if (NON_COMMERCIAL.test(plain) || /\bright to sell\b/.test(plain)) return true;
  return MODEL.test(plain);
}

const TERMS_VERB =
  /\b(?:licen[cs]ed|released|subject|governed|covered|under|inherits?|compl(?:y|ies)|distributed|provided)\b/;

/** Returns the first sentence of a text that can only be about a model's own terms; undefined if there is none. */
export function plainRestrictionIn(text: string): string | undefined {
  const found = sentences(text).find(isPlainlyRestricting);
  return found && quote(found);
}

/** Returns the first sentence that restricts what may be done with weights, in the license of code or data. */
export function weightsRestrictionIn(text: string): string | undefined {
  const found = sentences(text).find(
    sentence => /\b(?:weights|checkpoints?)\b/.test(sentence.plain) && isRestricting(sentence),
  );
  return found && quote(found);
}

const TERMS_MARKS =
  /\b(?:licensors?|licensees?|hereby grants?|this (?:licen[cs]e|agreement)|terms and conditions|(?:is|are) granted|redistribut\w+|governing law|liab(?:le|ility)|warrant(?:y|ies)|as is|indemnif\w+|intellectual property)\b/g;
const MIN_TERMS_MARKS = 3;

/** Whether a text has the words that terms have, whatever it is called. */
export function readsLikeTerms(text: string): boolean {
  return new Set(text.toLowerCase().match(TERMS_MARKS)).size >= MIN_TERMS_MARKS;
}

/** Returns as many words as a reason has room for. */
export function quote({ written }: Sentence): string {
  const words = written.replace(/^[-*+•#>|\s]+/u, '').replace(/[\s.;:,|"'}\]]+$/, '');
  return words.length > MAX_QUOTE_CHARACTERS
    ? `${words.slice(0, MAX_QUOTE_CHARACTERS).replace(/\s+\S*$/, '')} …`
    : words;
}

/** Returns the sentences and items of lists of a text, bounded in length. */
export function sentences(text: string): Sentence[] {
  const found: Sentence[] = [];
  for (const block of blocksOf(withoutMarkup(compatibilityForm(text)))) {
    let label = '';
    for (const part of block.split(SENTENCE_END)) {
      // `Dataset: CC-BY-NC-4.0` is one sentence.
      const whole = `${label}${part}`.replace(/\s+/g, ' ').trim();
      label = LABEL.test(whole) ? `${whole} ` : '';
      if (label !== '') continue;
      for (const written of piecesOf(whole))
        if (/[\p{L}\p{N}]/u.test(written)) found.push({ written, plain: plainOf(written) });
    }
  }
  return found;
}

function piecesOf(whole: string): string[] {
  if (whole.length <= MAX_SENTENCE_CHARACTERS) return [whole];
  // An image in base64 has no words.
  const sentence = whole.replace(/[!-~]{400,}/g, word => word.slice(0, 200));
  const pieces = [sentence.slice(0, MAX_SENTENCE_CHARACTERS)];
  const step = MAX_SENTENCE_CHARACTERS - OVERLAP_CHARACTERS;
  for (let at = step; at + OVERLAP_CHARACTERS < sentence.length; at += step)
    pieces.push(sentence.slice(at, at + MAX_SENTENCE_CHARACTERS));
  return pieces;
}

/** `e.g. the Llama license` goes on. */
const SENTENCE_END = /(?<=[.!?:;])(?<!\b(?:e\.g|i\.e|cf|vs)\.)\s+|(?<=[。！？；])/iu;

const LABEL = /^(?:[^\s:]{1,40} ){0,5}[^\s:]{0,40}:$/;

/** Paragraphs and items of lists, each on one line. */
function blocksOf(text: string): string[] {
  const blocks: string[] = [];
  let isOpen = false;
  for (const line of text.split(/\r\n?|\n/)) {
    const words = line.trim();
    const isNew = /^(?:[-*+•#|>]|\d{1,3}[.)])/u.test(words);
    if (words === '') isOpen = false;
    else if (isOpen && !isNew) blocks.push(`${blocks.pop()} ${words}`);
    else blocks.push(words);
    if (words !== '') isOpen = !words.startsWith('#');
  }
  return blocks;
}

function withoutMarkup(text: string): string {
  return text
    .replace(/<!--|-->/g, ' ')
    .replace(/<\/?[a-z][^<>\n]{0,200}>/gi, tag => ` ${/(?:href|src)=["']?([^"' >]+)/i.exec(tag)?.[1] ?? ''} `)
    .replace(/!?\[([^\][\n]{0,300})\]\(([^()\s]{0,300})\)/g, '$1 ($2)')
    .replace(/[*_`~]{1,3}(?=\S)|(?<=\S)[*_`~]{1,3}/g, '');
}

function plainOf(written: string): string {
  return written
    .toLowerCase()
    .replace(/[‐‑‒–—―\-_]+/g, ' ')
    .replace(/["'“”‘’«»()[\],;:!?]+/g, match => (match === "'" || match === '’' ? "'" : ' '))
    .replace(/\.(?=\s|$)/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

const LAW =
  /\b(?:all |any |the |your |local |national |international |applicable |relevant |governing |federal |state )*(?:laws?|legislation|law and regulations?|laws and regulations?|laws or regulations?|laws rules and regulations?)\b|\b(?:illegal|unlawful) (?:purposes?|activit(?:y|ies)|ways?|manner|use)\b/;

/** `You agree to comply with all applicable law`: what holds without being asked for. */
function asksToObeyTheLaw(plain: string): boolean {
  if (!LAW.test(plain)) return false;
  const rest = plain
    .replace(/\b(?:by|when) (?:using|downloading|accessing)(?: \S+){1,12}?(?= you\b)/, ' ')
    .replace(
      /\b(?:you|users?|licensees?|everyone)(?: (?:hereby|must|shall|will|should|may|agree|agrees|are|is|to|not|only|responsible|for|required|expected))* (?:comply\w*|complying|compliance|obey\w*|follow\w*|respect\w*|abid\w+|adher\w+|observ\w+|violat\w+|break\w*|use)\b/,
      ' ',
    );
  return rest.split(' ').every(word => word === '' || LAW_WORDS.has(word));
}

const LAW_WORDS: ReadonlySet<string> = new Set(
  (
    'a an and all any the your you to with by in for of or that this it its model models software tools weights ' +
    'comply compliance obey follow respect abide adhere observe violate violates violation way manner use used using not ' +
    'must shall will should may agree applicable relevant governing local national international federal state laws law legislation ' +
    'regulation regulations rules unlawful illegal purposes purpose activity activities jurisdiction jurisdictions where are is lawful lawfully ' +
    'unlawfully illegally legal please ensure ensuring be responsible only do when while users user their complies complying'
  ).split(' '),
);

/** Words that a text has none of if it asks for nothing, apart from obeying the law. */
const DEMAND =
  /\b(?:not|no|never|nor|only|solely|must|shall|may|cannot|can't|don't|prohibit\w*|forbid\w*|restrict\w*|limit\w*|except|exclud\w*|unless|without|requir\w*|agree\w*|consent\w*|permission\w*|permit\w*|allow\w*|commercial\w*|research|licen[cs]\w*|terms|polic(?:y|ies)|condition\w*|subject|violat\w*|agreement|responsib\w+ for|accept\w*|terminat\w*|revo\w*|http\S*|www\S*)\b/;

/** Whether a text asks for no more than to obey the law: it is plain English, and none of its sentences wants more. */
export function isHarmless(text: string): boolean {
  const letters = text.match(/\p{L}/gu) ?? [];
  const latin = text.match(/[a-z]/gi) ?? [];
  if (text.length > MAX_HARMLESS_CHARACTERS || latin.length < letters.length * 0.98) return false;
  return sentences(text).every(
    sentence =>
      isTitle(sentence) ||
      ((!DEMAND.test(sentence.plain) || asksToObeyTheLaw(sentence.plain)) && !isRestricting(sentence)),
  );
}

/** A policy that asks for little is short. */
const MAX_HARMLESS_CHARACTERS = 2000;

/** `# Usage policy` */
function isTitle({ plain }: Sentence): boolean {
  if (!/^(?:#+ ?)?(?:[a-z]+ ){0,5}(?:policy|terms|notice)$/.test(plain)) return false;
  const rest = plain.replace(/\b(?:acceptable|prohibited) use policy$/, '');
  return !/\b(?:not|no|non|prohibited|restricted)\b/.test(rest) && !namesRestrictingLicense(rest);
}
