import type { ModelConfig } from '../config/types.ts';
import { HubError } from '../core/errors.ts';
import { quoted } from '../core/safe-text.ts';
import type { HubFile } from '../hub/types.ts';
import { modelDirOf } from './model-dir.ts';

/** Linux's PATH_MAX counts the NUL behind a path. */
const MAX_PATH_BYTES = 4095;

/** Refuses files whose whole path in the image no program could open. Throws HubError HUB_HOSTILE_PATH. */
export function checkPlaces(model: ModelConfig, files: readonly HubFile[]): void {
  const dir = modelDirOf({ model });
  const tooLong = files.find(({ path }) => Buffer.byteLength(`${dir}/${path}`) > MAX_PATH_BYTES);
  if (tooLong === undefined) return;
  const shown = quoted(tooLong.path);
  throw new HubError(`${model.id}: ${shown} below ${dir} is longer than ${MAX_PATH_BYTES} bytes`, {
    code: 'HUB_HOSTILE_PATH',
    subject: model.id,
    remedy: 'Leave it out with `files.exclude`, or set a shorter `download_root`.',
  });
}
