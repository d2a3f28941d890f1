import type { Digest } from '../../../core/digest.ts';
import { IntegrityError, RegistryError } from '../../../core/errors.ts';
import { MIN_PROGRESS_BYTES } from '../../../http/retry.ts';
import type { HttpResponse } from '../../../http/types.ts';
import { heldOf, type UploadSession } from './upload-session.ts';
import { isAgainstForm, type UploadStrategy, type UploadTarget } from './upload-strategy.ts';

/** Times in a row that a registry may answer for a chunk without having taken anything more of it. */
const MAX_IDLE_ANSWERS = 3;

/**
 * The blob in chunks, a PATCH each. A chunk stays in memory until the registry has all of it, so a request that is lost,
 * or half taken, is made good without reading anything again; and what has arrived stays when the connection breaks.
 */
export class ChunkedUpload implements UploadStrategy {
  readonly name = 'chunked';
  readonly #target: UploadTarget;
  readonly #session: UploadSession;
  readonly #chunk: Buffer;
  /** Where the chunk starts in the blob. */
  #start: number;
  #filled = 0;

  constructor(target: UploadTarget, session: UploadSession, start: number) {
    this.#target = target;
    this.#session = session;
    this.#start = start;
    this.#chunk = Buffer.allocUnsafe(Math.min(target.capabilities.chunkBytes, target.sizeBytes - start));
  }

  get offset(): number {
    return this.#start + this.#filled;
  }

  write(bytes: Uint8Array, onTaken?: () => void): Promise<void> | undefined {
    const rest = this.#take(bytes);
    if (this.#filled === this.#chunk.length) return this.#sendAll(rest, onTaken);
    onTaken?.();
    return undefined;
  }

  async finish(digest: Digest): Promise<void> {
    await this.#sendChunk();
    try {
      await this.#session.close(digest);
    } catch (error) {
      if (error instanceof IntegrityError) this.#target.capabilities.close('chunked');
      throw error;
    }
  }

  destroy(): void {
    // Nothing is under way between two calls.
  }

  /** Returns what does not fit into the chunk any more. */
  #take(bytes: Uint8Array): Uint8Array {
    const part = bytes.subarray(0, this.#chunk.length - this.#filled);
    this.#chunk.set(part, this.#filled);
    this.#filled += part.length;
    return bytes.subarray(part.length);
  }

  async #sendAll(bytes: Uint8Array, onTaken: (() => void) | undefined): Promise<void> {
    let rest = bytes;
    while (this.#filled > 0 && this.#filled === this.#chunk.length) {
      await this.#sendChunk();
      rest = this.#take(rest);
    }
    onTaken?.();
  }

  async #sendChunk(): Promise<void> {
    const end = this.#start + this.#filled;
    let position = this.#start;
    let best = position;
    for (let idle = 0; position < end; ) {
      const held = await this.#sendFrom(position, end);
      if (held < this.#start || held > end) throw this.#outOfStep(held);
      // Counted from where it was at best: it may also lose what it had.
      idle = held - best >= MIN_PROGRESS_BYTES ? 0 : idle + 1;
      if (idle >= MAX_IDLE_ANSWERS && held < end) throw this.#outOfStep(held);
      best = Math.max(best, held);
      position = held;
    }
    this.#start = end;
    this.#filled = 0;
  }

  /** Sends the chunk from `position` on, and gives how far the registry is then. */
  async #sendFrom(position: number, end: number): Promise<number> {
    const { client, scope, signal, name } = this.#target;
    const response = await client.request({
      method: 'PATCH',
      url: this.#session.location,
      scope,
      headers: {
        'content-type': 'application/octet-stream',
        // `start-end` without a unit is the form of the OCI specification.
        'content-range': `${position}-${end - 1}`,
      },
      body: this.#chunk.subarray(position - this.#start, end - this.#start),
      purpose: `uploading to ${name}`,
      signal,
    });
    if (response.status >= 200 && response.status <= 204) {
      response.discard();
      this.#session.follow(response);
      return heldOf(response, end);
    }
    // The answer to an earlier, equal request may have been lost: then the registry is further than we thought.
    if (response.status === 416) {
      const held = await this.#session.held();
      if (held !== undefined && held > position) {
        response.discard();
        return held;
      }
    }
    throw await this.#refused(response, end - position);
  }

  async #refused(response: HttpResponse, bytes: number): Promise<RegistryError> {
    const { client, name, capabilities } = this.#target;
    const isTooLarge = response.status === 413 || response.status === 416;
    if (isAgainstForm(response) && !(isTooLarge && capabilities.shrinkChunks(bytes)))
      capabilities.close('chunked');
    return await client.failure(response, `uploading to ${name}`);
  }

  #outOfStep(held: number): RegistryError {
    const { name, capabilities } = this.#target;
    capabilities.close('chunked');
    return new RegistryError(`${name} is at ${held} bytes of an upload that has got ${this.offset}`, {
      code: 'REGISTRY_BAD_ANSWER',
      subject: name,
    });
  }
}
