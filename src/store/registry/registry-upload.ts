import type { Digest } from '../../core/digest.ts';
import { IntegrityError } from '../../core/errors.ts';
import type { BlobUpload, UploadOptions } from '../image-store.ts';
import { HashFirst } from './upload/hash-first.ts';
import { RangedPatches } from './upload/ranged-patches.ts';
import { StreamedPatch } from './upload/streamed-patch.ts';
import { UploadSession } from './upload/upload-session.ts';
import type { UploadTarget, UploadWay } from './upload/upload-way.ts';
import { WholePut } from './upload/whole-put.ts';

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
  #way: UploadWay;
  #digest: Digest | undefined;
  #isBroken = false;

  private constructor(options: RegistryUploadOptions, session: UploadSession) {
    this.#options = options;
    this.#digest = options.digest;
    this.#session = session;
    this.#way = this.#choose();
  }

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
    const { client, traits, name, signal } = this.#options;
    const before = this.#way;
    before.destroy();
    this.#isBroken ||= before.isRefused !== true;
    await client.waitAsAsked(`uploading to ${name}`, signal);
    const mayGoOn = traits.takes('ranged') && (before.name !== 'streamed' || traits.resumesStreams);
    const held = mayGoOn ? await this.#session.held() : undefined;
    if (held === undefined) {
      this.#session = await UploadSession.open(this.#options);
      this.#way = this.#choose();
    } else {
      this.#way = new RangedPatches(this.#options, this.#session, held);
    }
    return this.offset;
  }

  async abort(): Promise<void> {
    this.#way.destroy();
    await this.#session.cancel();
  }

  /** The way for a blob from its first byte on, the one with the fewest requests first. */
  #choose(): UploadWay {
    const { traits, sizeBytes } = this.#options;
    const digest = this.#digest;
    const whole = (): UploadWay | undefined =>
      digest !== undefined && traits.takes('whole')
        ? new WholePut(this.#options, this.#session, digest)
        : undefined;
    const ranged = (): UploadWay | undefined =>
      traits.takes('ranged') ? new RangedPatches(this.#options, this.#session, 0) : undefined;
    const streamed = (): UploadWay => new StreamedPatch(this.#options, this.#session);
    const small = sizeBytes <= MAX_WHOLE_BYTES ? whole() : undefined;
    if (small !== undefined) return small;
    // A stream that broke is not tried again where its bytes were lost: of chunks, what has arrived stays.
    if (traits.takes('streamed') && !(this.#isBroken && traits.takes('ranged'))) return streamed();
    const other = ranged() ?? whole();
    if (other !== undefined) return other;
    if (digest !== undefined || !traits.takes('whole')) return streamed();
    return new HashFirst(this.#options, found => {
      this.#digest = found;
    });
  }

  /** Some registries say 201 and store nothing, or other bytes (Quay, Nexus): look. */
  async #checkStored(digest: Digest): Promise<void> {
    const { name, sizeBytes, stat, traits } = this.#options;
    const stored = await stat(digest);
    if (stored === sizeBytes) return;
    if (this.#way.name === 'ranged') traits.close('ranged');
    const holds = stored === undefined ? 'nothing' : `${stored} bytes`;
    throw new IntegrityError(`${name} holds ${holds} of ${digest} although the upload has ended`, {
      code: 'INTEGRITY_HASH',
      subject: name,
    });
  }
}
