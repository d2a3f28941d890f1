import list from 'spdx-license-list';
import { table } from '../core/table.ts';
import { wordsOf } from './text-words.ts';

/** Words that a license's name may have or lack. */
const IGNORED: ReadonlySet<string> = new Set([
  'a',
  'agreement',
  'an',
  'clause',
  'license',
  'licenses',
  'public',
  'the',
  'v',
  'version',
]);
/** The most words that the name of a license has. */
export const MAX_NAME_WORDS = 14;

/** What people call licenses beside their names on the list. */
const OTHER_NAMES = table<readonly string[]>({
  'Apache-2.0': ['Apache 2', 'ASL 2.0', 'ALv2', 'Apache Software License 2.0', 'Apache License 2'],
  'BSD-2-Clause': ['Simplified BSD', 'BSD 2'],
  'BSD-3-Clause': ['New BSD', 'Modified BSD', 'Revised BSD', 'BSD 3', 'BSD three clause'],
  'BSL-1.0': ['Boost Software License 1.0', 'Boost License'],
  'CC0-1.0': ['CC0', 'CC zero', 'CC0 1.0 Universal', 'Creative Commons Zero'],
  'CC-BY-4.0': ['Creative Commons Attribution 4.0', 'CC BY 4.0 International'],
  'GPL-3.0-only': ['GNU GPL 3', 'GPL 3', 'GNU General Public License 3'],
  'GPL-2.0-only': ['GNU GPL 2', 'GPL 2', 'GNU General Public License 2'],
  MIT: ['Expat', 'MIT Expat', 'The MIT'],
  'MPL-2.0': ['Mozilla Public License 2', 'MPL 2'],
  Unlicense: ['The Unlicense', 'Unlicense'],
});

let byName: ReadonlyMap<string, string> | undefined;

/** Returns the id of the license that the words are the name of: `apache license version 2 0`. */
export function idOfName(words: readonly string[]): string | undefined {
  if (words.length > MAX_NAME_WORDS) return undefined;
  // Made when the first name is looked up: a start that reads no text does without.
  byName ??= idsByName();
  return byName.get(nameKey(words));
}

function idsByName(): ReadonlyMap<string, string> {
  const ids = new Map<string, string>();
  for (const [id, { name }] of Object.entries(list)) {
    for (const text of [name, id]) {
      const key = nameKey(wordsOf(text));
      ids.set(key, ids.get(key) ?? id);
    }
  }
  for (const [id, names] of Object.entries(OTHER_NAMES)) {
    for (const name of names) ids.set(nameKey(wordsOf(name)), id);
  }
  // Of no name, and of `BSD license source code`.
  ids.delete('');
  ids.delete('bsd source code');
  return ids;
}

function nameKey(words: readonly string[]): string {
  return words
    .map(word => word.replace(/^v(?=\d)/, ''))
    .filter(word => !IGNORED.has(word))
    .join(' ');
}
