import { HubError } from '../core/errors.ts';
import { quoted } from '../core/safe-text.ts';

const MAX_PATH_BYTES = 4096;
const MAX_NAME_BYTES = 255;

/**
 * Refuses a repository's list of paths as a whole where one of them could leave its folder, cannot exist beside the
 * others, or would make a terminal or a shell do something. A hostile list is not repaired.
 * Throws HubError HUB_HOSTILE_PATH.
 */
export function checkPaths(model: string, paths: readonly string[]): void {
  for (const path of paths) {
    const problem = problemOf(path);
    if (problem !== undefined) throw hostile(model, path, problem);
  }
  // NUL sorts before everything, and no path has it: what lies below a path comes right behind it.
  const keys = paths.map(path => path.replaceAll('/', '\0')).sort();
  for (const [index, key] of keys.entries()) {
    const previous = keys[index - 1];
    if (previous === undefined || !key.startsWith(previous)) continue;
    const path = key.replaceAll('\0', '/');
    if (key === previous) throw hostile(model, path, 'is there twice');
    if (key[previous.length] === '\0') throw hostile(model, path, 'is below a path that is a file');
  }
}

/** Names that layers and the slim image's folder give a meaning: a file of a model must not have them. */
const RESERVED_NAME = /^\.wh\./;
const RESERVED_AT_TOP = /^\.weighbridge/;

/**
 * Returns why no image can have a file of this name, though nothing is hostile about it; undefined for all others. Such a
 * file may be left out of the model.
 */
export function unusableName(path: string): string | undefined {
  if (path.includes('\\')) return 'has a backslash';
  if (/^[A-Za-z]:/.test(path)) return 'names a drive';
  if (path.split('/').some(segment => RESERVED_NAME.test(segment)))
    return 'has a name with .wh. in front, which deletes files of an image';
  return RESERVED_AT_TOP.test(path) ? "has a name of Weighbridge's own" : undefined;
}

function problemOf(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (!path.isWellFormed()) return 'is not valid Unicode';
  if (/\p{Cc}/u.test(path)) return 'has control characters';
  if (path.startsWith('/')) return 'is absolute';
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `is longer than ${MAX_PATH_BYTES} bytes`;
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.' || segment === '..')
      return `has the segment ${JSON.stringify(segment)}`;
    if (segment.toLowerCase() === '.git') return 'is inside .git';
    if (Buffer.byteLength(segment) > MAX_NAME_BYTES) return `has a name longer than ${MAX_NAME_BYTES} bytes`;
  }
  return unusableName(path);
}

function hostile(model: string, path: string, problem: string): HubError {
  const remedy =
    unusableName(path) === problem
      ? 'Leave it out with `files.exclude`, or pin an earlier revision.'
      : 'Nothing of this model is touched. Report it to the Hub or pin an earlier revision.';
  return new HubError(`${model} lists a file that is refused: ${quoted(path)} ${problem}`, {
    code: 'HUB_HOSTILE_PATH',
    subject: model,
    remedy,
  });
}
