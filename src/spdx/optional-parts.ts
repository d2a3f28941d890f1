import type { LicenseTemplate } from './license-template.ts';

/**
 * Parts that come with some licences and are none of their terms: how to apply them, who wrote them. With and without
 * them it is the same licence. A part is cut out only where it is there word by word, so that nothing hides in it.
 */
export class OptionalParts {
  readonly #parts: readonly string[];

  constructor(templates: readonly LicenseTemplate[]) {
    const bodies = new Map(templates.map(({ id, body }) => [id, body]));
    const cutOut = OPTIONAL.flatMap(({ id, from, to }) => {
      const body = bodies.get(id) ?? '';
      const start = body.indexOf(from);
      if (start === -1) return [];
      const end = to === undefined ? body.length : body.indexOf(to, start) + to.length;
      return end > start ? [body.slice(start, end)] : [];
    });
    this.#parts = [...cutOut, ...NOT_IN_THE_LIST];
  }

  without(body: string): string {
    let rest = body;
    for (const part of this.#parts) rest = rest.replace(part, ' ');
    return rest.replace(/ +/g, ' ').trim();
  }
}

interface OptionalPart {
  /** A licence that has the part. */
  readonly id: string;
  /** The first words of it. */
  readonly from: string;
  /** The last ones; to the end of the licence where absent. */
  readonly to?: string;
}

/** Parts that the SPDX list's own texts lack, and many copies have. */
const NOT_IN_THE_LIST: readonly string[] = [
  'this general public license does not permit incorporating your program into proprietary programs if your program ' +
    'is a subroutine library you may consider it more useful to permit linking proprietary applications with the ' +
    'library if this is what you want to do use the gnu lesser general public license instead of this license',
];

const OPTIONAL: readonly OptionalPart[] = [
  {
    id: 'Apache-2.0',
    from: 'appendix how to apply the apache license to your work',
    to: 'identification within third party archives',
  },
  // The notice of a licensed work; some copies of the licence end in one that is filled in.
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
