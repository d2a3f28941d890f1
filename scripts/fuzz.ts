// Runs every parser of foreign data on mutated examples, with a new seed each turn, for the given time:
// npm run fuzz -- --minutes 60. What fails is kept in test/fuzz/regressions.json, which the tests repeat from then on.
// The parsers run in a worker: a loop without an end is a failure like any other, told with its seed, and Ctrl-C still prints the figures.
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setInterval } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { PARSERS } from '../test/fuzz/parsers.ts';

const FILE = path.join(import.meta.dirname, '../test/fuzz/regressions.json');
const RUNS_A_TURN = 500;
const MAX_EXAMPLE = 500;
/** What a turn may take. Most take less than one second. */
const MAX_TURN_CPU_S = 120;
const PROGRESS_EVERY_S = 60;

/** A failure, as the tests repeat it: without a path, all runs of the seed. */
interface Kept {
  readonly parser: string;
  readonly seed: number;
  readonly path: string;
  readonly example: string;
}

/** What the worker is asked for: so many runs of one parser. */
interface Turn {
  readonly parser: string;
  readonly seed: number;
}

type Failure = Kept & { readonly stack: string };

/** How a turn ended. */
interface TurnResult {
  readonly runs: number;
  readonly failure?: Failure;
}

if (isMainThread) await fuzz();
else parentPort?.on('message', async (turn: Turn) => parentPort?.postMessage(await runTurn(turn)));

async function runTurn({ parser, seed }: Turn): Promise<TurnResult> {
  const property = PARSERS.get(parser) as fc.IAsyncProperty<unknown>;
  const details = await fc.check(property, { numRuns: RUNS_A_TURN, seed });
  if (!details.failed) return { runs: details.numRuns };
  const example = fc.stringify(details.counterexample).slice(0, MAX_EXAMPLE);
  const stack = details.errorInstance instanceof Error ? (details.errorInstance.stack ?? '') : '';
  return {
    runs: details.numRuns,
    failure: { parser, seed, path: details.counterexamplePath ?? '', example, stack },
  };
}

async function fuzz(): Promise<void> {
  const { minutes, names } = readArguments();
  const startMs = Date.now();
  const endMs = startMs + minutes * 60_000;
  const runs = new Map(names.map(name => [name, 0]));
  const failed = new Map<string, Kept>();
  let isInterrupted = false;
  process.once('SIGINT', () => {
    isInterrupted = true;
  });
  const hasEnded = (): boolean => isInterrupted || Date.now() >= endMs || failed.size === names.length;

  let worker = new Worker(new URL(import.meta.url));
  let toldAtMs = startMs;
  while (!hasEnded()) {
    for (const parser of names) {
      if (failed.has(parser) || hasEnded()) continue;
      const turn = { parser, seed: Math.floor(Math.random() * 2 ** 31) };
      const result = await finishTurn(worker, turn, () => isInterrupted);
      if (result === 'interrupted') break;
      if (result === 'endless') {
        await worker.terminate();
        worker = new Worker(new URL(import.meta.url));
      } else runs.set(parser, (runs.get(parser) ?? 0) + result.runs);
      const failure = result === 'endless' ? endless(turn) : result.failure;
      if (failure === undefined) continue;
      const { stack, ...kept } = failure;
      failed.set(parser, kept);
      process.stdout.write(`${parser}: seed ${kept.seed}, path ${kept.path}: ${kept.example}\n${stack}\n`);
    }
    if (Date.now() - toldAtMs < PROGRESS_EVERY_S * 1000) continue;
    toldAtMs = Date.now();
    const minutesDone = Math.round((toldAtMs - startMs) / 60_000);
    process.stderr.write(`${minutesDone} of ${minutes} min: ${sumOf(runs)} runs, ${failed.size} failed\n`);
  }
  await worker.terminate();
  printResult(runs, failed, (Date.now() - startMs) / 60_000);
  if (failed.size > 0) await keep([...failed.values()]);
  if (failed.size > 0 || isInterrupted) process.exitCode = failed.size > 0 ? 1 : 130;
}

function readArguments(): { readonly minutes: number; readonly names: readonly string[] } {
  const { minutes, parser: only } = parseArgs({
    options: { minutes: { type: 'string', default: '60' }, parser: { type: 'string' } },
  }).values;
  if (!(Number(minutes) > 0)) throw new RangeError(`--minutes takes a number, not ${minutes}`);
  const all = [...PARSERS.keys()];
  const names = all.filter(name => only === undefined || name === only);
  if (names.length === 0) throw new RangeError(`No parser is called ${only}. There are: ${all.join(', ')}`);
  return { minutes: Number(minutes), names };
}

function endless(turn: Turn): Failure {
  const example = `did not end within ${MAX_TURN_CPU_S} s of CPU time`;
  return { ...turn, path: '', example, stack: '' };
}

function printResult(
  runs: ReadonlyMap<string, number>,
  failed: ReadonlyMap<string, Kept>,
  minutes: number,
): void {
  const width = Math.max(...[...runs.keys()].map(name => name.length));
  for (const [name, count] of runs)
    process.stdout.write(
      `${name.padEnd(width)}  ${count} runs, ${failed.has(name) ? 'FAILED' : 'no failure'}\n`,
    );
  process.stdout.write(
    `${runs.size} parsers, ${sumOf(runs)} runs in ${minutes.toFixed(1)} min, ${failed.size} failed\n`,
  );
}

async function keep(failures: readonly Kept[]): Promise<void> {
  const kept = JSON.parse(await readFile(FILE, 'utf8')) as Kept[];
  await writeFile(FILE, `${JSON.stringify([...kept, ...failures], null, 2)}\n`);
}

/** CPU time of the process is the worker's: nothing else here takes any. So a busy machine does not make a slow turn an endless one. */
async function finishTurn(
  worker: Worker,
  turn: Turn,
  isInterrupted: () => boolean,
): Promise<TurnResult | 'endless' | 'interrupted'> {
  const before = process.cpuUsage();
  const done = once(worker, 'message').then(([result]) => result as TurnResult);
  worker.postMessage(turn);
  const watching = new AbortController();
  const watch = (async () => {
    for await (const _ of setInterval(250, undefined, { signal: watching.signal })) {
      if (isInterrupted()) return 'interrupted';
      const { user, system } = process.cpuUsage(before);
      if (user + system > MAX_TURN_CPU_S * 1e6) return 'endless';
    }
    return 'interrupted';
  })();
  watch.catch(() => undefined);
  try {
    return await Promise.race([done, watch]);
  } finally {
    watching.abort();
  }
}

function sumOf(runs: ReadonlyMap<string, number>): number {
  return [...runs.values()].reduce((sum, count) => sum + count, 0);
}
