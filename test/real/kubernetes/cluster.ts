import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../../support/command.ts';
import { IS_LONG } from '../../support/long.ts';
import { requireTool, run, runOk, skipFor } from '../../support/tools.ts';
import { ENGINE_FOLDER } from '../base-image.ts';
import { ENGINES } from '../vllm/engine.ts';

const SCRIPT = path.join(ROOT, 'scripts', 'kubernetes.sh');
const CACHE = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'weighbridge-tests');

/** Where pods reach this machine, and where its servers have to listen for that. */
export const HOST = '10.88.0.1';
/** The program of this clone, in every container. */
const OWN_FOLDER = '/srv/weighbridge';
/** Far from what anything takes, also where many programs share the machine. */
const MAX_WAIT_SECONDS = 600;

/** For the `skip` option of a test: false if a Kubernetes can be started, else the reason. */
export function requireKubernetes(): false | string {
  if (!IS_LONG) return 'the long form has it (WEIGHBRIDGE_LONG=1)';
  const tools = requireTool('etcd', 'runc', 'busybox', 'ip', 'openssl', 'iptables');
  if (tools !== false) return tools;
  const isBuilt = existsSync(path.join(CACHE, 'kubernetes', 'v1.34.4-v2.4.2', '.built'));
  return isBuilt ? false : skipFor('Kubernetes is not built (scripts/kubernetes.sh build)');
}

export interface PodStatus {
  readonly phase: string;
  readonly podIP?: string;
  readonly containerStatuses?: readonly ContainerStatus[];
  readonly initContainerStatuses?: readonly ContainerStatus[];
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly containerID?: string;
  readonly state: State;
  readonly lastState?: State;
}

interface State {
  readonly running?: object;
  readonly terminated?: { readonly exitCode: number; readonly message?: string; readonly reason: string };
}

export interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: PodStatus;
}

/** A Kubernetes of one node, for one test file. */
export class Cluster implements AsyncDisposable {
  readonly #folder: string;
  readonly #lock: ChildProcess;
  #volumes = 0;

  private constructor(folder: string, lock: ChildProcess) {
    this.#folder = folder;
    this.#lock = lock;
  }

  static async start(): Promise<Cluster> {
    const lock = await holdLock();
    const cluster = new Cluster(await mkdtemp(path.join(tmpdir(), 'wbk-')), lock);
    try {
      await cluster.#up();
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  async #up(): Promise<void> {
    const mounts = [
      `${ENGINES}:${ENGINE_FOLDER}`,
      `${ROOT}:${OWN_FOLDER}`,
      `${path.join(import.meta.dirname, 'npx')}:/usr/local/bin/npx`,
    ];
    await mkdir(ENGINES, { recursive: true });
    const env = { NODE_MOUNTS: mounts.join(' ') };
    await runOk(SCRIPT, ['up', this.#folder], { env });
    // As a device plugin would: nothing here asks whether there is one.
    const patch = { status: { capacity: { 'nvidia.com/gpu': '4' } } };
    await this.kubectl(['patch', 'node', 'node', '--subresource=status', '-p', JSON.stringify(patch)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run(SCRIPT, ['down', this.#folder]);
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
    this.#lock.kill();
  }

  async kubectl(args: readonly string[], input = ''): Promise<string> {
    return await runOk(path.join(this.#folder, 'kubectl'), args, { input });
  }

  /** containerd's own client, in the kubelet's namespace. */
  async ctr(args: readonly string[]): Promise<string> {
    return await runOk(path.join(this.#folder, 'ctr'), args);
  }

  async apply(yaml: string): Promise<void> {
    await this.kubectl(['apply', '-f', '-'], yaml);
  }

  /** Adds a kind of resource, a CustomResourceDefinition in a file, and waits until it can be used. */
  async define(file: string, name: string): Promise<void> {
    // A definition can be too large for the annotation that `apply` keeps otherwise.
    await this.kubectl(['apply', '--server-side', '-f', file]);
    for (;;) {
      const { status } = JSON.parse(await this.kubectl(['get', 'crd', name, '-o', 'json']));
      const conditions: readonly { type: string; status: string }[] = status?.conditions ?? [];
      if (conditions.some(({ type, status: is }) => type === 'Established' && is === 'True')) return;
      await sleep(200);
    }
  }

  /** As `kubectl delete -f`: waits until everything is gone, at most ten minutes. Returns the seconds. */
  async delete(yaml: string): Promise<number> {
    const began = performance.now();
    await this.kubectl(['delete', '--ignore-not-found', `--timeout=${MAX_WAIT_SECONDS}s`, '-f', '-'], yaml);
    await this.untilPods(pods => pods.length === 0);
    return (performance.now() - began) / 1000;
  }

  async pods(): Promise<readonly Pod[]> {
    const { items } = JSON.parse(await this.kubectl(['get', 'pods', '-A', '-o', 'json']));
    return items;
  }

  /** The pods, once they are as `isWanted` says. Throws after ten minutes. */
  async untilPods(isWanted: (pods: readonly Pod[]) => boolean): Promise<readonly Pod[]> {
    const deadline = Date.now() + MAX_WAIT_SECONDS * 1000;
    for (;;) {
      const pods = await this.pods();
      if (isWanted(pods)) return pods;
      if (Date.now() > deadline) throw new Error(`not in ${MAX_WAIT_SECONDS} s:\n${await this.describe()}`);
      await sleep(300);
    }
  }

  async describe(): Promise<string> {
    return (await this.kubectl(['describe', 'pods', '-A'])).slice(-6000);
  }

  async logs(pod: Pod, namespace = 'default'): Promise<string> {
    return await this.kubectl(['logs', '-n', namespace, pod.metadata.name, '--all-containers']);
  }

  /** A folder of the node for the next claim; `claim` is what may have it. Storage of this kind knows fsGroup. */
  async addVolume(mode: 'ReadWriteOnce' | 'ReadWriteMany' = 'ReadWriteOnce'): Promise<string> {
    const name = `volume-${++this.#volumes}`;
    const folder = path.join(this.#folder, name);
    await mkdir(folder);
    const node = { key: 'kubernetes.io/hostname', operator: 'In', values: ['node'] };
    const volume = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        capacity: { storage: '100Gi' },
        accessModes: [mode],
        persistentVolumeReclaimPolicy: 'Retain',
        local: { path: folder },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [node] }] } },
      },
    };
    await this.apply(JSON.stringify(volume));
    return folder;
  }

  /** A container that ends as if the kernel had ended it. */
  async killContainer(id: string, signal: 'SIGKILL' | 'SIGSTOP' = 'SIGKILL'): Promise<void> {
    await runOk(path.join(this.#folder, 'ctr'), [
      'tasks',
      'kill',
      '--signal',
      signal,
      id.replace(/^.*:\/\//, ''),
    ]);
  }

  /** A new kubelet in place of the one that runs. */
  async restartKubelet(): Promise<void> {
    await runOk(SCRIPT, ['kubelet', this.#folder]);
  }
}

/** One at a time on a machine: the pods' network has one name. The lock ends with the process that holds it. */
async function holdLock(): Promise<ChildProcess> {
  const file = path.join(tmpdir(), 'weighbridge-kubernetes.lock');
  const holder = spawn('flock', ['--no-fork', file, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  return holder;
}

export function isReady({ status }: Pod): boolean {
  return status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
}
