/** Checks the wording of pages and of `--help`: `npm run lint`. Exits with 1 and each place that CONTRIBUTING.md's rules do not permit. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { findWordings, helpTextsOf, proseOf } from './words.ts';

/** Pages still to be rewritten. Rewrite one, then remove it here; never add one. */
const TO_DO: readonly string[] = [];

const ROOT = path.join(import.meta.dirname, '..');
const pages = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/*.md', { cwd: ROOT })];
const commands = globSync('src/cli/**/*.ts', { cwd: ROOT }).filter(file => !file.endsWith('.test.ts'));

const places = [
  ...pages.filter(page => !TO_DO.includes(page)).flatMap(page => placesIn(page, proseOf)),
  ...commands.flatMap(file => placesIn(file, helpTextsOf)),
];
if (places.length > 0) process.stderr.write(`${places.join('\n')}\n`);
process.exitCode = places.length === 0 ? 0 : 1;

function placesIn(file: string, textOf: (source: string) => string): string[] {
  return findWordings(textOf(readFileSync(path.join(ROOT, file), 'utf8'))).map(
    ({ line, found, instead }) => `${file}:${line}: "${found}": write ${instead}`,
  );
}
