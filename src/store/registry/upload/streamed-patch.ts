import type { Digest } from '../../../core/digest.ts';
import { RegistryError } from '../../../core/errors.ts';
import type { UploadRequest } from '../../../http/upload-request.ts';
import { heldOf, type UploadSession } from './upload-session.ts';
import { answeredEarly, isAgainstForm, type UploadStrategy, type UploadTarget } from './upload-strategy.ts';

/**
 * The whole blob in one PATCH: the way that works nearly everywhere, at any size, with a digest that is known only at
 * the end. It announces its length, but not to GHCR, which refuses one that announces more than 4 MiB.
 */
export class StreamedPatch implements UploadStrategy {
  readonly name = 'streamed';
  readonly #target: UploadTarget;
  readonly #session: UploadSession;
  isRefused = false;
  readonly #isAnnounced: boolean;
  #offset = 0;
  #patch: UploadRequest | undefined;
  #isOpening = false;

  constructor(target: UploadTarget, session: UploadSession) {
    this.#target = target;
    this.#session = session;
    this.#isAnnounced = target.capabilities.takesLength;
  }

  get offset(): number {
    return this.#offset;
  }

  write(chunk: Uint8Array, onTaken?: () => void): Promise<void> | undefined {
    if (this.#patch === undefined) return this.#open(chunk, onTaken);
    if (this.#patch.isAnswered) return this.#endEarly(this.#patch);
    return this.#send(this.#patch, chunk, onTaken);
  }

  async finish(digest: Digest): Promise<void> {
    if (this.#patch !== undefined) await this.#end(this.#patch);
    this.#patch = undefined;
    await this.#session.close(digest);
  }

  destroy(): void {
    this.#patch?.destroy();
  }

  async #open(chunk: Uint8Array, onTaken: (() => void) | undefined): Promise<void> {
    if (this.#isOpening) throw new Error('write() was called before the last one ended');
    this.#isOpening = true;
    const { client, scope, signal, name, sizeBytes } = this.#target;
    try {
      this.#patch = await client.upload({
        method: 'PATCH',
        url: this.#session.location,
        scope,
        headers: { 'content-type': 'application/octet-stream' },
        ...(this.#isAnnounced ? { sizeBytes } : {}),
        purpose: `uploading to ${name}`,
        signal,
      });
    } finally {
      this.#isOpening = false;
    }
    await this.#send(this.#patch, chunk, onTaken);
  }

  #send(
    patch: UploadRequest,
    chunk: Uint8Array,
    onTaken: (() => void) | undefined,
  ): Promise<void> | undefined {
    const explain = (error: unknown): never => {
      throw this.#target.client.explain(error);
    };
    try {
      const wait = patch.write(chunk, onTaken);
      this.#offset += chunk.length;
      return wait?.catch(explain);
    } catch (error) {
      return explain(error);
    }
  }

  async #endEarly(patch: UploadRequest): Promise<never> {
    await this.#end(patch);
    throw answeredEarly(this.#target);
  }

  async #end(patch: UploadRequest): Promise<void> {
    const { client, name, capabilities } = this.#target;
    const response = await patch.end().catch((error: unknown) => {
      throw client.explain(error);
    });
    if (response.status < 200 || response.status > 204) {
      if (isAgainstForm(response)) {
        this.isRefused = true;
        capabilities.refuseStream(response.status, this.#isAnnounced);
      }
      throw await client.failure(response, `uploading to ${name}`);
    }
    response.discard();
    this.#session.follow(response);
    const held = heldOf(response, this.#offset);
    if (held === this.#offset) return;
    throw new RegistryError(`${name} took ${held} of ${this.#offset} bytes`, {
      code: 'REGISTRY_BAD_ANSWER',
      subject: name,
    });
  }
}
