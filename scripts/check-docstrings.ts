/**
 * Checks the docstrings of exported symbols: `npm run lint`. Exits with 1 and each symbol without one, each function that
 * does not say what it returns or throws, and each code of its own errors that it does not name. Prints the counts.
 */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Exported, exportedOf, faultsOf } from './docstrings.ts';

const ROOT = path.join(import.meta.dirname, '..');

type Found = Exported & { readonly file: string };

const all = globSync('src/**/*.ts', { cwd: ROOT })
  .filter(file => !/\.(?:test|fixtures|contract|cases)\.ts$/.test(file))
  .sort()
  .flatMap(file => exportedOf(read(file)).map((one): Found => ({ ...one, file })));
const faults = all.flatMap(one =>
  faultsOf(one).map(fault => `${one.file}:${one.line}: ${one.name} ${fault}`),
);
const count = (is: (one: Found) => boolean): number => all.filter(is).length;

process.stdout.write(
  `${all.length} exported symbols: ${count(({ doc }) => doc !== undefined)} have a docstring, ` +
    `${count(({ returns }) => returns)} return something, ${count(({ throws }) => throws)} throw; ` +
    `${faults.length} faults in docstrings\n`,
);
if (faults.length > 0) process.stderr.write(`${faults.join('\n')}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}
