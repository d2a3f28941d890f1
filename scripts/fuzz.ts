// Runs every parser of foreign data on mutated examples, with a new seed each turn, for the given time:
// npm run fuzz -- --minutes 60. What fails is kept in test/fuzz/regressions.json, which the tests repeat from then on.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { PARSERS } from '../test/fuzz/parsers.ts';

const FILE = path.join(import.meta.dirname, '../test/fuzz/regressions.json');
const RUNS_A_TURN = 500;
const MAX_EXAMPLE = 500;

interface Kept {
  readonly parser: string;
  readonly seed: number;
  readonly path: string;
  readonly example: string;
}

const { minutes, parser: only } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, parser: { type: 'string' } },
}).values;
const endMs = Date.now() + Number(minutes) * 60_000;
if (!(endMs > Date.now())) throw new RangeError(`--minutes takes a number, not ${minutes}`);

const names = [...PARSERS.keys()].filter(name => only === undefined || name === only);
const runs = new Map(names.map(name => [name, 0]));
const failed = new Map<string, Kept>();

while (Date.now() < endMs && failed.size < names.length) {
  for (const name of names) {
    if (failed.has(name) || Date.now() >= endMs) continue;
    const details = await fc.check(PARSERS.get(name) as fc.IAsyncProperty<unknown>, {
      numRuns: RUNS_A_TURN,
      seed: Math.floor(Math.random() * 2 ** 31),
    });
    runs.set(name, (runs.get(name) ?? 0) + details.numRuns);
    if (!details.failed) continue;
    const example = fc.stringify(details.counterexample).slice(0, MAX_EXAMPLE);
    failed.set(name, { parser: name, seed: details.seed, path: details.counterexamplePath ?? '', example });
    process.stdout.write(`${name}: seed ${details.seed}, path ${details.counterexamplePath}: ${example}\n`);
    process.stdout.write(`${details.errorInstance instanceof Error ? details.errorInstance.stack : ''}\n`);
  }
}

for (const [name, count] of runs)
  process.stdout.write(`${name.padEnd(24)}${count} runs, ${failed.has(name) ? 'FAILED' : 'no failure'}\n`);
const total = [...runs.values()].reduce((sum, count) => sum + count, 0);
process.stdout.write(`${names.length} parsers, ${total} runs, ${failed.size} failed\n`);
if (failed.size > 0) {
  const kept = JSON.parse(await readFile(FILE, 'utf8')) as Kept[];
  await writeFile(FILE, `${JSON.stringify([...kept, ...failed.values()], null, 2)}\n`);
  process.exitCode = 1;
}
