import type { Variant } from './variants.ts';

/** Variants that copies have and SPDX's templates do not tell of. */
export function extraVariants(id: string, words: readonly string[]): readonly Variant[] {
  return [
    ...OPTIONAL.filter(part => part.id === id).flatMap(part => optional(part, words)),
    ...PHRASES.flatMap(phrase => everywhere(phrase, words)),
  ];
}

/** Words that may be other ones in whatever license has them; `*` for a name. */
interface Phrase {
  readonly words: readonly string[];
  readonly instead: readonly string[];
}

const PHRASES: readonly Phrase[] = [
  { words: ['yyyy name of copyright holder', 'year copyright holder', 'yyyy name'], instead: ['*'] },
  { words: ['end of terms and conditions'], instead: [''] },
  { words: ['curly braces'], instead: ['brackets'] },
  { words: ['brackets'], instead: ['curly braces', 'curly brackets'] },
];

function everywhere({ words: wanted, instead }: Phrase, words: readonly string[]): Variant[] {
  const ways = instead.map(way => way.split(' ').filter(word => word !== ''));
  return wanted.flatMap(phrase => {
    const own = phrase.split(' ');
    const found: Variant[] = [];
    for (let at = indexOfWords(words, own, 0); at !== -1; at = indexOfWords(words, own, at + own.length)) {
      found.push({ start: at, end: at + own.length, instead: ways });
    }
    return found;
  });
}

interface OptionalPart {
  /** A license that has the part. */
  readonly id: string;
  /** The first words of it. */
  readonly from: string;
  /** The last ones; to the end of the license where absent. */
  readonly to?: string;
}

const OPTIONAL: readonly OptionalPart[] = [];

function optional({ from, to }: OptionalPart, words: readonly string[]): Variant[] {
  const start = indexOfWords(words, from.split(' '), 0);
  if (start === -1) return [];
  const last = to?.split(' ');
  const end = last === undefined ? words.length : indexOfWords(words, last, start) + last.length;
  return end > start ? [{ start, end, instead: [[]] }] : [];
}

function indexOfWords(words: readonly string[], wanted: readonly string[], from: number): number {
  const [first = ''] = wanted;
  for (let at = words.indexOf(first, from); at !== -1; at = words.indexOf(first, at + 1)) {
    if (wanted.every((word, index) => words[at + index] === word)) return at;
  }
  return -1;
}
