/**
 * Counts docstrings of exported symbols: `npm run lint`. Exits with 1 if the share of those that have one, or of the throwing
 * functions whose docstring says so, is below the share that scripts/docstrings.json holds, or if one of the library lacks
 * its own. `--write` raises the shares; `--list` prints what is missing.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Exported, exportedOf } from './docstrings.ts';

const ROOT = path.join(import.meta.dirname, '..');
const SHARES = path.join(import.meta.dirname, 'docstrings.json');
const LIBRARY = ['src/index.ts', 'src/report/json/index.ts', 'src/testkit/index.ts'];
const SAYS_THROWS = /\b(?:[Tt]hrows?|[Rr]ejects?)\b/;

type Found = Exported & { readonly file: string };

const all = globSync('src/**/*.ts', { cwd: ROOT })
  .filter(file => !/\.(?:test|fixtures|contract|cases)\.ts$/.test(file))
  .sort()
  .flatMap(file => exportedOf(read(file)).map((one): Found => ({ ...one, file })));
const throwing = all.filter(({ throws }) => throws);
const silent = throwing.filter(({ doc }) => !SAYS_THROWS.test(doc ?? ''));
const bare = all.filter(({ doc }) => doc === undefined);
const open = libraryOf(all).filter(({ doc }) => doc === undefined);

const shares = {
  documented: share(all.length - bare.length, all.length),
  throwing: share(throwing.length - silent.length, throwing.length),
};
const held = JSON.parse(readFileSync(SHARES, 'utf8')) as typeof shares;
say(
  `${all.length} exported symbols, ${all.length - bare.length} with a docstring (${shares.documented} %); ` +
    `${throwing.length} functions throw, ${throwing.length - silent.length} say so (${shares.throwing} %)`,
);
if (process.argv.includes('--list')) {
  for (const one of bare) say(`${place(one)} has no docstring`);
  for (const one of silent) say(`${place(one)} throws and does not say so`);
}
if (process.argv.includes('--write')) writeFileSync(SHARES, `${JSON.stringify(shares, null, 2)}\n`);
else {
  const fallen = (Object.keys(shares) as (keyof typeof shares)[]).filter(key => shares[key] < held[key]);
  for (const key of fallen)
    complain(`${key}: ${shares[key]} % is less than ${held[key]} %: see scripts/check-docstrings.ts --list`);
  for (const one of open) complain(`${place(one)} is a part of the library and has no docstring`);
  process.exitCode = fallen.length + open.length === 0 ? 0 : 1;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function complain(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** The declarations that the library exports under their own names. */
function libraryOf(found: readonly Found[]): Found[] {
  return LIBRARY.flatMap(index => {
    const exports = [...read(index).matchAll(/export (?:type )?\{([^}]*)\} from '([^']+)'/g)];
    return exports.flatMap(([, names = '', from = '']) => {
      const file = path.join(path.dirname(index), from);
      const wanted = names.split(',').map(name => name.replace(/^\s*type /, '').trim());
      return found.filter(one => one.file === file && wanted.includes(one.name));
    });
  });
}

function place({ file, line, name }: Found): string {
  return `${file}:${line}: ${name}`;
}

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

/** In percent, with one decimal, rounded down. */
function share(part: number, whole: number): number {
  return whole === 0 ? 100 : Math.floor((part / whole) * 1000) / 10;
}
