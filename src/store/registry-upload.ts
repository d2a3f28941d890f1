import type { Digest } from '../core/digest.ts';
import { IntegrityError, RegistryError } from '../core/errors.ts';
import type { HttpResponse, UploadRequest } from '../http/client.ts';
import type { BlobUpload, UploadOptions } from './image-store.ts';
import type { RegistryClient } from './registry-client.ts';

export interface RegistryUploadOptions extends UploadOptions {
  readonly client: RegistryClient;
  /** For people: `ghcr.io/acme/hf-x`. */
  readonly name: string;
  readonly repository: string;
  readonly scope: string;
  readonly stat: (digest: Digest) => Promise<number | undefined>;
}

/** A registry may take its time to store a large blob for good before it answers the closing `PUT`. */
const COMMIT_TIMEOUT_MS = 15 * 60_000;

/**
 * `POST`, one streamed `PATCH`, `PUT ?digest=`: the way that works at any size and with a digest that is known only at
 * the end. The `PATCH` is sent chunked, because GHCR refuses one that announces more than 4 MiB.
 */
export class RegistryUpload implements BlobUpload {
  readonly #options: RegistryUploadOptions;
  #location: string;
  #offset = 0;
  #patch: UploadRequest | undefined;
  #isOpening = false;

  private constructor(options: RegistryUploadOptions, location: string) {
    this.#options = options;
    this.#location = location;
  }

  static async start(options: RegistryUploadOptions): Promise<RegistryUpload> {
    return new RegistryUpload(options, await openSession(options));
  }

  get offset(): number {
    return this.#offset;
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#patch === undefined) return this.#openPatch(chunk);
    if (this.#patch.isAnswered) return this.#failEarly(this.#patch);
    return this.#send(this.#patch, chunk);
  }

  async commit(digest: Digest): Promise<void> {
    const { client, name, sizeBytes } = this.#options;
    if (this.#patch !== undefined) {
      const response = await this.#patch.end().catch((error: unknown) => {
        throw client.explain(error);
      });
      if (response.status < 200 || response.status > 204)
        throw await client.failure(response, this.#purpose('uploading to'));
      this.#checkRange(response);
      this.#takeLocation(response);
      this.#patch = undefined;
    }
    if (this.#offset !== sizeBytes) {
      throw new IntegrityError(`${name}: expected ${sizeBytes} bytes, got ${this.#offset}`, {
        code: 'INTEGRITY_SIZE',
        subject: name,
      });
    }
    await this.#close(digest);
  }

  async resume(): Promise<number> {
    const { client, scope, signal } = this.#options;
    this.#patch?.destroy();
    this.#patch = undefined;
    const response = await client.request({
      method: 'GET',
      url: this.#location,
      scope,
      purpose: this.#purpose('asking how far an upload got in'),
      signal,
    });
    response.discard();
    // The specification says 204 and `Range: 0-<last>`; a session that holds nothing may leave the header out.
    const last = /^(?:bytes=)?0-(\d+)$/.exec(String(response.headers.range ?? ''))?.[1];
    const held = last === undefined ? 0 : Number(last) + 1;
    if (
      response.status === 204 &&
      held > 1 &&
      held <= this.#options.sizeBytes &&
      client.registry !== 'ghcr.io'
    ) {
      this.#takeLocation(response);
      this.#offset = held;
    } else {
      this.#location = await openSession(this.#options);
      this.#offset = 0;
    }
    return this.#offset;
  }

  async abort(): Promise<void> {
    const { client, scope } = this.#options;
    this.#patch?.destroy();
    try {
      const response = await client.request({
        method: 'DELETE',
        url: this.#location,
        scope,
        purpose: this.#purpose('giving up an upload to'),
        isRetryable: false,
        signal: AbortSignal.timeout(2000),
      });
      response.discard();
    } catch {
      // Registries drop forgotten uploads by themselves; GHCR does not even allow this.
    }
  }

