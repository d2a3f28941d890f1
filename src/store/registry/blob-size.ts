import { RegistryError } from '../../core/errors.ts';
import type { HttpResponse } from '../../http/types.ts';
import type { RegistryClient } from './registry-client.ts';

/** Which blob is asked for, and where. */
export interface BlobQuestion {
  readonly client: RegistryClient;
  /** For errors: `ghcr.io/acme/hf-x`. */
  readonly store: string;
  readonly url: string;
  readonly scope: string;
  readonly purpose: string;
  readonly signal?: AbortSignal | undefined;
}

/** Returns the size of a blob that is there, undefined if it is not. Throws RegistryError. */
export async function blobSize(question: BlobQuestion): Promise<number | undefined> {
  const { client, url, scope, purpose, signal } = question;
  const response = await client.head({ url, scope, purpose, signal });
  if (response === undefined) return await sizeOfRange(question);
  response.discard();
  if (response.status === 404) return undefined;
  if (response.status !== 200) throw await client.failure(response, purpose);
  return lengthOf(response) ?? (await sizeOfRange(question));
}

/** For a registry that answers HEAD without a length, or not at all: what it says of a range of one byte, or of the whole. */
async function sizeOfRange(question: BlobQuestion): Promise<number | undefined> {
  const { client, store, url, scope, purpose, signal } = question;
  const headers = { range: 'bytes=0-0' };
  const response = await client.request({ method: 'GET', url, scope, purpose, signal, headers });
  if (response.status === 404) {
    response.discard();
    return undefined;
  }
  if (![200, 206, 416].includes(response.status)) throw await client.failure(response, purpose);
  response.stream.destroy();
  const total = /^bytes (?:\d+-\d+|\*)\/(\d{1,15})$/.exec(response.headers['content-range'] ?? '')?.[1];
  const size =
    total === undefined ? (response.status === 200 ? lengthOf(response) : undefined) : Number(total);
  if (size !== undefined) return size;
  throw new RegistryError(`${purpose}: the answer does not say how large the blob is`, {
    code: 'REGISTRY_BAD_ANSWER',
    subject: store,
  });
}

/** What the answer says of its body's length; undefined if it does not. */
function lengthOf({ headers }: HttpResponse): number | undefined {
  const text = headers['content-length'] ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
