/**
 * Checks the wording of pages, `--help`, messages and comments: `npm run lint`. Exits with 1 and each place that
 * CONTRIBUTING.md's rules do not permit.
 */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { commentsOf, messagesOf } from './source.ts';
import { findWordings, proseOf } from './words.ts';

/** Texts that stay as they are: a word in them decides digests of published images, or is what others have written. */
const KEPT: Readonly<Record<string, string>> = {
  'src/licenses/fallback-text.ts': 'its texts are files of published images',
  'src/licenses/notice-text.ts': 'its texts are files of published images',
  'src/testkit/base-image.ts': 'its texts are files of the base image whose digest tests know',
  'src/spdx/name-words.ts': 'words as licenses have them',
  'src/spdx/restrictions.ts': 'words as licenses have them',
};

const ROOT = path.join(import.meta.dirname, '..');
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  ...globSync('docs/*.md', { cwd: ROOT }),
];
const sources = globSync('src/**/*.ts', { cwd: ROOT }).filter(file => !/\.(?:test|fixtures)\.ts$/.test(file));

const places = [
  ...pages.flatMap(page => placesIn(page, proseOf)),
  ...sources.flatMap(file => placesIn(file, commentsOf)),
  ...sources.filter(file => !(file in KEPT)).flatMap(file => placesIn(file, messagesOf)),
];
if (places.length > 0) process.stderr.write(`${places.join('\n')}\n`);
process.exitCode = places.length === 0 ? 0 : 1;

function placesIn(file: string, textOf: (source: string) => string): string[] {
  return findWordings(textOf(readFileSync(path.join(ROOT, file), 'utf8'))).map(
    ({ line, found, instead }) => `${file}:${line}: "${found}": write ${instead}`,
  );
}
