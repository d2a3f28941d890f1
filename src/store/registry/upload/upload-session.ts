import type { Digest } from '../../../core/digest.ts';
import { IntegrityError, isAbort, RegistryError } from '../../../core/errors.ts';
import type { HttpResponse } from '../../../http/types.ts';
import type { RegistryRequest } from '../registry-client.ts';
import type { UploadTarget } from './upload-strategy.ts';

/** What a registry may need to store a blob for good before it answers, besides the time that any answer may take. */
const STORED_BYTES_PER_MS = 20_000;
const STATUS_TIMEOUT_MS = 10_000;

/** An upload that a registry has opened: its address, which changes with every answer, and how far it got. */
export class UploadSession {
  readonly #target: UploadTarget;
  #location: string;

  constructor(target: UploadTarget, location: string) {
    this.#target = target;
    this.#location = location;
  }

  /** Returns a new session. Throws RegistryError. */
  static async open(target: UploadTarget): Promise<UploadSession> {
    const { client, repository, scope, signal, name } = target;
    const purpose = `starting an upload to ${name}`;
    const url = `/v2/${repository}/blobs/uploads/`;
    const response = await client.request({ method: 'POST', url, scope, purpose, signal });
    if (response.status === 404) throw await noRepository(target, response, purpose);
    // Docker and containerd take these too; what counts is the address.
    if (!isDone(response)) throw await client.failure(response, purpose);
    response.discard();
    return UploadSession.from(target, response);
  }

  /**
   * The session that an answer of status 202 has opened. Throws RegistryError REGISTRY_BAD_ANSWER if it names no usable
   * address.
   */
  static from(target: UploadTarget, response: HttpResponse): UploadSession {
    const { location } = response.headers;
    if (location === undefined) {
      throw new RegistryError(`starting an upload to ${target.name}: the answer has no Location`, {
        code: 'REGISTRY_BAD_ANSWER',
        subject: target.name,
      });
    }
    target.capabilities.noteMinChunk(response.headers['oci-chunk-min-length']);
    return new UploadSession(target, target.client.resolve(location, response.url));
  }

  get location(): string {
    return this.#location;
  }

  /** Where the next request has to go. */
  follow(response: HttpResponse): void {
    const { location } = response.headers;
    if (location !== undefined) this.#location = this.#target.client.resolve(location, response.url);
  }

  /** Bytes that the registry holds; undefined if it has lost the upload, or says nothing that can be relied on. */
  async held(): Promise<number | undefined> {
    const { client, scope, signal, name, sizeBytes } = this.#target;
    const request: RegistryRequest = {
      method: 'GET',
      url: this.#location,
      scope,
      purpose: `asking how far an upload to ${name} got`,
      signal,
      idleTimeoutMs: Math.min(client.idleTimeoutMs, STATUS_TIMEOUT_MS),
    };
    // A registry that still waits for the rest of a broken request may not answer; a new upload is the way out then.
    const response = await client.request(request).catch((error: unknown) => {
      if (isAbort(error)) throw error;
      return undefined;
    });
    if (response === undefined) return undefined;
    response.discard();
    const held = heldBytes(response);
    if (response.status !== 204 || held === undefined || held > sizeBytes) return undefined;
    this.follow(response);
    return held;
  }

