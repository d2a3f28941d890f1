import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeBaseImage } from '../../../testkit/base-image.ts';
import { type EmbeddedHub, startHub } from '../../../testkit/hub.ts';
import { type EmbeddedRegistry, startRegistry } from '../../../testkit/registry.ts';
import { sampleModelFiles } from '../../../testkit/sample-model.ts';

const MODEL = 'weighbridge/sample-qwen2';
const BASE = 'vllm/vllm-openai';
const BASE_VERSION = 'v0.6.0';
const LOGIN = { user: 'demo', password: 'demo-password' };

/** Everything that the demo needs of the world, on this machine. */
export interface DemoServers {
  readonly hub: EmbeddedHub;
  /** `first` is open to all and has the base image; `second` asks for a login. */
  readonly registries: Readonly<Record<'first' | 'second', EmbeddedRegistry>>;
  /** A folder with models.yaml and a login file; it goes at the end. */
  readonly folder: string;
  readonly configFile: string;
  /** What a user would set to reach these servers. */
  readonly env: NodeJS.ProcessEnv;
  readonly login: { readonly user: string; readonly password: string };
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a Hub and two registries on this machine, with a model and a base image in them. Returns them with an
 * environment that leads there.
 */
export async function startDemoServers(env: NodeJS.ProcessEnv): Promise<DemoServers> {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-demo-'));
  const [hub, first, second] = await Promise.all([
    startHub(),
    startRegistry(),
    startRegistry({ auth: { kind: 'bearer', ...LOGIN } }),
  ]);
  await hub.addModel({ id: MODEL, files: await sampleModelFiles() });
  await makeBaseImage(first, BASE, BASE_VERSION);
  const configFile = path.join(folder, 'models.yaml');
  await writeFile(configFile, modelsYaml(first.host, second.host));
  const auth = Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString('base64');
  await writeFile(path.join(folder, 'config.json'), JSON.stringify({ auths: { [second.host]: { auth } } }));
  const { HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_HOME, HF_TOKEN_PATH, ...rest } = env;
  return {
    hub,
    registries: { first, second },
    folder,
    configFile,
    env: { ...rest, HF_ENDPOINT: hub.url, DOCKER_CONFIG: folder },
    login: LOGIN,
    async [Symbol.asyncDispose]() {
      await Promise.all([hub.close(), first.close(), second.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function modelsYaml(first: string, second: string): string {
  return `registries:
  first: ${first}/models
  second: ${second}/models        # asks for a login
defaults:
  base_image: ${first}/${BASE}:${BASE_VERSION}
models:
  - id: ${MODEL}
    short: sample-qwen2
    serve_args: ["--host", "0.0.0.0", "--port", "8000"]
`;
}
