import { extraVariants } from './extra-variants.ts';
import { IS_NUMBERING, readWords } from './text-words.ts';
import { type Variant, variantsOf } from './variants.ts';

/** A license of the SPDX list, made ready to be compared with. */
export interface LicenseTemplate {
  readonly id: string;
  readonly name: string;
  /** The words of its text. */
  readonly words: readonly string[];
  /** Where they may differ. */
  readonly paths: TemplatePaths;
  /** Only a notice that names the license, without its terms. */
  readonly isNotice: boolean;
}

/**
 * The texts that count as the license, as a graph: each node is a word, `next` the node behind it, `skips` the nodes that
 * may be taken in its place. The last node of the license's own text is its end.
 */
export interface TemplatePaths {
  readonly words: readonly (string | typeof ANY_NAME)[];
  readonly isNumbering: readonly boolean[];
  readonly next: readonly number[];
  readonly skips: ReadonlyMap<number, readonly number[]>;
  readonly end: number;
}

/** A word that may be in a name. */
export const ANY_NAME = null;
/** The names that people fill in are shorter; a clause hardly is. */
const MAX_NAME_WORDS = 14;

/** Returns a template of a license's text, with the parts that may differ. */
export function licenseTemplate(id: string, name: string, text: string, isNotice = false): LicenseTemplate {
  const { words, flags } = readWords(text);
  const variants = isNotice ? [] : [...variantsOf(id, words), ...extraVariants(id, words)];
  return { id, name, words, paths: pathsOf(words, flags, variants), isNotice };
}

function pathsOf(
  own: readonly string[],
  flags: readonly number[],
  variants: readonly Variant[],
): TemplatePaths {
  const words: (string | typeof ANY_NAME)[] = [...own, ''];
  const isNumbering = [...flags.map(flag => (flag & IS_NUMBERING) !== 0), false];
  const next = words.map((_, index) => index + 1);
  const skips = new Map<number, number[]>();
  const skip = (from: number, to: number): void => {
    const known = skips.get(from);
    if (known === undefined) skips.set(from, [to]);
    else known.push(to);
  };
  const add = (word: string | typeof ANY_NAME): number => {
    words.push(word);
    isNumbering.push(false);
    return next.push(words.length) - 1;
  };
  for (const [index, isNumber] of isNumbering.entries()) if (isNumber) skip(index, index + 1);
  for (const { start, end, instead } of variants) {
    for (const way of instead) addWay(way, start, end);
  }
  return { words, isNumbering, next, skips, end: own.length };

  function addWay(way: readonly string[], start: number, end: number): void {
    let last = -1;
    let isSkippable: number[] = [];
    for (const word of way) {
      const count = word === '*' ? MAX_NAME_WORDS : 1;
      for (let i = 0; i < count; i++) {
        const node = add(word === '*' ? ANY_NAME : word);
        if (last === -1) skip(start, node);
        if (i === 0) for (const from of isSkippable) skip(from, node);
        if (word !== '*') isSkippable = [];
        else isSkippable.push(node);
        last = node;
      }
    }
    for (const from of isSkippable) skip(from, end);
    if (last === -1) skip(start, end);
    else next[last] = end;
  }
}
