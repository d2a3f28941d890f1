import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MIB } from '../../../src/core/units.ts';
import { startHub } from '../../../src/testkit/hub.ts';
import type { FaultRule } from '../../../src/testkit/server/faults.ts';
import { WEIGHBRIDGE } from '../../support/command.ts';
import { type RunResult, runOk } from '../../support/tools.ts';
import { type BaseImageOptions, buildBaseImage, pushBase } from '../base-image.ts';
import { ContainerWorld } from '../container-world.ts';
import { type ContainerOptions, Podman, type RunningContainer } from '../podman.ts';
import { startRegistry } from '../registry.ts';

export const ID = 'org/small';
export const GATED_ID = 'org/gated';
/** Where nothing listens. */
export const NOWHERE = 'http://127.0.0.1:9';
export const TOKEN = 'hf_mayReadEverything';
export const TOKEN_WITHOUT_ACCESS = 'hf_mayReadNothing';
/** What `serve_args` of the model have: words that a careless shell would break. */
export const SERVE_ARGS = [
  ...['--host', '127.0.0.1', '--port', '8000'],
  ...['--override-generation-config', '{"temperature": 0.1, "stop": "it\'s"}'],
];

export const FILES = {
  'config.json': Buffer.from('{"model_type":"small"}'),
  'empty.txt': Buffer.alloc(0),
  'sub/tokenizer.json': Buffer.alloc(200_000, 'tokens '),
  'model-1.safetensors': Buffer.alloc(40 * MIB, 'weights of the first file '),
  'model-2.safetensors': Buffer.alloc(3 * MIB, 'weights of the second file '),
};
export const TOTAL_BYTES = Object.values(FILES).reduce((sum, bytes) => sum + bytes.length, 0);
/** The stand-in's own list of the folder, when all is there and right. */
export const FILE_LIST = listOf(FILES);

export const WITHOUT_LIBRARY = 'no-hub';
/** The versions of huggingface_hub in question, by the tag of the base image that has it. */
export const BASES: Readonly<Record<string, BaseImageOptions>> = {
  'hub-0.23.0': { huggingfaceHub: '0.23.0', entrypoint: 'api-server' },
  'hub-0.34.4': { huggingfaceHub: '0.34.4', entrypoint: 'api-server' },
  'hub-0.34.4-no-xet': { huggingfaceHub: '0.34.4', hasXet: false },
  'hub-1.0.1': { huggingfaceHub: '1.0.1', entrypoint: 'vllm-serve' },
  'hub-1.33.0': { huggingfaceHub: '1.33.0', entrypoint: 'vllm-serve' },
  'hub-2.4.0': { huggingfaceHub: '2.4.0', entrypoint: 'vllm-serve' },
  'hub-2.4.0-no-xet': { huggingfaceHub: '2.4.0', hasXet: false },
  [WITHOUT_LIBRARY]: { huggingfaceHub: 'none' },
};
export const OLDEST = 'hub-0.23.0';
export const NEWEST = 'hub-2.4.0';

export interface PublishedModel {
  readonly id: string;
  readonly short: string;
  readonly revision?: string;
  /** Default: what the policy decides. */
  readonly variant?: 'slim';
}

export interface SlimRun extends Partial<ContainerOptions> {
  /** A key of BASES. Default: the newest library. */
  readonly base?: string;
  readonly model?: 'small' | 'gated';
}

/** A Hub with faults on request, a registry, and images in it that `weighbridge publish` made. */
export class SlimWorld extends ContainerWorld {
  #count = 0;

  static async start(bases: readonly string[]): Promise<SlimWorld> {
    const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-slim-'));
    const hub = await startHub({
      tokens: {
        [TOKEN]: { name: 'reader', repositories: 'all' },
        [TOKEN_WITHOUT_ACCESS]: { name: 'stranger', repositories: [] },
      },
    });
    const registry = await startRegistry();
    const world = new SlimWorld({ hub, registry, podman: await Podman.create(), folder });
    const card = { 'README.md': '---\nlicense: mit\n---\n' };
    await hub.addModel({ id: ID, files: { ...card, ...FILES } });
    await hub.addModel({ id: GATED_ID, gated: 'auto', files: { ...card, ...FILES } });
    for (const base of bases) await world.#publishOn(base);
    return world;
  }

