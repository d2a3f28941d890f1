import type { Digest } from '../../../core/digest.ts';
import { IntegrityError } from '../../../core/errors.ts';
import type { UploadRequest } from '../../../http/upload-request.ts';
import type { UploadSession } from './upload-session.ts';
import { answeredEarly, isAgainstForm, type UploadStrategy, type UploadTarget } from './upload-strategy.ts';

/** The whole blob with the request that closes its upload: one request less, where the digest is known beforehand. */
export class MonolithicPut implements UploadStrategy {
  readonly name = 'monolithic';
  readonly #target: UploadTarget;
  readonly #session: UploadSession;
  readonly #digest: Digest;
  #offset = 0;
  #put: UploadRequest | undefined;

  constructor(target: UploadTarget, session: UploadSession, digest: Digest) {
    this.#target = target;
    this.#session = session;
    this.#digest = digest;
  }

  get offset(): number {
    return this.#offset;
  }

  async write(chunk: Uint8Array, onTaken?: () => void): Promise<void> {
    const put = await this.#opened();
    if (put.isAnswered) {
      await this.#end(put);
      throw answeredEarly(this.#target);
    }
    this.#offset += chunk.length;
    try {
      await put.write(chunk, onTaken);
    } catch (error) {
      throw this.#target.client.explain(error);
    }
  }

  async finish(digest: Digest): Promise<void> {
    if (digest !== this.#digest) {
      throw new IntegrityError(`${this.#target.name} was promised ${this.#digest} and got ${digest}`, {
        code: 'INTEGRITY_HASH',
        subject: this.#target.name,
      });
    }
    await this.#end(await this.#opened());
  }

  destroy(): void {
    this.#put?.destroy();
  }

  async #opened(): Promise<UploadRequest> {
    const { client, scope, signal, name, sizeBytes } = this.#target;
    this.#put ??= await client.upload({
      method: 'PUT',
      url: this.#session.closingUrl(this.#digest),
      scope,
      headers: { 'content-type': 'application/octet-stream' },
      sizeBytes,
      purpose: `uploading to ${name}`,
      signal,
      idleTimeoutMs: this.#session.closingTimeoutMs,
    });
    return this.#put;
  }

  async #end(put: UploadRequest): Promise<void> {
    const { client, capabilities } = this.#target;
    const response = await put.end().catch((error: unknown) => {
      throw client.explain(error);
    });
    if (isAgainstForm(response)) capabilities.close('monolithic');
    await this.#session.checkClosed(response);
  }
}
