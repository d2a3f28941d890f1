import { createHash } from 'node:crypto';
import { type Digest, digestFromHex } from '../core/digest.ts';
import { IntegrityError } from '../core/errors.ts';
import { ContentHash, PartHash } from './content-hash.ts';
import { inlineText } from './layer-source.ts';
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
  readonly #source: ContentHash | undefined;
  #contentHash: ContentHash | PartHash | undefined;
  readonly #sha256Of = new Map<string, string>();

  /** `source` hashes the file that the layer's parts are of; the one who gives it asks it at the end. */
  constructor(layout: TarLayout, source?: ContentHash) {
    this.#layout = layout;
    this.#source = source;
  }

  /** The position up to which all bytes have been hashed. */
  get position(): number {
    return this.#position;
  }

  /**
   * Throws IntegrityError: INTEGRITY_HASH as soon as a file is complete and is not what it must be, INTEGRITY_SIZE if there
   * are more bytes than the layer has.
   */
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
        const { entry } = segment;
        this.#contentHash ??=
          entry.content.kind === 'part' ? new PartHash(entry.content, this.#source) : new ContentHash(entry);
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

  /** The layer's digest. Throws IntegrityError INTEGRITY_SIZE unless every byte has been seen. */
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
    const hash = this.#contentHash as ContentHash | PartHash;
    this.#contentHash = undefined;
    this.#sha256Of.set(segment.entry.path, hash.finish());
  }
}

/** Returns the sha256 of each entry of a recipe whose content came with the plan, and the layer's digest; no I/O. */
export function hashInlineLayer(layout: TarLayout): {
  digest: Digest;
  sha256Of: ReadonlyMap<string, string>;
} {
  const hasher = new LayerHasher(layout);
  for (const segment of layout.segments) {
    hasher.update(segment.start, segment.kind === 'bytes' ? segment.bytes : inScratch(segment.entry));
  }
  return { digest: hasher.digest(), sha256Of: hasher.sha256Of };
}

/** Memory for one text at a time: a long list of models would leave a copy of each as garbage. */
let scratch = Buffer.allocUnsafeSlow(64 * 1024);

/** The content of an entry that came with the plan, good until the next one is asked for. */
function inScratch(entry: LayerEntry): Buffer {
  const text = inlineText(entry);
  if (scratch.length < entry.sizeBytes) scratch = Buffer.allocUnsafeSlow(entry.sizeBytes);
  return scratch.subarray(0, scratch.write(text, 'utf8'));
}
