import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildBaseImage } from '../src/testkit/base-image.ts';
import { pushImage } from '../src/testkit/push-image.ts';
import { runOk } from '../test/support/tools.ts';
import { type Finished, measure } from './measure.ts';
import type { Server } from './servers.ts';

export const ROOT = path.join(import.meta.dirname, '..');
export const BASE = 'vllm/vllm-openai';

/** Puts a base image with a few layers of its own into a target; `version` makes it another one. */
export async function putBase(target: Server, version: string): Promise<void> {
  const layers = ['a', 'b', 'c'].map(name => ({ [`opt/${name}`]: `${name} of ${version}\n` }));
  await pushImage(target.url, BASE, version, buildBaseImage({ version, layers }));
}

/** `models.yaml` for the benchmark's models. */
export function writeConfig(
  folder: string,
  targets: readonly Server[],
  options: {
    readonly base?: string;
    readonly tags?: readonly string[];
    /** The largest layer that the targets take. */
    readonly maxLayerBytes?: number | undefined;
    /** The benchmark's own where it is not given. */
    readonly models?: readonly { readonly id: string; readonly short: string }[];
  } = {},
): string {
  const file = path.join(folder, 'models.yaml');
  const { maxLayerBytes } = options;
  const perTarget = <T>(value: (target: Server) => T) =>
    Object.fromEntries(targets.map((target, index) => [`r${index}`, value(target)]));
  const config = {
    registries: perTarget(({ host }) => `${host}/bench`),
    ...(maxLayerBytes === undefined ? {} : { layer_limits: perTarget(() => maxLayerBytes) }),
    defaults: {
      base_image: `${targets[0]?.host}/${BASE}:${options.base ?? 'v0.6.0'}`,
      ...(options.tags === undefined ? {} : { tags: options.tags }),
    },
    models: options.models ?? [{ id: 'acme/random', short: 'random' }],
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/**
 * The package's command as npm would publish it, bundled into `folder`: a clone runs from its sources, whose types are
 * stripped at each start, which users never wait for. Returns the command.
 */
export async function compilePackage(folder: string): Promise<readonly string[]> {
  mkdirSync(folder, { recursive: true });
  const script = path.join(ROOT, 'scripts/bundle/make-command.ts');
  await runOk(process.execPath, [script, path.join(folder, 'dist/cli')]);
  cpSync(path.join(ROOT, 'src/runtime/bootstrap'), path.join(folder, 'dist/runtime/bootstrap'), {
    recursive: true,
  });
  cpSync(path.join(ROOT, 'package.json'), path.join(folder, 'package.json'));
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  return [process.execPath, path.join(folder, 'dist/cli/main.js')];
}

/** Builds one variant of the benchmark's model into the OCI layout `layout`. */
export async function buildInto(
  layout: string,
  weighbridge: readonly string[],
  options: { readonly config: string; readonly variant: 'slim' | 'fat'; readonly hubUrl: string },
): Promise<void> {
  const { config, variant, hubUrl } = options;
  const command = ['build', '--config', config, '--variant', variant, '--output', `oci:${layout}`];
  await measure([...weighbridge, ...command], { env: { HF_ENDPOINT: hubUrl } });
}

/** Runs the command as a user would, for the fat image alone, in a process of its own. */
export async function publish(
  weighbridge: readonly string[],
  configFile: string,
  hub: Server,
  env: NodeJS.ProcessEnv = {},
): Promise<Finished> {
  const command = [...weighbridge, 'publish', '--config', configFile, '--variant', 'fat', '--json'];
  const finished = await measure(command, {
    env: { HF_ENDPOINT: hub.url, HF_TOKEN: '', HUGGING_FACE_HUB_TOKEN: '', ...env },
  });
  // An image that was left out costs nothing, and would look very fast.
  if (!/"status": "(published|unchanged)"/.test(finished.stdout)) throw new Error(finished.stdout);
  return finished;
}
