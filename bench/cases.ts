import { median, type Usage } from './measure.ts';

/** One way of doing something, run some times, each in fresh processes. */
export interface Case {
  readonly name: string;
  /** Payload that has to arrive, once however many targets there are. */
  readonly bytes: number;
  run(): Promise<Run>;
}

export interface Run {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  readonly writtenBytes: number;
  /** CPU seconds of the server that took the bytes. */
  readonly targetCpuSeconds?: number;
  /** As the target counts them. */
  readonly uploadedBytes?: number;
  readonly targetRequests?: number;
  /** What a node got from a registry, as it is stored. */
  readonly fetchedBytes?: number;
  /** What a node has made of it in files. */
  readonly unpackedBytes?: number;
}

/** The medians of a case's runs. */
export interface Row extends Run {
  readonly name: string;
  readonly bytes: number;
  readonly runs: readonly Run[];
}

/** Runs all cases `rounds` times, every other round backwards, so that none always has the same neighbor. */
export async function runCases(
  cases: readonly Case[],
  rounds: number,
  say: (line: string) => void,
): Promise<Row[]> {
  const runs = new Map<Case, Run[]>(cases.map(one => [one, []]));
  for (let round = 0; round < rounds; round++) {
    for (const one of round % 2 === 0 ? cases : cases.toReversed()) {
      const run = await one.run();
      runs.get(one)?.push(run);
      say(`round ${round + 1}, ${one.name}: ${run.seconds.toFixed(1)} s, ${run.cpuSeconds.toFixed(2)} CPU s`);
    }
  }
  return cases.map(one => ({ name: one.name, bytes: one.bytes, ...mediansOf(runs.get(one) ?? []) }));
}

export function mediansOf(runs: readonly Run[]): Run & { readonly runs: readonly Run[] } {
  const of = (key: keyof Run): number => median(runs.map(run => run[key] ?? 0));
  return {
    seconds: of('seconds'),
    cpuSeconds: of('cpuSeconds'),
    peakBytes: Math.max(...runs.map(run => run.peakBytes)),
    writtenBytes: of('writtenBytes'),
    targetCpuSeconds: of('targetCpuSeconds'),
    uploadedBytes: of('uploadedBytes'),
    targetRequests: of('targetRequests'),
    fetchedBytes: of('fetchedBytes'),
    unpackedBytes: of('unpackedBytes'),
    runs,
  };
}

/** Several steps one after the other, as a user would run them, counted as one. */
export function sumOf(usages: readonly Usage[]): Run {
  const sum = (key: keyof Usage): number => usages.reduce((total, usage) => total + usage[key], 0);
  return {
    seconds: sum('seconds'),
    cpuSeconds: sum('userSeconds') + sum('systemSeconds'),
    peakBytes: Math.max(...usages.map(usage => usage.peakBytes)),
    writtenBytes: sum('writtenBytes'),
  };
}