  async #openPatch(chunk: Uint8Array): Promise<void> {
    if (this.#isOpening) throw new Error('write() was called before the last one ended');
    this.#isOpening = true;
    const { client, scope, signal, sizeBytes } = this.#options;
    try {
      const rest = sizeBytes - this.#offset;
      this.#patch = await client.upload({
        method: 'PATCH',
        url: this.#location,
        scope,
        headers: {
          'content-type': 'application/octet-stream',
          // `start-end` without a unit is the OCI form; only a resumed upload needs to say where it goes on.
          ...(this.#offset > 0 ? { 'content-range': `${this.#offset}-${sizeBytes - 1}` } : {}),
        },
        ...(this.#offset > 0 ? { sizeBytes: rest } : {}),
        purpose: this.#purpose('uploading to'),
        signal,
      });
    } finally {
      this.#isOpening = false;
    }
    await this.#send(this.#patch, chunk);
  }

  #send(patch: UploadRequest, chunk: Uint8Array): Promise<void> | undefined {
    const explain = (error: unknown): never => {
      throw this.#options.client.explain(error);
    };
    try {
      const wait = patch.write(chunk);
      this.#offset += chunk.length;
      return wait?.catch(explain);
    } catch (error) {
      return explain(error);
    }
  }

  async #failEarly(patch: UploadRequest): Promise<never> {
    throw await this.#options.client.failure(await patch.end(), this.#purpose('uploading to'));
  }

  async #close(digest: Digest): Promise<void> {
    const { client, scope, signal, name, sizeBytes, stat } = this.#options;
    const url = new URL(this.#location);
    url.searchParams.set('digest', digest);
    const purpose = this.#purpose('closing the upload to');
    const response = await client.request({
      method: 'PUT',
      url: url.href,
      scope,
      purpose,
      signal,
      idleTimeoutMs: COMMIT_TIMEOUT_MS,
    });
    // A repeated PUT finds no session where the first one's answer was lost: what counts is whether the blob is there.
    if (response.status !== 201 && response.status !== 404) throw await client.failure(response, purpose);
    const confirmed = response.headers['docker-content-digest'];
    const stored = await stat(digest);
    if (stored === undefined && response.status === 404) throw await client.failure(response, purpose);
    response.discard();
    // Some registries say 201 and store nothing, or other bytes (Quay, Nexus): look.
    if (stored !== sizeBytes || (confirmed !== undefined && confirmed !== digest)) {
      throw new IntegrityError(
        `${name} confirmed ${digest} but holds ${stored === undefined ? 'nothing' : `${stored} bytes (${String(confirmed ?? 'no digest said')})`}`,
        { code: 'INTEGRITY_HASH', subject: name },
      );
    }
  }

  /** A registry that took less than was sent says so in `Range` (zot). */
  #checkRange(response: HttpResponse): void {
    const range = response.headers.range;
    const last = /^(?:bytes=)?0-(\d+)$/.exec(String(range ?? ''))?.[1];
    if (last === undefined || Number(last) + 1 === this.#offset) return;
    throw new RegistryError(`${this.#options.name} took ${Number(last) + 1} of ${this.#offset} bytes`, {
      code: 'REGISTRY_BAD_ANSWER',
      subject: this.#options.name,
    });
  }

  #takeLocation(response: HttpResponse): void {
    const location = response.headers.location;
    if (location !== undefined) this.#location = this.#options.client.resolve(location, response.url);
  }

  #purpose(doing: string): string {
    return `${doing} ${this.#options.name}`;
  }
}

async function openSession(options: RegistryUploadOptions): Promise<string> {
  const { client, repository, scope, signal, name } = options;
  const purpose = `starting an upload to ${name}`;
  const response = await client.request({
    method: 'POST',
    url: `/v2/${repository}/blobs/uploads/`,
    scope,
    purpose,
    signal,
  });
  const location = response.headers.location;
  if (response.status !== 202) throw await client.failure(response, purpose);
  response.discard();
  if (location === undefined) {
    throw new RegistryError(`${purpose}: the answer has no Location`, {
      code: 'REGISTRY_BAD_ANSWER',
      subject: name,
    });
  }
  return client.resolve(location, response.url);
}
