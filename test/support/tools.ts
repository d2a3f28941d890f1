import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RunResult {
  /** The exit status, or null after a signal. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Laid over this process's own; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly input?: string;
  /** Default five minutes. */
  readonly timeoutMs?: number;
}

/** With this set to 1, a test against a real program fails where the program is missing, instead of being skipped. */
const REQUIRE_REAL = 'WEIGHBRIDGE_REQUIRE_REAL';

/**
 * For the `skip` option of a test that needs programs of this machine: false where all are there, else the reason.
 * Throws instead where WEIGHBRIDGE_REQUIRE_REAL=1.
 */
export function requireTool(...names: readonly string[]): false | string {
  const missing = names.filter(name => !hasTool(name));
  return missing.length === 0 ? false : absent(`${missing.join(', ')} not installed on this machine`);
}

export function hasTool(name: string): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** Runs a program to its end. Rejects only where it cannot be started. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const { env = {}, cwd, input = '', timeoutMs = 300_000 } = options;
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    timeout: timeoutMs,
    ...(cwd === undefined ? {} : { cwd }),
  });
  child.stdin.on('error', () => undefined).end(input);
  const [stdout, stderr, status] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    }),
  ]);
  return { status, stdout, stderr };
}

/** As `run`, and an error with all that was said unless the status is 0. Gives stdout. */
export async function runOk(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { status, stdout, stderr } = await run(command, args, options);
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${stdout}\n${stderr}`);
  return stdout;
}

/** Starts a server that prints one line of JSON when it is ready. Give it back to `stopServer`. */
export async function startServerProcess(
  command: string,
  args: readonly string[],
): Promise<{ readonly child: ChildProcess; readonly ready: Record<string, string> }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of child.stdout) {
    text += chunk;
    if (text.includes('\n')) break;
  }
  if (!text.includes('\n')) throw new Error(`${command} ${args.join(' ')} ended before it was ready`);
  return { child, ready: JSON.parse(text) };
}

/** Ends it as a supervisor does. Gives its exit status, or null where the signal itself ended it. */
export async function stopServer(child: ChildProcess): Promise<number | null> {
  const ended = new Promise<number | null>(resolve => child.once('close', resolve));
  child.kill('SIGTERM');
  return await ended;
}

/** A folder that goes away with the test. */
export async function temporaryFolder(t: { after(work: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-test-'));
  // Container storage has folders without the right to write, even for their owner.
  t.after(async () => {
    spawnSync('chmod', ['-R', 'u+rwX', folder], { stdio: 'ignore' });
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  return folder;
}

/** The versions of huggingface_hub that images in use carry: the last one of the old line, and a new one. */
export const HUB_VERSIONS = ['0.36.2', '2.4.0'] as const;

/** The Python of an environment with `huggingface_hub`; made on first use, which needs the package registry. */
export async function pythonWithHub(version: string = HUB_VERSIONS[1]): Promise<string> {
  return await pythonWith([`huggingface_hub==${version}`]);
}

/**
 * The Python of an environment with these packages, kept in `$XDG_CACHE_HOME/weighbridge-tests` (default
 * `~/.cache/weighbridge-tests`) for the next run. `requireTool('python3')` goes before it.
 */
export async function pythonWith(requirements: readonly string[]): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache');
  const key = createHash('sha256').update(requirements.join('\n')).digest('hex').slice(0, 12);
  const folder = path.join(cache, 'weighbridge-tests', `python-${key}`);
  const python = path.join(folder, 'bin', 'python');
  const ready = path.join(folder, 'ready');
  await mkdir(path.dirname(folder), { recursive: true });
  await withFolderLock(`${folder}.lock`, async () => {
    if (await exists(ready)) return;
    await rm(folder, { recursive: true, force: true });
    await runOk('python3', ['-m', 'venv', folder]);
    await runOk(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...requirements]);
    await writeFile(ready, '');
  });
  return python;
}

/** Test files run in processes of their own, and two may want the same environment. */
async function withFolderLock(lock: string, work: () => Promise<void>): Promise<void> {
  const staleAfterMs = 10 * 60_000;
  for (;;) {
    try {
      await mkdir(lock);
      break;
    } catch {
      const since = await stat(lock).catch(() => undefined);
      if (since !== undefined && Date.now() - since.mtimeMs > staleAfterMs)
        await rm(lock, { recursive: true, force: true });
      await sleep(200);
    }
  }
  try {
    await work();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

function absent(reason: string): string {
  if (process.env[REQUIRE_REAL] === '1') throw new Error(`${reason}, and ${REQUIRE_REAL}=1 asks for it`);
  return reason;
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
