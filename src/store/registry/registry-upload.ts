import type { Digest } from '../../core/digest.ts';
import { IntegrityError } from '../../core/errors.ts';
import type { BlobUpload, UploadOptions } from '../image-store.ts';
import { ChunkedUpload } from './upload/chunked-upload.ts';
import { MonolithicPut } from './upload/monolithic-put.ts';
import { StreamedPatch } from './upload/streamed-patch.ts';
import { TwoPassPut } from './upload/two-pass-put.ts';
import { UploadSession } from './upload/upload-session.ts';
import type { UploadStrategy, UploadTarget } from './upload/upload-strategy.ts';

/** How a blob is uploaded to a registry. */
export interface RegistryUploadOptions extends UploadOptions, UploadTarget {
  readonly stat: (digest: Digest) => Promise<number | undefined>;
  /** The address of an upload that is open already: what a registry gives in place of a mount. */
  readonly openedAt?: string | undefined;
}

/** A blob up to this size whose digest is known goes in one request; a larger one rather in a way that can go on. */
const MAX_WHOLE_BYTES = 4 * 1024 * 1024;

/** A blob on its way into a registry, in the way that the registry takes: see `upload/` for each. */
export class RegistryUpload implements BlobUpload {
  readonly #options: RegistryUploadOptions;
  #session: UploadSession;
  #way: UploadStrategy;
  #digest: Digest | undefined;
  #isBroken = false;

  private constructor(options: RegistryUploadOptions, session: UploadSession) {
    this.#options = options;
    this.#digest = options.digest;
    this.#session = session;
    this.#way = this.#choose();
  }

  /** Opens an upload, or goes on with that at `openedAt`. Throws RegistryError. */
  static async start(options: RegistryUploadOptions): Promise<RegistryUpload> {
    const { openedAt } = options;
    const session =
      openedAt === undefined ? await UploadSession.open(options) : new UploadSession(options, openedAt);
    return new RegistryUpload(options, session);
  }

  get offset(): number {
    return this.#way.offset;
  }

  write(chunk: Uint8Array, onTaken?: () => void): Promise<void> | undefined {
    return this.#way.write(chunk, onTaken);
  }

  async commit(digest: Digest): Promise<void> {
    const { name, sizeBytes } = this.#options;
    if (this.offset !== sizeBytes) {
      throw new IntegrityError(`${name}: expected ${sizeBytes} bytes, got ${this.offset}`, {
        code: 'INTEGRITY_SIZE',
        subject: name,
      });
    }
    await this.#way.finish(digest);
    await this.#checkStored(digest);
  }

  async resume(): Promise<number> {
    const { client, capabilities, name, signal } = this.#options;
    const before = this.#way;
    before.destroy();
    this.#isBroken ||= before.isRefused !== true;
    await client.waitAsAsked(`uploading to ${name}`, signal);
    const mayGoOn =
      capabilities.takes('chunked') && (before.name !== 'streamed' || capabilities.resumesStreams);
    const held = mayGoOn ? await this.#session.held() : undefined;
    if (held === undefined) {
      this.#session = await UploadSession.open(this.#options);
      this.#way = this.#choose();
    } else {
      this.#way = new ChunkedUpload(this.#options, this.#session, held);
    }
    return this.offset;
  }

  async abort(): Promise<void> {
    this.#way.destroy();
    await this.#session.cancel();
  }

  /** The way for a blob from its first byte on, the one with the fewest requests first. */
  #choose(): UploadStrategy {
    const { capabilities, sizeBytes } = this.#options;
    const digest = this.#digest;
    const whole = (): UploadStrategy | undefined =>
      digest !== undefined && capabilities.takes('monolithic')
        ? new MonolithicPut(this.#options, this.#session, digest)
        : undefined;
    const ranged = (): UploadStrategy | undefined =>
      capabilities.takes('chunked') ? new ChunkedUpload(this.#options, this.#session, 0) : undefined;
    const streamed = (): UploadStrategy => new StreamedPatch(this.#options, this.#session);
    const small = sizeBytes <= MAX_WHOLE_BYTES ? whole() : undefined;
    if (small !== undefined) return small;
    // A stream that broke is not tried again where its bytes were lost: of chunks, what has arrived stays.
    if (capabilities.takes('streamed') && !(this.#isBroken && capabilities.takes('chunked')))
      return streamed();
    const other = ranged() ?? whole();
    if (other !== undefined) return other;
    if (digest !== undefined || !capabilities.takes('monolithic')) return streamed();
    return new TwoPassPut(this.#options, found => {
      this.#digest = found;
    });
  }

  /** Some registries say 201 and store nothing, or other bytes (Quay, Nexus): look. */
  async #checkStored(digest: Digest): Promise<void> {
    const { name, sizeBytes, stat, capabilities } = this.#options;
    const stored = await stat(digest);
    if (stored === sizeBytes) return;
    if (this.#way.name === 'chunked') capabilities.close('chunked');
    const holds = stored === undefined ? 'nothing' : `${stored} bytes`;
    throw new IntegrityError(`${name} holds ${holds} of ${digest} although the upload has ended`, {
      code: 'INTEGRITY_HASH',
      subject: name,
    });
  }
}
