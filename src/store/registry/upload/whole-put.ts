import type { Digest } from '../../../core/digest.ts';
import { IntegrityError } from '../../../core/errors.ts';
import type { UploadRequest } from '../../../http/client.ts';
import type { UploadSession } from './upload-session.ts';
import { answeredEarly, isAgainstForm, type UploadTarget, type UploadWay } from './upload-way.ts';

/** The whole blob with the request that closes its upload: one request less, where the digest is known beforehand. */
export class WholePut implements UploadWay {
  readonly name = 'whole';
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
    const { client, traits } = this.#target;
    const response = await put.end().catch((error: unknown) => {
      throw client.explain(error);
    });
    if (isAgainstForm(response)) traits.close('whole');
    await this.#session.checkClosed(response);
  }
}
