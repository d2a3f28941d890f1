import { type ChildProcessByStdio, spawn } from 'node:child_process';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

export const ROOT = path.join(import.meta.dirname, '..', '..');
/** The variable that names the command as the package has it, where all tests are run (built-command.ts). */
export const BUILT_COMMAND = 'WEIGHBRIDGE_BUILT_COMMAND';
/** The command of this checkout. */
export const WEIGHBRIDGE = process.env[BUILT_COMMAND] ?? path.join(ROOT, 'bin', 'weighbridge');

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

export interface CommandResult {
  /** Null where a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Variables of the tester's own that would change what the command does. */
const CLEAN: Readonly<Record<string, undefined>> = Object.fromEntries(
  ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN', 'HF_ENDPOINT', 'HF_HOME', 'GITHUB_REPOSITORY_OWNER', 'GITHUB_TOKEN']
    .concat(['DOCKERHUB_USERNAME', 'DOCKERHUB_TOKEN', 'GITHUB_ACTOR', 'REGISTRY_AUTH_FILE', 'GITHUB_ACTIONS'])
    .map(name => [name, undefined]),
);

export function startWeighbridge(
  args: readonly string[],
  { env = {}, cwd = ROOT }: CommandOptions = {},
): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(WEIGHBRIDGE, args, {
    cwd,
    env: { ...process.env, ...CLEAN, WEIGHBRIDGE_LAYER_INDEX: '', WEIGHBRIDGE_RETRY_SECONDS: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The command as a user runs it, in a process of its own. */
export async function weighbridge(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = startWeighbridge(args, options);
  const status = new Promise<number | null>(resolve => child.once('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await status, stdout, stderr };
}
