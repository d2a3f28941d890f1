import type { Variant } from './variants.ts';

/** Returns variants that copies have and SPDX's templates do not tell of. */
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
  { words: ['copyright c yyyy name of author', 'copyright c year name of author'], instead: [''] },
  {
    words: [
      'developed by name of development group name of institution url for development group institution',
    ],
    instead: ['', 'developed by * *'],
  },
  {
    words: ['more considerations for licensors'],
    instead: [
      'more considerations for licensors wiki creativecommons org considerations for licensors',
      'more considerations for licensors creativecommons org',
    ],
  },
  {
    words: ['name and an idea of what it does', 'name and a brief idea of what it does'],
    instead: ['name and an idea of what it does', 'name and a brief idea of what it does'],
  },
  { words: ['curly braces'], instead: ['brackets'] },
  { words: ['brackets'], instead: ['curly braces', 'curly brackets'] },
  {
    words: ['neither the name of the copyright holder'],
    instead: [
      'neither the name *',
      'neither name of *',
      'neither the names of *',
      'neither * nor the name of *',
    ],
  },
  {
    words: ['nor the names of its contributors'],
    instead: [
      'nor the name of its contributors',
      'nor the names of any contributors',
      'nor the names of any other contributors',
      'nor the names of contributors',
      'nor the names of his contributors',
      'nor the names of other contributors',
      'nor the names of the contributors',
      'nor the names of their contributors',
      'nor the names of this software contributors',
      'or the names of its contributors',
      'or the names of contributors',
    ],
  },
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
  /** The last ones; to the end of the license if absent. */
  readonly to?: string;
}

const OPTIONAL: readonly OptionalPart[] = [
  {
    id: 'Apache-2.0',
    from: 'appendix how to apply the apache license to your work',
    to: 'identification within third party archives',
  },
  // The notice of a licensed work; some copies of the license end in one that is filled in.
  {
    id: 'Apache-2.0',
    from: 'licensed under the apache license version 2 0 the license you may not use this file',
  },
  { id: 'LGPL-3.0', from: 'gnu general public license version 3 29 june 2007' },
  { id: 'GPL-1.0', from: 'appendix how to apply these terms to your new programs' },
  { id: 'GPL-2.0', from: 'how to apply these terms to your new programs' },
  { id: 'GPL-3.0', from: 'how to apply these terms to your new programs' },
  { id: 'AGPL-3.0', from: 'how to apply these terms to your new programs' },
  { id: 'LGPL-2.0', from: 'how to apply these terms to your new libraries' },
  { id: 'LGPL-2.1', from: 'how to apply these terms to your new libraries' },
  { id: 'EUPL-1.1', from: 'appendix compatible licenses according to article 5' },
  { id: 'EUPL-1.2', from: 'appendix compatible licenses according to article 5' },
  { id: 'MPL-2.0', from: 'exhibit a source code form license notice' },
  {
    id: 'CC0-1.0',
    from: 'creative commons corporation is not a law firm',
    to: 'damages resulting from the use of this document or the information or works provided hereunder',
  },
  ...['BY', 'BY-SA', 'BY-NC', 'BY-NC-SA', 'BY-NC-ND', 'BY-ND'].flatMap(kind => [
    {
      id: `CC-${kind}-4.0`,
      from: 'creative commons corporation creative commons is not a law firm',
      to: 'fullest extent possible',
    },
    {
      id: `CC-${kind}-4.0`,
      from: 'using creative commons public licenses',
      to: 'considerations for the public',
    },
    { id: `CC-${kind}-4.0`, from: 'creative commons is not a party to its public licenses' },
  ]),
  ...['BY', 'BY-SA', 'BY-NC', 'BY-NC-SA', 'BY-NC-ND', 'BY-ND'].flatMap(kind =>
    ['2.0', '2.5', '3.0'].map(version => ({
      id: `CC-${kind}-${version}`,
      from: 'creative commons corporation is not a law firm',
      to: 'liability for damages resulting from its use',
    })),
  ),
];

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
