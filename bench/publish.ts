import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildBaseImage } from '../src/testkit/base-image.ts';
import { pushImage } from '../src/testkit/push-image.ts';
import { type Finished, measure } from './measure.ts';
import type { Server } from './servers.ts';

const ROOT = path.join(import.meta.dirname, '..');
const BASE = 'vllm/vllm-openai';

/** Puts a base image with a few layers of its own into a target; `version` makes it another one. */
export async function putBase(target: Server, version: string): Promise<void> {
  const layers = ['a', 'b', 'c'].map(name => ({ [`opt/${name}`]: `${name} of ${version}\n` }));
  await pushImage(target.url, BASE, version, buildBaseImage({ version, layers }));
}

/** `models.yaml` for the benchmark's model. */
export function writeConfig(
  folder: string,
  targets: readonly Server[],
  options: { readonly base?: string; readonly id?: string } = {},
): string {
  const file = path.join(folder, 'models.yaml');
  const config = {
    registries: Object.fromEntries(targets.map(({ host }, index) => [`r${index}`, `${host}/bench`])),
    defaults: { base_image: `${targets[0]?.host}/${BASE}:${options.base ?? 'v0.6.0'}` },
    models: [{ id: options.id ?? 'acme/random', short: 'random' }],
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** Runs the published command as a user would, the fat image alone, in a process of its own. */
export async function publish(
  configFile: string,
  hub: Server,
  options: {
    readonly env?: NodeJS.ProcessEnv;
    readonly flags?: readonly string[];
    readonly program?: string;
  } = {},
): Promise<Finished> {
  const program = options.program ?? path.join(ROOT, 'bin', 'weighbridge');
  const command = [program, 'publish', '--config', configFile, '--variant', 'fat', '--json'];
  return await measure([...command, ...(options.flags ?? [])], {
    env: { HF_ENDPOINT: hub.url, HF_TOKEN: '', HUGGING_FACE_HUB_TOKEN: '', ...options.env },
  });
}
