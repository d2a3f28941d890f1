import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** What one run of a command cost, its children included. */
export interface Usage {
  readonly seconds: number;
  readonly userSeconds: number;
  readonly systemSeconds: number;
  /** The largest resident set of any one of its processes. */
  readonly peakBytes: number;
  /** To disk, as the kernel counts it: what stays in the page cache counts too. */
  readonly writtenBytes: number;
}

export interface Finished {
  readonly usage: Usage;
  readonly stdout: string;
}

/** Runs a command in a process of its own. Throws with all it said unless it ends with status 0. */
export async function measure(
  command: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Promise<Finished> {
  const wrapper = path.join(import.meta.dirname, 'measured.py');
  const child = spawn('python3', [wrapper, ...command], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const texts = ['', '', ''];
  child.stdio.slice(1).forEach((stream, index) => {
    stream?.on('data', (chunk: Buffer) => {
      texts[index] += chunk.toString('utf8');
    });
  });
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  const [stdout = '', stderr = '', report = ''] = texts;
  const { status, ...usage } = JSON.parse(report || '{"status":"it did not start"}') as Usage & {
    status: unknown;
  };
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}\n${stdout}\n${stderr}`);
  return { usage, stdout };
}

export function cpuSeconds({ userSeconds, systemSeconds }: Usage): number {
  return userSeconds + systemSeconds;
}

/** CPU seconds that a process has used so far, of the kernel's ticks of 10 ms. */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  // utime and stime are fields 14 and 15 of proc(5); the first two are cut off.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}
