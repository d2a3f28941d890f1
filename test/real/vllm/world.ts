import assert from 'node:assert/strict';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startHub } from '../../../src/testkit/hub.ts';
import { WEIGHBRIDGE } from '../../support/command.ts';
import { freePort } from '../../support/free-port.ts';
import { runOk } from '../../support/tools.ts';
import { buildBaseImage, ENGINE_FOLDER, pushBase } from '../base-image.ts';
import { ContainerWorld } from '../container-world.ts';
import { type ContainerOptions, Podman } from '../podman.ts';
import { startRegistry } from '../registry.ts';
import { ENGINES, PYTHON, PYTHON_ENV, SERVE_ARGS } from './engine.ts';

const TINY_MODEL = path.join(import.meta.dirname, 'tiny_model.py');

export const MODEL_ID = 'org/tiny';

/** What podman needs besides, for an engine: shared memory for its processes, and threads. */
export const ENGINE_FLAGS = ['--shm-size=1g', '--ulimit=nproc=8192:8192'];
export const ENGINE_VOLUME = `${ENGINES}:${ENGINE_FOLDER}:ro`;

/** Further keys: of the file and of its defaults as YAML, and of the model. */
export interface Settings {
  readonly model?: object;
  readonly top?: string;
  readonly defaults?: string;
}

export interface ServerStart extends Partial<ContainerOptions> {
  readonly image: string;
}

export interface EngineWorldOptions {
  /** Versions of vLLM that a base image is made of. */
  readonly versions: readonly string[];
  /** Where the Hub listens. Default: loopback. */
  readonly hubHost?: string;
}

/** A Hub with a model that vLLM serves, a registry, and base images with the real vLLM in it. */
export class EngineWorld extends ContainerWorld {
  static async start({ versions, hubHost = '127.0.0.1' }: EngineWorldOptions): Promise<EngineWorld> {
    const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-vllm-'));
    const model = path.join(folder, 'hub', MODEL_ID);
    await mkdir(model, { recursive: true });
    await runOk(PYTHON, [TINY_MODEL, model], { env: PYTHON_ENV });
    await writeFile(path.join(model, 'README.md'), '---\nlicense: mit\n---\n');
    const hub = await startHub({ folder: path.join(folder, 'hub'), host: hubHost });
    const registry = await startRegistry();
    const world = new EngineWorld({ hub, registry, podman: await Podman.create(), folder });
    for (const version of versions) {
      const base = await buildBaseImage({ vllm: version, entrypoint: 'vllm-serve', huggingfaceHub: '2.4.0' });
      await pushBase(base, world.baseOf(version));
    }
    return world;
  }

  baseOf(version: string): string {
    return `${this.registry.host}/base/vllm:v${version}`;
  }

  /** `weighbridge publish` of the model on a version of vLLM, as `<registry>/m/hf-<short>`. */
  async publish(
    short: string,
    version: string,
    { top = '', defaults = '', model: more = {} }: Settings = {},
    serveArgs: readonly string[] = SERVE_ARGS,
  ): Promise<void> {
    const file = path.join(this.folder, `${short}-${version}.yaml`);
    const model = { id: MODEL_ID, short, serve_args: serveArgs, ...more };
    await writeFile(
      file,
      `registries: { lab: "${this.registry.host}/m" }\n${top}\ndefaults: { base_image: "${this.baseOf(version)}"${defaults && `, ${defaults}`} }
models: [${JSON.stringify(model)}]\n`,
    );
    await runOk(WEIGHBRIDGE, ['publish', '--config', file], {
      env: { HF_ENDPOINT: this.hub.url, HF_TOKEN: undefined },
    });
  }

  /**
   * Starts an image, hands its address to `use`, and ends it as `docker stop` does. Returns what `use` does and how long it
   * took, in seconds.
   */
  async serve<T>(
    { volumes = [], args = [], flags = [], ...start }: ServerStart,
    use: (url: string, hasEnded: () => boolean) => Promise<T>,
  ): Promise<{ readonly result: T; readonly seconds: number; readonly status: number | null }> {
    const port = await freePort();
    const began = performance.now();
    const container = await this.podman.start({
      ...start,
      args: [...args, '--host', '127.0.0.1', '--port', String(port)],
      volumes: [ENGINE_VOLUME, ...volumes],
      flags: [...ENGINE_FLAGS, ...flags],
    });
    let hasEnded = false;
    void container.ended.then(() => {
      hasEnded = true;
    });
    try {
      const result = await use(`http://127.0.0.1:${port}`, () => hasEnded);
      const seconds = Math.round((performance.now() - began) / 1000);
      await container.kill('SIGTERM');
      const { status } = await container.ended;
      // A signal that vLLM takes: it ends by its own decision, not by being killed.
      assert.ok(status === 0 || status === 143, `status ${status}`);
      return { result, seconds, status };
    } catch (error) {
      if (!hasEnded) await container.kill('SIGKILL').catch(() => undefined);
      const { stderr, stdout } = await container.ended;
      throw new Error(`${start.image}: ${(stdout + stderr).slice(-6000)}`, { cause: error });
    }
  }

  imageOf(short: string, version: string, variant: 'fat' | 'slim'): string {
    return `${this.registry.host}/m/hf-${short}:v${version}-${variant}`;
  }
}
