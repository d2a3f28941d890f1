import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run, runOk } from '../test/support/tools.ts';
import type { Run } from './cases.ts';

const BIN = path.join(
  process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'),
  'weighbridge-tests/kubernetes/v1.34.4-v2.4.2',
);

/** Settings of containerd's transfer service, by their names in its file. */
export type TransferSettings = Readonly<Record<string, number>>;

/** Whether there is a containerd that can be started, else the reason. */
export function missingContainerd(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root';
  return existsSync(path.join(BIN, 'containerd')) ? undefined : 'no containerd (scripts/kubernetes.sh build)';
}

/** A containerd as a node has it, with an empty store of its own. */
export class Containerd {
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(folder: string, child: ChildProcess) {
    this.#folder = folder;
    this.#child = child;
  }

  /** `folder`: below it, on a disk with room for what is pulled and unpacked. */
  static async start(folder: string, settings: TransferSettings = {}): Promise<Containerd> {
    mkdirSync(path.join(folder, 'state'), { recursive: true });
    const config = path.join(folder, 'config.toml');
    writeFileSync(config, configText(folder, settings));
    const child = spawn(path.join(BIN, 'containerd'), ['--config', config], {
      stdio: 'ignore',
      env: { ...process.env, PATH: `${BIN}:${process.env.PATH}` },
    });
    const node = new Containerd(folder, child);
    for (let attempt = 0; ; attempt++) {
      if ((await run(path.join(BIN, 'ctr'), [...node.#address(), 'version'])).status === 0) return node;
      if (attempt === 100) throw new Error('containerd does not answer');
      await sleep(100);
    }
  }

  /** Pulls and unpacks an image of a registry on this machine, and counts what the node did not have. */
  async pull(reference: string): Promise<Run> {
    const before = this.#state();
    const began = performance.now();
    await runOk(path.join(BIN, 'ctr'), [
      ...this.#address(),
      ...['images', 'pull', '--plain-http', '--snapshotter', 'overlayfs', reference],
    ]);
    const seconds = (performance.now() - began) / 1000;
    const after = this.#state();
    const snapshots = after.snapshots.filter(name => !before.snapshots.includes(name));
    const blobs = [...after.blobs].filter(([digest]) => !before.blobs.has(digest));
    const unpackedBytes = await this.#sizeOf(snapshots);
    const fetchedBytes = blobs.reduce((sum, [, size]) => sum + size, 0);
    return { seconds, fetchedBytes, unpackedBytes, cpuSeconds: 0, peakBytes: 0, writtenBytes: 0 };
  }

  async stop(): Promise<void> {
    const ended = new Promise(resolve => this.#child.once('close', resolve));
    this.#child.kill('SIGTERM');
    await ended;
  }

  #address(): string[] {
    return ['--address', path.join(this.#folder, 'containerd.sock')];
  }

  #state(): { readonly blobs: ReadonlyMap<string, number>; readonly snapshots: readonly string[] } {
    const content = path.join(this.#folder, 'root', 'io.containerd.content.v1.content', 'blobs', 'sha256');
    const blobs = listed(content).map((name): [string, number] => [
      name,
      statSync(path.join(content, name)).size,
    ]);
    return { blobs: new Map(blobs), snapshots: listed(this.#snapshots()) };
  }

  #snapshots(): string {
    return path.join(this.#folder, 'root', 'io.containerd.snapshotter.v1.overlayfs', 'snapshots');
  }

  async #sizeOf(snapshots: readonly string[]): Promise<number> {
    if (snapshots.length === 0) return 0;
    const text = await runOk('du', ['--apparent-size', '-sbc', ...snapshots], { cwd: this.#snapshots() });
    return Number.parseInt(text.trim().split('\n').at(-1) ?? '', 10);
  }
}

function listed(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Nothing that a node of Kubernetes runs besides; what pulls is the same. */
function configText(folder: string, settings: TransferSettings): string {
  const lines = Object.entries(settings).map(([name, value]) => `  ${name} = ${value}\n`);
  return `version = 3
root = "${folder}/root"
state = "${folder}/state"
disabled_plugins = ["io.containerd.cri.v1.runtime", "io.containerd.cri.v1.images", "io.containerd.grpc.v1.cri"]
[grpc]
  address = "${folder}/containerd.sock"
[plugins.'io.containerd.transfer.v1.local']
${lines.join('')}`;
}
