import { idOfName, MAX_NAME_WORDS } from './license-names.ts';
import { isConditionWord } from './name-words.ts';
import { IS_NAME, type TextWords } from './text-words.ts';

/** Words of a text, from `start` up to `end`. */
export interface WordSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * Returns the license that a sentence says something is under, as an SPDX expression: `This model is released under the
 * MIT License`, `SPDX-License-Identifier: Apache-2.0`, `Apache License, Version 2.0`. Undefined for a sentence that
 * says anything else as well.
 */
export function declarationIn(text: TextWords, { start, end }: WordSpan): string | undefined {
  if (end - start > MAX_SENTENCE_WORDS) return undefined;
  const written = text.words.slice(start, end);
  const linked = BY_ADDRESS.find(([address]) => address.test(written.join(' ')))?.[1];
  if (linked !== undefined) return linked;
  const words = withoutAddresses(written);
  const named = expressionOf(withoutLabel(words));
  if (named !== undefined) return named;
  const verb = words.findIndex(word => VERBS.has(word));
  const by = words.findIndex((word, index) => index > verb && BY.has(word));
  if (verb === -1 || by === -1 || by > verb + 3) return undefined;
  const isSubject = words.slice(0, verb).every((word, index) => {
    // Addresses are behind what they are of.
    const isName = words[index] === written[index] && ((text.flags[start + index] ?? 0) & IS_NAME) !== 0;
    return SUBJECT.has(word) || (isName && !isConditionWord(word));
  });
  const isPlain = words.slice(verb + 1, by).every(word => BETWEEN.has(word));
  if (!isSubject || !isPlain) return undefined;
  const spdx = expressionOf(withoutTail(afterTerms(words.slice(by + 1))));
  // One of two is not all.
  const isOfTwo = words.slice(0, verb).includes('dual');
  return isOfTwo && !/ (?:AND|OR) /.test(spdx ?? '') ? undefined : spdx;
}

const MAX_SENTENCE_WORDS = 60;
const VERBS = wordSet(
  'licensed released distributed available provided published covered governed shared sourced offered',
);
const BY = wordSet('under by with using');
const BETWEEN = wordSet('to you here publicly freely and open source sourced for free');
const SUBJECT = wordSet(
  'this these the all our its is are was has been have be being both dual also hereby made is model models weight weights ' +
    'code source software work works file files repository repo project library package software content contents dataset ' +
    'data documentation and in of at on checkpoint checkpoints parameters tokenizer series family release releases which ' +
    'everything all code open full fully permissively parts part everything here we ai version versions program material materials',
);

function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.split(' '));
}

/** `License: MIT`, `Model weights: MIT`, `SPDX-License-Identifier: MIT` */
function withoutLabel(words: readonly string[]): readonly string[] {
  if (words[0] === 'spdx' && words[2] === 'identifier') return words.slice(3);
  const text = words.join(' ');
  const label =
    /^(?:(?:the )?(?:code|model|project|repository|software|source code|weights?)(?: weights?| license)? (?=\S))+/.exec(
      text,
    )?.[0] ?? '';
  return text.slice(label.length).split(' ');
}

/** Where licenses are published, as words: `www apache org licenses license 2 0 txt`. */
const ADDRESS =
  /(?:^| )(?:at |see )?(?:www )?(?:apache|choosealicense|creativecommons|gnu|opensource|spdx|unlicense) (?:org|com)(?: (?:apache|by|html?|legalcode|licen[cs]es?|mit|publicdomain|txt|zero|\d+))*(?: for (?:more |further |the )?(?:details|information|full text))?(?= |$)/g;
const DATE =
  /(?:^| )(?:\d{1,2} )?(?:january|february|march|april|may|june|july|august|september|october|november|december) (?:\d{1,2} )?(?:19|20)\d\d(?= |$)/g;
const COPY =
  /(?:^| )(?:to view|you (?:may|can) (?:obtain|view|find)) a copy of (?:this|the) license (?:visit|at|here)(?: or send a letter to creative commons(?: [a-z0-9]+){0,14})?(?= |$)/g;

/** Sentences that only say where the text of the license is. */
function withoutAddresses(words: readonly string[]): readonly string[] {
  const text = words
    .join(' ')
    .replace(ADDRESS, ' ')
    .replace(DATE, ' ')
    .replace(/ +/g, ' ')
    .replace(COPY, ' ');
  return text.split(' ').filter(word => word !== '');
}

const BY_ADDRESS: readonly (readonly [RegExp, string])[] = [
  [/^(?:www )?apache org licenses license 2 0(?: txt| html)?$/, 'Apache-2.0'],
  [/^(?:www )?opensource org licen[cs]es? mit(?: license)?(?: php)?$/, 'MIT'],
  [/^(?:www )?creativecommons org licenses by 4 0(?: legalcode)?$/, 'CC-BY-4.0'],
  [/^(?:www )?creativecommons org publicdomain zero 1 0(?: legalcode)?$/, 'CC0-1.0'],
];

/** `the terms and conditions of the …` */
function afterTerms(words: readonly string[]): readonly string[] {
  const text = words.join(' ');
  const opening =
    /^(?:(?:the |either )*(?:terms(?: and conditions)?|conditions) of (?:either )?)?(?:the )?(?:permissive |open source |standard )*/.exec(
      text,
    )?.[0];
  return text.slice(opening?.length ?? 0).split(' ');
}

const TAIL =
  / (?:open source )?(?:license |licenses )?(?:(?:please )?(?:see|refer to) (?:the )?(?:accompanying |full |attached )?(?:(?:license|notice|copying)(?: (?:md|txt))?(?: file)?(?: (?:in|at) (?:this|the)(?: root of (?:this|the))? (?:repository|repo|project|folder|directory))?(?: for (?:more |further |the )?(?:details|information|full text))?)|(?:which is|as) (?:shown|found|given|included|reproduced|printed) (?:below|here|in (?:the )?license(?: file)?)|as follows|(?:see )?below|at your option|(?:see|at)? ?(?:www )?(?:apache|opensource|creativecommons|choosealicense|spdx) (?:org|com) [a-z0-9 ]{0,40})$/;

function withoutTail(words: readonly string[]): readonly string[] {
  const text = words.join(' ');
  const tail = TAIL.exec(text.slice(-MAX_TAIL_CHARACTERS))?.[0];
  return tail === undefined ? words : text.slice(0, text.length - tail.length).split(' ');
}

const MAX_TAIL_CHARACTERS = 160;

/** `mit`, `apache 2 0 or mit`, `either mit or apache 2 0 at your option` */
function expressionOf(words: readonly string[]): string | undefined {
  const one = idOfName(words);
  if (one !== undefined) return one;
  if (words.length > 2 * MAX_NAME_WORDS) return undefined;
  for (const [index, word] of words.entries()) {
    if (word !== 'or' && word !== 'and') continue;
    const left = idOfName(words.slice(0, index));
    const right = idOfName(words.slice(index + 1).filter(other => other !== 'the'));
    if (left !== undefined && right !== undefined)
      return left === right ? left : `${left} ${word.toUpperCase()} ${right}`;
  }
  return undefined;
}