  async #publishOn(base: string): Promise<void> {
    const image = `${this.registry.host}/base/vllm:${base}`;
    await pushBase(await buildBaseImage(BASES[base]), image);
    const models = [
      { id: ID, short: 'small' },
      { id: GATED_ID, short: 'gated' },
    ];
    await this.publish(base, `defaults: { base_image: "${image}" }`, ...models);
  }

  configOf(name: string): string {
    return path.join(this.folder, `models-${name}.yaml`);
  }

  /** `weighbridge publish` of a file with these models; `defaults` is a line of its YAML. */
  async publish(name: string, defaults: string, ...models: readonly PublishedModel[]): Promise<void> {
    const listed = models.map(({ variant: _, ...model }) => ({
      serve_args: SERVE_ARGS,
      files: { exclude: ['README.md'] },
      ...model,
    }));
    const text = `registries: { lab: "${this.registry.host}/m" }\n${defaults}\nmodels: ${JSON.stringify(listed)}\n`;
    await writeFile(this.configOf(name), text);
    const variant = models.some(model => model.variant === 'slim') ? ['--variant', 'slim'] : [];
    await runOk(WEIGHBRIDGE, ['publish', '--config', this.configOf(name), '--json', ...variant], {
      env: { HF_ENDPOINT: this.hub.url, HF_TOKEN: TOKEN },
    });
  }

  imageOf(model: string, base: string, variant: 'slim' | 'fat' = 'slim'): string {
    return `${this.registry.host}/m/hf-${model}:${base}-${variant}`;
  }

  /** A container of the slim image whose server exits at once, with `volume` (a folder) at /models. */
  options(volume: string | undefined, run: SlimRun = {}): ContainerOptions {
    const { base = NEWEST, model = 'small', ...change } = run;
    return {
      image: this.imageOf(model, base),
      ...change,
      volumes: [...(volume === undefined ? [] : [`${volume}:/models`]), ...(change.volumes ?? [])],
      env: { HF_ENDPOINT: this.hub.url, VLLM_STAND_IN_EXIT: '1', ...change.env },
    };
  }

  async run(volume: string | undefined, run: SlimRun = {}): Promise<RunResult> {
    return await this.podman.run(this.options(volume, run));
  }

  async start(volume: string, run: SlimRun = {}): Promise<RunningContainer> {
    return await this.podman.start(this.options(volume, run));
  }

  /** A start that has to work and to leave exactly the model in the folder. */
  async brings(volume: string, run: SlimRun = {}): Promise<RunResult & Ready> {
    const result = await this.run(volume, run);
    assert.equal(result.status, 0, result.stderr);
    assert.deepEqual(filesOf(result), FILE_LIST);
    return { ...result, ...readyOf(result) };
  }

  /** A start that has to fail with this status and one line, the last one. Gives that line. */
  async fails(status: number, line: RegExp, volume: string | undefined, run: SlimRun = {}): Promise<string> {
    const result = await this.run(volume, run);
    assert.equal(result.status, status, result.stderr);
    assert.doesNotMatch(
      result.stderr + result.stdout,
      /Traceback|X-Signature=|STAND-IN|hf_mayRead|Exception ignored/,
    );
    const last = result.stderr.trim().split('\n').at(-1) ?? '';
    assert.match(last, line);
    return `status ${status}: ${last.replace('weighbridge: ', '').replaceAll(this.hub.url, 'HUB')}`;
  }

  /** Works while these faults are in force. */
  async under<T>(rules: readonly FaultRule[], work: () => Promise<T>): Promise<T> {
    const added = rules.map(rule => this.hub.faults.add(rule));
    try {
      return await work();
    } finally {
      for (const fault of added) fault.remove();
    }
  }

  async newVolume(): Promise<string> {
    const volume = path.join(this.folder, `volume-${++this.#count}`);
    await mkdir(volume);
    await chmod(volume, 0o777);
    return volume;
  }

  async newFullVolume(): Promise<string> {
    const volume = await this.newVolume();
    await this.brings(volume);
    return volume;
  }

  /** Requests since `from` that brought bytes of weight files. */
  weightRequests(from: number) {
    return this.hub.log.slice(from).filter(entry => entry.origin === 'cdn' && entry.method === 'GET');
  }
}

interface Ready {
  readonly downloadedBytes: number;
  readonly files: number;
  readonly seconds: number;
}

export function argvOf(result: RunResult): string[] {
  return (JSON.parse(result.stdout.split('\n')[1] ?? '{}') as { argv: string[] }).argv;
}

export function filesOf(result: RunResult): unknown[] {
  const { files } = JSON.parse(result.stdout.split('\n')[2] ?? '{}') as { files: { path: string }[] };
  return files.filter(file => file.path !== '.weighbridge.json');
}

export function readyOf(result: RunResult): Ready {
  const line = result.stderr.trim().split('\n').at(-1) ?? '';
  assert.match(line, /^weighbridge: \{"event":"ready",/);
  return JSON.parse(line.slice('weighbridge: '.length));
}

/** What has come of a model so far, in bytes: its parts and its finished files. */
export async function bytesIn(volume: string): Promise<number> {
  const entries = await readdir(volume, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries
    .filter(entry => entry.isFile())
    .map(entry =>
      stat(path.join(entry.parentPath, entry.name)).then(
        found => found.size,
        () => 0,
      ),
    );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

export async function untilBytesIn(volume: string, sizeBytes: number): Promise<void> {
  for (let attempt = 0; attempt < 1200; attempt++) {
    if ((await bytesIn(volume)) >= sizeBytes) return;
    await sleep(25);
  }
  throw new Error(`no ${sizeBytes} bytes have come into ${volume}`);
}

/** Holds what stands under a final name against the list: whatever happened, it is never half a file. */
export async function assertNoHalfFile(volume: string, short = 'small'): Promise<void> {
  for (const [name, bytes] of Object.entries(FILES)) {
    const found = await readFile(path.join(volume, short, name)).catch(() => undefined);
    if (found !== undefined) assert.ok(found.equals(bytes), `${name} has its name and not its bytes`);
  }
}

export function listOf(files: Readonly<Record<string, Buffer>>) {
  return Object.entries(files)
    .map(([file, bytes]) => ({
      path: file,
      size: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

export { MIB };
