/**
 * Checks the docstrings of exported symbols: `npm run lint`. Exits with 1 and each symbol without one, each function that
 * does not say what it returns or throws, and each code of its own errors that it does not name. Public methods of
 * exported classes need one if they return or throw something that no interface tells. No docstring may be followed by
 * another one. Prints the counts.
 */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import {
  documentedMembersOf,
  exportedOf,
  faultsOf,
  methodFaultsOf,
  publicMethodsOf,
  strayDocsOf,
} from './docstrings.ts';

const ROOT = path.join(import.meta.dirname, '..');

const modules = globSync('src/**/*.ts', { cwd: ROOT })
  .filter(file => !/\.(?:test|fixtures|contract|cases)\.ts$/.test(file))
  .sort()
  .map(file => ({ file, text: readFileSync(path.join(ROOT, file), 'utf8') }));
const documented = new Map(modules.flatMap(({ text }) => [...documentedMembersOf(text)]));

const symbols = modules.flatMap(({ file, text }) => exportedOf(text).map(one => ({ file, ...one })));
const methods = modules.flatMap(({ file, text }) => publicMethodsOf(text).map(one => ({ file, ...one })));
const strays = modules.flatMap(({ file, text }) =>
  strayDocsOf(text).map(line => `${file}:${line}: a docstring of nothing: another one follows it`),
);
const faults = [
  ...symbols.map(one => ({ one, says: faultsOf(one) })),
  ...methods.map(one => ({ one, says: methodFaultsOf(one, documented) })),
]
  .flatMap(({ one, says }) => says.map(fault => `${one.file}:${one.line}: ${one.name} ${fault}`))
  .concat(strays);

const withDoc = (all: readonly { readonly doc: string | undefined }[]): number =>
  all.filter(({ doc }) => doc !== undefined).length;
process.stdout.write(
  `${symbols.length} exported symbols: ${withDoc(symbols)} have a docstring, ` +
    `${symbols.filter(({ returns }) => returns).length} return something, ` +
    `${symbols.filter(({ throws }) => throws).length} throw; ` +
    `${methods.length} public methods: ${withDoc(methods)} have one; ${faults.length} faults in docstrings\n`,
);
if (faults.length > 0) process.stderr.write(`${faults.join('\n')}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
