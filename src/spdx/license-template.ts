import { licenseLines } from './license-words.ts';

/** A licence of the SPDX list, made ready to be compared with. */
export interface LicenseTemplate {
  readonly id: string;
  readonly name: string;
  /** The words of its text, without its title and with names that everyone fills in for himself made one. */
  readonly body: string;
}

export function licenseTemplate(id: string, name: string, text: string): LicenseTemplate {
  const lines = licenseLines(text);
  const start = lines.findIndex(line => !isTitle(line, { id, name }));
  return { id, name, body: licenseBody(lines.slice(Math.max(start, 0))) };
}

/** The words of lines as one text, as templates have it. */
export function licenseBody(lines: readonly string[]): string {
  let body = lines.join(' ');
  for (const [pattern, canonical] of FILLED_IN) body = body.replace(pattern, canonical);
  return body.replace(/ +/g, ' ').trim();
}

/**
 * Names that stand in the middle of some licences (whose they are is up to those who use them) and variants that
 * SPDX's own templates allow. What may stand in such a place is short, so that no clause fits into it.
 */
const FILLED_IN: readonly (readonly [RegExp, string])[] = [
  [
    /neither the names?(?: of)? (?:\S+ ){1,14}?(?:nor|or|and) (?:the )?names? of (?:its|his|her|their|any|the|other|specific|\S+) ?contributors? may be used/g,
    'neither the name of the copyright holder nor the names of its contributors may be used',
  ],
  [/provided by (?:\S+ ){1,12}?as is/g, 'provided by the copyright holders and contributors as is'],
  [
    /in no event (shall|will) (?:\S+ ){1,12}?be (held )?liable/g,
    'in no event $1 the copyright holders be $2liable',
  ],
  [/as is and (?:\S+ ){1,6}?disclaims? all warranties/g, 'as is and the author disclaims all warranties'],
  [
    /to use copy modify and(?: or)? distribute this software/g,
    'to use copy modify and or distribute this software',
  ],
  [/\bend of terms and conditions\b/g, ' '],
  [/\bcurly braces\b/g, 'brackets'],
  [/\bdeveloped by (?:\S+ ){0,30}?permission is hereby granted\b/g, 'permission is hereby granted'],
  [/\bname and an? (?:brief )?idea of what it does\b/g, 'name and a brief idea of what it does'],
  [/\bwhat it does copyright (?:\S+ ){0,6}?(?=this (?:program|library) is)/g, 'what it does '],
  [/\bgnu (?:\w+ )?general public license (?=terms and conditions for copying)/g, ' '],
  [/\bgnu library general public license instead\b/g, 'gnu lesser general public license instead'],
  [/\b(?:wiki )?creativecommons org(?: considerations for licens(?:ors|ees))?\b/g, ' '],
  [/\bcreative commons (?=attribution (?:\w+ ){0,4}4 0 international public license)/g, ' '],
  [
    /\bthe text of the creative commons public licenses is dedicated to the public domain under the cc0 public domain dedication\b/g,
    ' ',
  ],
];

const TITLE_WORDS: ReadonlySet<string> = new Set(
  (
    'a the this license licenses licensed version v of under is are released clause full text file legal code ' +
    'agreement terms www http com net org html txt php spdx identifier'
  ).split(' '),
);
const MONTHS: ReadonlySet<string> = new Set(
  'january february march april may june july august september october november december'.split(' '),
);
const MAX_TITLE_WORDS = 16;

/** Whether a line says no more than what licence this is: `Version 2.0, January 2004`, `SPDX-License-Identifier: MIT`. */
export function isTitle(line: string, { id, name }: Pick<LicenseTemplate, 'id' | 'name'>): boolean {
  const own = new Set(
    licenseLines(`${name} ${id} ${id.replace(/(\d)\.0\b/, '$1')}`)
      .join(' ')
      .split(' '),
  );
  const words = line.split(' ');
  const hasMonth = words.some(word => MONTHS.has(word));
  const isDatePart = (word: string): boolean =>
    MONTHS.has(word) || /^(?:19|20)\d\d$/.test(word) || (hasMonth && /^\d{1,2}(?:st|nd|rd|th)?$/.test(word));
  return (
    words.length <= MAX_TITLE_WORDS &&
    words.every(word => TITLE_WORDS.has(word) || own.has(word) || isDatePart(word))
  );
}
