import { createHash, type Hash } from 'node:crypto';
import { IntegrityError } from '../core/errors.ts';
import type { ContentId, SliceSource } from './recipe.ts';

/** What bytes have to be: their size and a hash. */
export interface ExpectedContent {
  /** For the error. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly contentId: ContentId;
}

/** Checks content against a `contentId` and gives its sha256, which is the same hash wherever the Hub has told it. */
export class ContentHash {
  readonly #content: ExpectedContent;
  readonly #sha256 = createHash('sha256');
  readonly #git: Hash | undefined;

  constructor(content: ExpectedContent) {
    this.#content = content;
    // What git hashes for a blob: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
    if (content.contentId.startsWith('git:'))
      this.#git = createHash('sha1').update(`blob ${content.sizeBytes}\0`);
  }

  update(bytes: Uint8Array): void {
    this.#sha256.update(bytes);
    this.#git?.update(bytes);
  }

  /** Returns the sha256, in hex. Throws IntegrityError INTEGRITY_HASH if the content is not what it must be. */
  finish(): string {
    const sha256 = this.#sha256.digest('hex');
    const actual = this.#git === undefined ? `sha256:${sha256}` : `git:${this.#git.digest('hex')}`;
    const { path, contentId } = this.#content;
    if (actual === contentId) return sha256;
    throw new IntegrityError(`${path} is not what it must be: expected ${contentId}, got ${actual}`, {
      code: 'INTEGRITY_HASH',
      subject: path,
      remedy:
        'Nothing of it was published. Try again; if it stays, the Hub or something on the way to it is at fault.',
    });
  }
}

/**
 * Returns the sha256 of a part of a divided file, which nothing is known of beforehand, and passes the file's own bytes on
 * to the hash of the whole.
 */
export class PartHash {
  readonly #sha256 = createHash('sha256');
  readonly #source: ContentHash | undefined;
  #headerLeft: number;

  constructor({ header }: Pick<SliceSource, 'header'>, source: ContentHash | undefined) {
    this.#headerLeft = header.length;
    this.#source = source;
  }

  /** `bytes` follow those before; the part's own header comes first. */
  update(bytes: Uint8Array): void {
    this.#sha256.update(bytes);
    const own = Math.min(this.#headerLeft, bytes.length);
    this.#headerLeft -= own;
    this.#source?.update(bytes.subarray(own));
  }

  /** Returns the sha256, in hex. */
  finish(): string {
    return this.#sha256.digest('hex');
  }
}

/** Returns the hash of a file that is divided, fed with the bytes before its first part. */
export function sourceHash({ source }: Pick<SliceSource, 'source'>): ContentHash {
  const hash = new ContentHash(source);
  hash.update(source.header);
  return hash;
}
