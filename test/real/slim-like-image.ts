import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { BaseImage } from './base-image.ts';
import { runTool } from './run-tool.ts';

const BOOTSTRAP = path.join(import.meta.dirname, '..', '..', 'src', 'runtime', 'bootstrap.py');

/**
 * A slim image put together by umoci and not by this project's publisher: the base, and the bootstrap with an empty
 * list. Tests mount their own model.json over that. Leaves the base as it is.
 */
export async function makeSlimLikeImage(base: BaseImage, folder: string): Promise<BaseImage> {
  const ociLayout = path.join(folder, `slim-${randomBytes(4).toString('hex')}`);
  await runTool('cp', ['-a', '--reflink=auto', base.ociLayout, ociLayout]);

  const files = path.join(folder, 'weighbridge');
  await mkdir(files, { recursive: true });
  await runTool('install', ['-m', '755', BOOTSTRAP, path.join(files, 'bootstrap')]);
  await writeFile(path.join(files, 'model.json'), '{}');
  const image = `${ociLayout}:${base.tag}`;
  await runTool('umoci', ['insert', '--image', image, files, '/opt/weighbridge']);
  const config = ['--config.entrypoint', '/opt/weighbridge/bootstrap', '--clear', 'config.cmd'];
  const env = ['HF_HOME=/root/.cache/huggingface', 'HF_HUB_CACHE=/root/.cache/huggingface/hub'];
  await runTool('umoci', ['config', '--image', image, ...config, ...env.flatMap(e => ['--config.env', e])]);
  return { ociLayout, tag: base.tag };
}
