import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { withoutSecrets } from '../../../core/child-env.ts';
import { ConfigError, WeighbridgeError } from '../../../core/errors.ts';
import { plainLine } from '../../../core/safe-text.ts';

/** A docker or podman that can be called. */
export interface ContainerEngine {
  readonly kind: EngineKind;
  /** What comes before `run`: `['docker']`, `['sudo', 'docker']`, `['podman', '--runtime', 'runc']`. */
  readonly words: readonly string[];
}

/** The container engines that `run` can start. */
export type EngineKind = 'docker' | 'podman';
/** The GPU vendors that `run` has flags for. */
export type GpuKind = 'nvidia' | 'amd';

/** Which engine is wanted, and where to look for it. */
export interface EngineQuestion {
  /** `--engine`; undefined takes docker or podman, whichever works. */
  readonly wanted: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

const KINDS: readonly EngineKind[] = ['docker', 'podman'];
/** Long enough for an engine over SSH, or for sudo to ask for a password. */
const ANSWER_TIMEOUT_MS = 60_000;

/** Returns the engine that was asked for, or the first that works. Throws ConfigError USAGE if there is none. */
export async function findEngine({ wanted, ...question }: EngineQuestion): Promise<ContainerEngine> {
  const candidates = wanted === undefined ? KINDS.map(parseEngine) : [parseEngine(wanted)];
  const reasons: string[] = [];
  for (const engine of candidates) {
    const reason = await whyUnusable(engine, question);
    if (reason === undefined) return engine;
    reasons.push(`${engine.words.join(' ')}: ${reason}`);
  }
  const what = wanted === undefined ? 'neither docker nor podman can be used' : 'the engine cannot be used';
  throw new ConfigError(`${what} (${reasons.join('; ')})`, {
    code: 'USAGE',
    remedy:
      'Start the Docker engine, or install Podman. --engine takes another command, such as "sudo docker"; ' +
      '--print shows what to run on another machine.',
  });
}

/**
 * Reads `--engine`: words with spaces between them, one of which is docker or podman or a path to it. Returns the
 * engine. Throws ConfigError USAGE.
 */
export function parseEngine(text: string): ContainerEngine {
  const words = text.split(/\s+/).filter(word => word !== '');
  const kind = words
    .map(word => KINDS.find(one => one === path.basename(word)))
    .find(found => found !== undefined);
  if (kind !== undefined) return { kind, words };
  throw new ConfigError(`--engine ${JSON.stringify(text)} is neither docker nor podman`, {
    code: 'USAGE',
    remedy: 'Write docker, podman, a path to one of them, or a command such as "sudo docker".',
  });
}

/**
 * Brings the images of a docker archive into the engine. Returns their names as the engine has them. Throws ConfigError
 * USAGE, WeighbridgeError STORE_IO.
 */
export async function loadArchive(
  { words: [program = '', ...words] }: ContainerEngine,
  file: string,
  { env, signal }: Omit<EngineQuestion, 'wanted'>,
): Promise<string[]> {
  if (!existsSync(file)) {
    throw new ConfigError(`there is no file ${file}`, {
      code: 'USAGE',
      subject: file,
      remedy: 'Make it with: weighbridge build --output docker-archive:<file>.',
    });
  }
  const { failed, stdout, exitCode, code } = await execa(program, [...words, ...loadArguments(file)], {
    env: withoutSecrets(env),
    extendEnv: false,
    stdin: 'ignore',
    stderr: 'inherit',
    reject: false,
    ...(signal && { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  if (!failed) return loadedNames(stdout);
  throw new WeighbridgeError(
    `${path.basename(program)} could not load ${file} (status ${exitCode ?? code})`,
    {
      code: 'STORE_IO',
      subject: file,
      remedy: 'Its own message is above. Build a truncated file again.',
    },
  );
}

/** Returns the arguments that load an archive, for Docker and Podman alike. */
export function loadArguments(file: string): string[] {
  return ['load', '-i', file];
}

/**
 * Returns the names of images in the output of `docker load` or `podman load`. Docker has a line for each name, old
 * Podman one line with commas; an image without a name has an id only.
 */
export function loadedNames(output: string): string[] {
  const lines = [...output.matchAll(/^Loaded image(?:\(s\))?: *(.+)$/gm)];
  return lines.flatMap(([, names = '']) => names.split(',').map(name => name.trim()));
}

/** Runs to its end with this process's own terminal. Returns the status, 128 + n where signal n ended it. */
export async function runContainer(
  { words: [program = '', ...words] }: ContainerEngine,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const child = spawn(program, [...words, ...args], { env: withoutSecrets(env, args), stdio: 'inherit' });
  // A terminal's Ctrl-C reaches the engine too, which passes it on: twice would cut the server's own shutdown.
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const onInterrupt = (): void => void (hasTerminal || child.kill('SIGINT'));
  const onTerminate = (): void => void child.kill('SIGTERM');
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  try {
    return await ended(child);
  } finally {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onTerminate);
  }
}

/** Where to look for GPUs; tests have devices of their own. */
export interface GpuSearch {
  readonly env: NodeJS.ProcessEnv;
  readonly hasDevice?: (path: string) => boolean;
}

/** Returns the GPU that this machine has; undefined if it has none or if the engine is on another machine. */
export async function detectGpu({ env, hasDevice = existsSync }: GpuSearch): Promise<GpuKind | undefined> {
  if (hasDevice('/dev/nvidiactl') || (await answer(['nvidia-smi'], { env })).isOk) return 'nvidia';
  return hasDevice('/dev/kfd') ? 'amd' : undefined;
}

async function whyUnusable(
  { kind, words }: ContainerEngine,
  question: Omit<EngineQuestion, 'wanted'>,
): Promise<string | undefined> {
  // Docker's client is often there without an engine, and then tells its own version all the same.
  const format = kind === 'docker' ? ['--format', '{{.Server.Version}}'] : [];
  const { isOk, stdout, why } = await answer([...words, 'version', ...format], question);
  if (!isOk) return why;
  return stdout.trim() === '' ? 'it does not tell its version' : undefined;
}

interface Answer {
  readonly isOk: boolean;
  readonly stdout: string;
  readonly why: string;
}

async function answer(
  [program = '', ...args]: readonly string[],
  { env, signal }: Omit<EngineQuestion, 'wanted'>,
): Promise<Answer> {
  const result = await execa(program, args, {
    env: withoutSecrets(env),
    extendEnv: false,
    stdin: 'ignore',
    timeout: ANSWER_TIMEOUT_MS,
    reject: false,
    ...(signal && { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  return { isOk: !result.failed, stdout: result.stdout, why: reasonOf(result) };
}

function reasonOf(result: {
  readonly code?: string | undefined;
  readonly timedOut: boolean;
  readonly stderr: string;
  readonly exitCode?: number | undefined;
}): string {
  if (result.code === 'ENOENT') return 'not installed';
  if (result.timedOut) return 'no answer within a minute';
  return plainLine(result.stderr, 300) || `status ${result.exitCode ?? result.code}`;
}

// Not execa: for it, a signal that could not be sent is the end of the child.
function ended(child: ReturnType<typeof spawn>): Promise<number> {
  return new Promise((resolve, reject) => {
    // Also said of a signal that could not be sent, as to a sudo: the child then lives on, and its end counts.
    child.on('error', error => {
      if (child.pid === undefined || error.name === 'AbortError') reject(error);
    });
    child.on('close', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}
