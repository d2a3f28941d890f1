import path from 'node:path';
import { ConfigError } from '../../../core/errors.ts';

/** What `--volume` names on this machine. */
export interface Volume {
  /** A folder's absolute path, or the name of a volume. */
  readonly source: string;
  readonly isFolder: boolean;
  /** What follows the target: `Z`, `ro`. */
  readonly options?: string;
}

/** A volume, and where it is in the container. */
export interface MountedVolume extends Volume {
  readonly target: string;
}

/**
 * Reads `--volume`: as for docker, a word without a slash names a volume, all else is a folder. Returns the volume.
 * Throws ConfigError USAGE.
 */
export function parseVolume(text: string, workFolder: string): Volume {
  const [source = '', options, ...more] = text.split(':');
  const isFolder = source.includes('/') || source === '.' || source === '..';
  const isRight = isFolder || /^[A-Za-z0-9][\w.-]*$/.test(source);
  if (!isRight || more.length > 0 || (options !== undefined && !/^\w+(,\w+)*$/.test(options))) {
    throw new ConfigError(`--volume ${JSON.stringify(text)} is neither a folder nor the name of a volume`, {
      code: 'USAGE',
      remedy: 'Write a path (./models, /data/models:Z) or a name (models). Where it goes is up to the image.',
    });
  }
  return {
    source: isFolder ? path.resolve(workFolder, source) : source,
    isFolder,
    ...(options === undefined ? {} : { options }),
  };
}

/** Returns the argument of `-v`. */
export function volumeText({ source, target, options }: MountedVolume): string {
  return [source, target, ...(options === undefined ? [] : [options])].join(':');
}
