import type { Digest } from '../../../core/digest.ts';
import { RegistryError } from '../../../core/errors.ts';
import type { UploadStrategy, UploadTarget } from './upload-strategy.ts';

/**
 * For a registry that takes nothing but whole blobs of a known digest: the first time through, the bytes are only
 * counted, so that their digest is known for the second.
 */
export class TwoPassPut implements UploadStrategy {
  readonly name = 'two-pass';
  readonly #target: UploadTarget;
  readonly #onDigest: (digest: Digest) => void;
  offset = 0;

  constructor(target: UploadTarget, onDigest: (digest: Digest) => void) {
    this.#target = target;
    this.#onDigest = onDigest;
  }

  write(chunk: Uint8Array, onTaken?: () => void): undefined {
    this.offset += chunk.length;
    onTaken?.();
  }

  async finish(digest: Digest): Promise<void> {
    this.#onDigest(digest);
    const { name } = this.#target;
    throw new RegistryError(`${name} takes a blob only with its digest, which is known now`, {
      code: 'REGISTRY_BAD_ANSWER',
      subject: name,
    });
  }

  destroy(): void {
    // Nothing is under way.
  }
}
