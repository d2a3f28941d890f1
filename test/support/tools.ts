import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

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
  if (missing.length === 0) return false;
  return skipFor(`${missing.join(', ')} not installed (scripts/install-test-tools.sh does that)`);
}

/** As `requireTool`, for a test that makes file systems or containers. */
export function requireToolAsRoot(...names: readonly string[]): false | string {
  return requireTool(...names) || (process.getuid?.() === 0 ? false : skipFor('not root'));
}

/** The reason for skipping a test, or an error with it where WEIGHBRIDGE_REQUIRE_REAL=1. */
export function skipFor(reason: string): string {
  if (process.env[REQUIRE_REAL] === '1') throw new Error(`${reason}, and ${REQUIRE_REAL}=1 asks for it`);
  return reason;
}

export function hasTool(name: string): boolean {
  // Debian keeps servers and container runtimes where the path of those who are not root does not lead.
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/sbin'];
  return folders.some(folder => existsSync(path.join(folder, name)));
}

/** Runs a program to its end. Rejects only where it cannot be started. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const { env = {}, cwd, input = '', timeoutMs = 1_200_000 } = options;
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

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