  /** The address that closes the upload as a blob of this digest. */
  closingUrl(digest: Digest): string {
    const url = new URL(this.#location);
    // What is there stays as it is written: an address that is signed may be good in no other spelling.
    if (url.searchParams.has('digest')) url.searchParams.set('digest', digest);
    else url.search += `${url.search === '' ? '' : '&'}digest=${encodeURIComponent(digest)}`;
    return url.href;
  }

  /** Ends the upload as a blob of this digest, without further bytes. Throws as `checkClosed` does. */
  async close(digest: Digest): Promise<void> {
    const { client, scope, signal, name } = this.#target;
    const response = await client.request({
      method: 'PUT',
      url: this.closingUrl(digest),
      scope,
      purpose: `closing the upload to ${name}`,
      signal,
      idleTimeoutMs: this.closingTimeoutMs,
    });
    await this.checkClosed(response);
  }

  /** A registry may store and hash the whole blob before it answers. */
  get closingTimeoutMs(): number {
    const { client, sizeBytes } = this.#target;
    return client.idleTimeoutMs + Math.ceil(sizeBytes / STORED_BYTES_PER_MS);
  }

  /**
   * Takes the answer to the closing PUT. Throws if it cannot mean that the blob is there: IntegrityError INTEGRITY_HASH if
   * the registry got other bytes, else RegistryError.
   */
  async checkClosed(response: HttpResponse): Promise<void> {
    const { client, name } = this.#target;
    const purpose = `closing the upload to ${name}`;
    const confirmed = response.headers['docker-content-digest'];
    const expected = new URL(response.url).searchParams.get('digest');
    // A repeated PUT finds no upload where the first one's answer was lost. Whether the blob is there is looked up next.
    if (response.status === 404) {
      response.discard();
      return;
    }
    if (response.status === 400) {
      const { message } = await client.failure(response, purpose);
      throw new IntegrityError(`what arrived is not what was sent: ${message}`, {
        code: 'INTEGRITY_HASH',
        subject: name,
      });
    }
    // 201 is the specification's; whether the blob is there is looked up next.
    if (!isDone(response)) throw await client.failure(response, purpose);
    response.discard();
    if (confirmed !== undefined && confirmed !== expected) {
      throw new IntegrityError(`${name} confirmed ${String(confirmed)} in place of ${expected}`, {
        code: 'INTEGRITY_HASH',
        subject: name,
      });
    }
  }

  /** Abandons the upload. Never throws: a registry drops forgotten uploads on its own. */
  async cancel(): Promise<void> {
    const { client, scope, capabilities, name } = this.#target;
    if (!capabilities.cancels) return;
    try {
      const response = await client.request({
        method: 'DELETE',
        url: this.#location,
        scope,
        purpose: `giving up an upload to ${name}`,
        isRetryable: false,
        signal: AbortSignal.timeout(CANCEL_TIMEOUT_MS),
      });
      response.discard();
      if (response.status === 405) capabilities.noteCannotCancel();
    } catch {
      // Nothing depends on it.
    }
  }
}

function isDone({ status }: HttpResponse): boolean {
  return status >= 200 && status <= 204;
}

/** ECR and others have no repository before it was created there. */
async function noRepository(
  { client, name, repository }: UploadTarget,
  response: HttpResponse,
  purpose: string,
): Promise<RegistryError> {
  const { message, code } = await client.failure(response, purpose);
  return new RegistryError(message, {
    code,
    subject: name,
    status: response.status,
    remedy: `Create the repository ${repository} in ${client.registry} first, or have it created with the first push, if the registry can.`,
  });
}

/** Short, because the user may be waiting for the program to end. */
const CANCEL_TIMEOUT_MS = 1500;

/**
 * Returns how many bytes `Range: 0-<last>` states. Docker's registry sends `0-0` for nothing and for one byte alike,
 * and an answer without the header says nothing at all: undefined.
 */
export function heldBytes({ headers }: Pick<HttpResponse, 'headers'>): number | undefined {
  const last = /^(?:bytes=)?0-(\d{1,15})$/.exec(String(headers.range ?? ''))?.[1];
  return Number(last ?? 0) === 0 ? undefined : Number(last) + 1;
}

/**
 * Returns how many bytes an answer says that the registry has after `sent` of them: all, if it says nothing. Some count
 * them in place of naming the last, which is one more than there are:
 * https://github.com/artifact-keeper/artifact-keeper/issues/1349
 */
export function heldOf(response: Pick<HttpResponse, 'headers'>, sent: number): number {
  const held = heldBytes(response) ?? sent;
  return held === sent + 1 ? sent : held;
}
