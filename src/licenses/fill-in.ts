import { table } from '../core/table.ts';

/**
 * Returns a license's text from the SPDX list with the holders of the copyright filled in. No year is, since none is known.
 * Texts that name the holders of some other work get the template's words in their place.
 */
export function fillIn(id: string, text: string, authors: string): string {
  const named = (OTHERS_WORKS[id] ?? []).reduce(
    (words, [from, to]) => words.replace(from, () => to.replace('*', () => authors)),
    text,
  );
  // Further down are examples of how to apply a license.
  const head = /^(?:[^\n]*\n?){0,10}/.exec(named)?.[0] ?? '';
  const filled = head
    .split('\n')
    .map(line => filledLine(line, authors))
    .join('\n');
  // A text with no place for a name is the same string for all models, so that a long list holds it once.
  return filled === head ? named : `${filled}${named.slice(head.length)}`;
}

/** `Copyright (c) <year> <owner>. `, `Copyright (c) [xxxx]-[xxxx] [Owner Organization]`, `Copyright (C) YEAR by AUTHOR EMAIL` */
const PLACEHOLDERS =
  /^(\s*copyright(?: \(c\)| ©)?) (?:(?:<year>|\[(?:year|xxxx|yyyy)\]|year)[- ]*)+(?:by )?(?:<[a-z ]{1,40}>|\[[a-z ]{1,40}\]|author email)\.?( all rights reserved\.)?\s*$/i;

function filledLine(line: string, authors: string): string {
  return line.replace(PLACEHOLDERS, (_, opening: string, rights = '') =>
    rights === '' ? `${opening} ${authors}` : `${opening} ${authors}.${rights}`,
  );
}

/** Texts on the list that are of a work, and not of all that have the license. */
const OTHERS_WORKS = table<readonly (readonly [RegExp, string])[]>({
  ISC: [
    [
      /^Copyright \(c\) [^\n]*Internet Systems Consortium[^\n]*\n(?:Copyright \(c\) [^\n]*\n)?/m,
      'Copyright (c) *\n',
    ],
    [/\bISC DISCLAIMS\b/, 'THE AUTHOR DISCLAIMS'],
    [/\bSHALL ISC BE\b/, 'SHALL THE AUTHOR BE'],
  ],
  PostgreSQL: [
    [
      /^(?:Portions )?Copyright \(c\) [^\n]*PostgreSQL[^\n]*\n+(?:Portions Copyright \(c\) [^\n]*\n)?/m,
      'Copyright (c) *\n',
    ],
  ],
  'BSD-3-Clause-Clear': [[/\bname of \[Owner Organization\]/, 'name of the copyright holder']],
  NCSA: [[/^Developed by: <Name of Development Group>[^\n]*\n+/m, '']],
});
