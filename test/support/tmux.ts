import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run, runOk } from './tools.ts';

export interface Recording {
  /** What the window showed, each time that it had changed. */
  readonly frames: readonly string[];
  /** When each frame was first seen, in milliseconds since the start. */
  readonly atMs: readonly number[];
  /** Everything at the end, with what has scrolled off. */
  readonly end: string;
  /** The exit status. */
  readonly status: number;
}

export interface RecordOptions {
  readonly columns: number;
  readonly rows: number;
  readonly env: Readonly<Record<string, string>>;
  /** Kept as `build/recordings/<name>.txt` for people to look at. */
  readonly name: string;
  /** Keep colors and weights as escape sequences in the frames. */
  readonly hasStyles?: boolean;
}

const EVERY_MS = 150;
const TIMEOUT_MS = 600_000;

/** Runs a command in a real terminal of this size and writes down what it shows. */
export async function recordTerminal(command: readonly string[], options: RecordOptions): Promise<Recording> {
  const { columns, rows, env, name, hasStyles = false } = options;
  // A server of its own, with no settings of the user's.
  const tmux = ['-L', `weighbridge-${randomUUID()}`, '-f', '/dev/null'];
  const ask = (...args: string[]): Promise<string> => runOk('tmux', [...tmux, ...args]);
  const variables = Object.entries({ TERM: 'xterm-256color', CI: '', GITHUB_ACTIONS: '', ...env }).flatMap(
    ([key, value]) => ['-e', `${key}=${value}`],
  );
  const folder = await mkdtemp(path.join(tmpdir(), 'recording-'));
  const statusFile = path.join(folder, 'status');
  // tmux has been seen to tell of another status than the command's, so that is written down.
  const noted = ['sh', '-c', '"$@"; echo $? > "$0"', statusFile, ...command];
  await ask(
    ...['new-session', '-d', '-x', String(columns), '-y', String(rows), ...variables, 'sleep 600'],
    ...[';', 'set-option', '-g', 'remain-on-exit', 'on', ';', 'set-option', '-g', 'status', 'off'],
    ...[';', 'set-option', '-g', 'default-terminal', 'tmux-256color'],
    ...[';', 'respawn-pane', '-k', ...variables, ...noted],
  );
  try {
    const frames: string[] = [];
    const atMs: number[] = [];
    const startMs = performance.now();
    const deadline = Date.now() + TIMEOUT_MS;
    for (;;) {
      const frame = (await ask('capture-pane', '-p', ...(hasStyles ? ['-e'] : []))).trimEnd();
      if (frame !== frames.at(-1)) {
        frames.push(frame);
        atMs.push(performance.now() - startMs);
      }
      const isDead = (await ask('display-message', '-p', '#{pane_dead}')).trim() === '1';
      if (isDead) {
        const status = await readFile(statusFile, 'utf8');
        const end = (await ask('capture-pane', '-p', '-S', '-'))
          .replace(/\nPane is dead.*\s*$/, '')
          .trimEnd();
        await keep(name, frames, end);
        return { frames, atMs, end, status: Number(status) };
      }
      if (Date.now() > deadline) throw new Error(`${command.join(' ')} does not end; it shows:\n${frame}`);
      await sleep(EVERY_MS);
    }
  } finally {
    await run('tmux', [...tmux, 'kill-server']);
    await rm(folder, { recursive: true });
  }
}

async function keep(name: string, frames: readonly string[], end: string): Promise<void> {
  const folder = path.resolve(import.meta.dirname, '../../build/recordings');
  await mkdir(folder, { recursive: true });
  const parts = [
    ...frames.map((frame, index) => `--- frame ${index + 1}\n${frame}`),
    `--- at the end\n${end}`,
  ];
  await writeFile(path.join(folder, `${name}.txt`), `${parts.join('\n')}\n`);
}
