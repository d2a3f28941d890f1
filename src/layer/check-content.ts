import { createHash } from 'node:crypto';
import { digestOf } from '../core/digest.ts';
import { IntegrityError } from '../core/errors.ts';
import type { ContentId } from './recipe.ts';

export interface ExpectedContent {
  /** For the error. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly contentId: ContentId;
}

/** Throws IntegrityError where the bytes are not those that were promised. */
export function checkContent({ path, sizeBytes, contentId }: ExpectedContent, bytes: Uint8Array): void {
  if (bytes.length !== sizeBytes) {
    throw new IntegrityError(`${path}: expected ${sizeBytes} bytes, got ${bytes.length}`, {
      code: 'INTEGRITY_SIZE',
      subject: path,
    });
  }
  const actual = contentId.startsWith('git:') ? gitIdOf(bytes) : digestOf(bytes);
  if (actual !== contentId) {
    throw new IntegrityError(`${path}: expected ${contentId}, got ${actual}`, {
      code: 'INTEGRITY_HASH',
      subject: path,
      remedy:
        'Nothing was made of it. Try again; if it stays, the Hub or something on the way to it is at fault.',
    });
  }
}

/** What git names a blob by: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects */
function gitIdOf(bytes: Uint8Array): ContentId {
  return `git:${createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')}`;
}
