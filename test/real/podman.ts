import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunResult, run, runOk } from '../support/tools.ts';

/** What has to be on the machine for a stand-in base image, a registry, and containers. */
export const CONTAINER_TOOLS = ['podman', 'runc', 'skopeo', 'mmdebstrap', 'flock', 'docker-registry', 'perl'];

export interface ContainerOptions {
  /** What podman can pull, e.g. `localhost:5000/x:tag` or `docker-archive:<file>`, or a name given to `load`. */
  readonly image: string;
  /** Replaces the image's `Cmd`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** `-v` values: `<host folder>:<container folder>[:ro]`. */
  readonly volumes?: readonly string[];
  readonly user?: string;
  /** Default: the host's. */
  readonly network?: 'host' | 'none';
  /** Further flags of `podman run`, e.g. `--read-only`. */
  readonly flags?: readonly string[];
}

/** A container that runs: what it has said so far, and the ways to end it. */
export interface RunningContainer {
  readonly output: { readonly stdout: string; readonly stderr: string };
  /** Waits until stdout and stderr together match; throws when the container ends first or after a minute. */
  waitFor(pattern: RegExp): Promise<void>;
  kill(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<void>;
  readonly ended: Promise<RunResult>;
}

/**
 * podman with a storage of its own in a temporary folder, so that tests see no images of the machine and leave none.
 * The flags are the ones that also work inside another container: the host's network, and limits that may not be raised.
 */
export class Podman {
  readonly #folder: string;
  #count = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(): Promise<Podman> {
    return new Podman(await mkdtemp(path.join(tmpdir(), 'weighbridge-podman-')));
  }

  /** The command in words, for a program that calls podman itself. */
  get command(): string {
    return ['podman', ...this.#storage()].join(' ');
  }

  async pull(image: string): Promise<void> {
    await runOk('podman', [...this.#storage(), 'pull', '--quiet', '--tls-verify=false', image]);
  }

  /** Takes an image from an OCI layout into the storage as `name` (podman itself cannot where a folder begins with a dot). */
  async load(ociLayout: string, tag: string, name: string): Promise<void> {
    const driver = await runOk('podman', [
      ...this.#storage(),
      'info',
      '--format',
      '{{.Store.GraphDriverName}}',
    ]);
    const storage = `${driver.trim()}@${path.join(this.#folder, 'root')}+${path.join(this.#folder, 'run')}`;
    await runOk('skopeo', [
      'copy',
      '--quiet',
      `oci:${ociLayout}:${tag}`,
      `containers-storage:[${storage}]${name}`,
    ]);
  }

  async run(options: ContainerOptions): Promise<RunResult> {
    return (await this.start(options)).ended;
  }

  async start(options: ContainerOptions): Promise<RunningContainer> {
    const name = `weighbridge-${process.pid}-${++this.#count}`;
    const child = spawn('podman', [...this.#storage(), ...runArguments(name, options)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return watch(child, async signal => {
      await runOk('podman', [...this.#storage(), 'kill', '--signal', signal, name]);
    });
  }

  /** Ends what still runs and takes the storage away. */
  async [Symbol.asyncDispose](): Promise<void> {
    await run('podman', [...this.#storage(), 'rm', '--all', '--force', '--time', '0']);
    await run('podman', [...this.#storage(), 'rmi', '--all', '--force']);
    await run('umount', [path.join(this.#folder, 'root', 'overlay')]);
    await rm(this.#folder, { recursive: true, force: true });
  }

  #storage(): string[] {
    const folders = ['--root', path.join(this.#folder, 'root'), '--runroot', path.join(this.#folder, 'run')];
    return [...folders, '--runtime', 'runc', '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'];
  }
}

/** What `podman run` needs for images of a registry on loopback, inside another container. */
export const CONFINED_FLAGS = [
  '--tls-verify=false',
  '--ulimit=nofile=1024:1024',
  '--ulimit=nproc=1024:1024',
] as const;

function runArguments(name: string, options: ContainerOptions): string[] {
  return [
    ...['run', '--rm', '--name', name, '--network', options.network ?? 'host', ...CONFINED_FLAGS],
    ...Object.entries(options.env ?? {}).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    ...(options.volumes ?? []).flatMap(volume => ['--volume', volume]),
    ...(options.user === undefined ? [] : ['--user', options.user]),
    ...(options.flags ?? []),
    options.image,
    ...(options.args ?? []),
  ];
}

function watch(child: ChildProcess, kill: RunningContainer['kill']): RunningContainer {
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  let hasEnded = false;
  const ended = once(child, 'close').then(([code]): RunResult => {
    hasEnded = true;
    return { ...output, status: code };
  });
  const waitFor = async (pattern: RegExp): Promise<void> => {
    const deadline = Date.now() + 600_000;
    while (!pattern.test(output.stdout + output.stderr)) {
      if (hasEnded || Date.now() > deadline) {
        const why = hasEnded ? 'ended' : 'ran for ten minutes';
        throw new Error(`the container ${why} without saying ${pattern}:\n${output.stderr}${output.stdout}`);
      }
      await sleep(50);
    }
  };
  return { output, ended, kill, waitFor };
}
