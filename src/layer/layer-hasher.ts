import { createHash, type Hash } from 'node:crypto';
import { type Digest, digestFromHex } from '../core/digest.ts';
import { IntegrityError } from '../core/errors.ts';
import { inlineContent } from './layer-source.ts';
import type { LayerEntry } from './recipe.ts';
import { lengthOf, type Segment, type TarLayout } from './tar-layout.ts';

/**
 * Hashes a layer as it streams by, and each file in it against what it must be. Bytes are fed with their position;
 * those that were hashed before (a retry that starts earlier) are passed over, so one instance lasts over any number
 * of resumed reads.
 */
export class LayerHasher {
  readonly #layout: TarLayout;
  readonly #layerHash = createHash('sha256');
  #position = 0;
  #segmentIndex = 0;
  #contentHash: ContentHash | undefined;
  readonly #sha256Of = new Map<string, string>();

  constructor(layout: TarLayout) {
    this.#layout = layout;
  }

  /** The position up to which all bytes have been hashed. */
  get position(): number {
    return this.#position;
  }

  /** Throws IntegrityError as soon as a file is complete and is not what it must be. */
  update(start: number, chunk: Uint8Array): void {
    if (start > this.#position)
      throw new RangeError(`expected bytes from ${this.#position}, got them from ${start}`);
    let fresh = chunk.subarray(this.#position - start);
    if (fresh.length === 0) return;
    if (this.#position + fresh.length > this.#layout.sizeBytes) {
      throw new IntegrityError(`${this.#layout.recipe.name} has more bytes than the plan says`, {
        code: 'INTEGRITY_SIZE',
        subject: this.#layout.recipe.name,
      });
    }
    this.#layerHash.update(fresh);
    while (fresh.length > 0) {
      const segment = this.#layout.segments[this.#segmentIndex] as Segment;
      const left = segment.start + lengthOf(segment) - this.#position;
      const part = fresh.subarray(0, left);
      if (segment.kind === 'content') {
        this.#contentHash ??= new ContentHash(segment.entry);
        this.#contentHash.update(part);
      }
      this.#position += part.length;
      fresh = fresh.subarray(part.length);
      if (part.length === left) this.#endSegment(segment);
    }
  }

  /** sha256 (hex) of the content of each entry that is complete, by its path. */
  get sha256Of(): ReadonlyMap<string, string> {
    return this.#sha256Of;
  }

  /** The layer's digest once every byte has been seen. */
  digest(): Digest {
    if (this.#position !== this.#layout.sizeBytes) {
      throw new IntegrityError(
        `${this.#layout.recipe.name}: expected ${this.#layout.sizeBytes} bytes, got ${this.#position}`,
        { code: 'INTEGRITY_SIZE', subject: this.#layout.recipe.name },
      );
    }
    return digestFromHex(this.#layerHash.copy().digest('hex'));
  }

  #endSegment(segment: Segment): void {
    this.#segmentIndex += 1;
    if (segment.kind !== 'content') return;
    const hash = this.#contentHash as ContentHash;
    this.#contentHash = undefined;
    this.#sha256Of.set(segment.entry.path, hash.finish());
  }
}

/** Checks content against a `contentId` and gives its sha256, which is the same hash wherever the Hub has told it. */
export class ContentHash {
  readonly #entry: LayerEntry;
  readonly #sha256 = createHash('sha256');
  readonly #git: Hash | undefined;

  constructor(entry: LayerEntry) {
    this.#entry = entry;
    // What git hashes for a blob: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
    if (entry.contentId.startsWith('git:'))
      this.#git = createHash('sha1').update(`blob ${entry.sizeBytes}\0`);
  }

  update(bytes: Uint8Array): void {
    this.#sha256.update(bytes);
    this.#git?.update(bytes);
  }

  finish(): string {
    const sha256 = this.#sha256.digest('hex');
    const actual = this.#git === undefined ? `sha256:${sha256}` : `git:${this.#git.digest('hex')}`;
    const { path, contentId } = this.#entry;
    if (actual === contentId) return sha256;
    throw new IntegrityError(`${path} is not what it must be: expected ${contentId}, got ${actual}`, {
      code: 'INTEGRITY_HASH',
      subject: path,
      remedy:
        'Nothing of it was published. Try again; if it stays, the Hub or something on the way to it is at fault.',
    });
  }
}

/** The sha256 of each entry of a recipe whose content came with the plan, and the layer's digest; no I/O. */
export function hashInlineLayer(layout: TarLayout): {
  digest: Digest;
  sha256Of: ReadonlyMap<string, string>;
} {
  const hasher = new LayerHasher(layout);
  for (const segment of layout.segments) {
    hasher.update(segment.start, segment.kind === 'bytes' ? segment.bytes : inlineContent(segment.entry));
  }
  return { digest: hasher.digest(), sha256Of: hasher.sha256Of };
}
