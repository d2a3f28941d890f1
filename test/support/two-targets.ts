import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { EmbeddedHub } from '../../src/testkit/hub.ts';
import { generatedSafetensors } from '../../src/testkit/sample-model.ts';
import { startWeighbridge } from './command.ts';
import { pull, tagsOf } from './pull.ts';

export const REPOSITORY = 'acme/hf-x';
const SMALL_FILES = {
  'README.md': '---\nlicense: apache-2.0\n---\n# x\n',
  'config.json': '{"model_type":"llama"}',
};

/** A model of weight files of these sizes, the first with so many tensors; `seed` makes it another one. Gives its commit. */
export async function addModel(
  hub: EmbeddedHub,
  sizes: readonly number[],
  { seed = 1, tensors = 1 }: { readonly seed?: number | string; readonly tensors?: number } = {},
): Promise<string> {
  const weights = sizes.map((size, index) => [
    `model-${index + 1}.safetensors`,
    generatedSafetensors(size, `${seed}/${index}`, index === 0 ? tensors : 1),
  ]);
  return await hub.addModel({ id: 'acme/x', files: { ...SMALL_FILES, ...Object.fromEntries(weights) } });
}

/** The tags of the fat image at a target. */
export async function fatTags(host: string): Promise<string[]> {
  return (await tagsOf(host, REPOSITORY)).filter(tag => tag.endsWith('-fat'));
}

/** `models.yaml` for that model and the targets, in `folder`. */
export async function writeModels(
  folder: string,
  base: string,
  hosts: readonly string[],
  head = '',
): Promise<string> {
  const file = path.join(folder, 'models.yaml');
  const registries = hosts.map((host, index) => `  r${index}: ${host}/acme\n`).join('');
  await writeFile(
    file,
    `${head}registries:\n${registries}defaults:\n  base_image: ${base}\nmodels:\n  - id: acme/x\n    short: x\n`,
  );
  return file;
}

export interface Published {
  readonly registry: string;
  readonly variant: string;
  readonly status: string;
  readonly digest?: string;
  readonly error?: { readonly code: string; readonly message: string };
  readonly bytes: { readonly downloaded: number; readonly uploaded: number };
}

export interface PublishRun {
  readonly child: ReturnType<typeof startWeighbridge>;
  readonly ended: Promise<{
    readonly status: number | null;
    readonly stderr: string;
    readonly images: Published[];
  }>;
}

/** The command itself, under way in a process of its own. */
export function startPublish(
  file: string,
  hub: EmbeddedHub,
  env: Readonly<Record<string, string>> = {},
): PublishRun {
  const child = startWeighbridge(['publish', '--config', file, '--json'], {
    env: { HF_ENDPOINT: hub.url, NO_COLOR: '1', ...env },
  });
  const texts = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    texts.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    texts.stderr += text;
  });
  const ended = new Promise<number | null>(resolve => child.once('close', resolve)).then(status => {
    const json = texts.stdout.startsWith('{') ? JSON.parse(texts.stdout) : {};
    const images = (json.models ?? []).flatMap((model: { images: Published[] }) => model.images);
    return { status, stderr: texts.stderr, images };
  });
  return { child, ended };
}

/** Everything is published at each target, whole and the same. */
export async function assertPublished(hosts: readonly string[], revision: string): Promise<void> {
  const expected = ['fat', 'slim']
    .flatMap(variant => [
      `r${revision}-${variant}`,
      `v0.6.0-${variant}`,
      `v0.6.0-r${revision.slice(0, 8)}-${variant}`,
    ])
    .sort();
  const digests: (readonly string[])[] = [];
  for (const host of hosts) {
    assert.deepEqual(await tagsOf(host, REPOSITORY), expected);
    digests.push(await Promise.all(expected.map(tag => pull(host, REPOSITORY, tag))));
  }
  for (const other of digests) assert.deepEqual(other, digests[0]);
}
