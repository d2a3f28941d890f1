import type { OpenOptions } from '../../core/byte-source.ts';
import type { Digest } from '../../core/digest.ts';
import { IntegrityError, RegistryError, type WeighbridgeError } from '../../core/errors.ts';
import { quoted } from '../../core/safe-text.ts';
import { connectionClosed, isTransient, networkError } from '../../http/network-error.ts';
import { Retries } from '../../http/retry.ts';
import type { HttpResponse } from '../../http/types.ts';
import type { RegistryClient } from './registry-client.ts';

/** How a blob is read. */
export interface BlobReading {
  /** For errors: `ghcr.io/acme/hf-x`. */
  readonly store: string;
  readonly digest: Digest;
  /** As its descriptor says: not a byte more is taken. */
  readonly sizeBytes: number;
  readonly client: RegistryClient;
  readonly url: string;
  readonly scope: string;
  readonly options: OpenOptions;
}

/**
 * Yields exactly the bytes of the blob from `start` on, or throws. A broken connection is resumed at the offset it had
 * reached. An answer of another length, or from another place, than requested is an error and not a reason to go on.
 */
export async function* readBlob(reading: BlobReading): AsyncGenerator<Uint8Array> {
  const { client, store, sizeBytes, options } = reading;
  const { start, signal } = options;
  const purpose = `reading ${reading.digest} from ${store}`;
  const retries = new Retries(client.retry);
  let position = start;
  while (position < sizeBytes) {
    const before = position;
    const response = await ask(reading, position, purpose);
    try {
      for await (const chunk of readFrom(response, position, reading)) {
        position += chunk.length;
        yield chunk;
      }
      if (position < sizeBytes) throw connectionClosed();
    } catch (cause) {
      const error = networkError(cause, { url: response.url, purpose, signal });
      // All bytes are here; that the connection broke behind the last one does not matter.
      if (isTransient(error) && position === sizeBytes) return;
      retries.progress(position - before);
      if (!isTransient(error) || !retries.again(error)) throw unreadable(error, store);
      await client.waitToRetry({ purpose, attempt: retries.failed, reason: error.message, signal });
    }
  }
}

async function ask(
  { client, url, scope, store, sizeBytes, options }: BlobReading,
  position: number,
  purpose: string,
): Promise<HttpResponse> {
  const response = await client.request({
    method: 'GET',
    url,
    scope,
    purpose,
    signal: options.signal,
    headers: position > 0 ? { range: `bytes=${position}-` } : {},
  });
  if (response.status !== 200 && response.status !== 206) throw await client.failure(response, purpose);
  const problem = problemOf(response, position, sizeBytes);
  if (problem === undefined) return response;
  response.stream.destroy();
  throw wrongSize(store, `${purpose}: ${problem}`);
}

/** What is wrong with an answer's head: it has to agree with the descriptor and with what was asked for. */
function problemOf(
  { status, headers }: HttpResponse,
  position: number,
  sizeBytes: number,
): string | undefined {
  const encoding = headers['content-encoding'];
  const length = headers['content-length'];
  // Web servers that look into files call a layer encoded because it is one of gzip (https://github.com/moby/moby/issues/17595):
  // of its own length it comes as it is, and is hashed.
  const isWhole = status === 200 && Number(length) === sizeBytes;
  if (encoding !== undefined && encoding !== 'identity' && !isWhole)
    return `it comes encoded as ${quoted(encoding)}`;
  if (status === 200) {
    // It may ignore the range and send all of it.
    const isRight = length === undefined || Number(length) === sizeBytes;
    return isRight ? undefined : `${quoted(length)} bytes come where the manifest says ${sizeBytes}`;
  }
  const range = headers['content-range'] ?? '';
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(range) ?? [];
  const isRight =
    Number(first) === position &&
    Number(last) >= position &&
    Number(last) < sizeBytes &&
    (total === '*' || Number(total) === sizeBytes) &&
    (length === undefined || Number(length) === Number(last) - position + 1);
  return isRight ? undefined : `asked for byte ${position} on, it sends ${quoted(range)}`;
}

async function* readFrom(
  response: HttpResponse,
  position: number,
  { store, digest, sizeBytes, options }: BlobReading,
): AsyncGenerator<Uint8Array> {
  let skip = response.status === 200 ? position : 0;
  let left = sizeBytes - position;
  for await (const chunk of response.chunks(options.buffers)) {
    const part = skip > 0 ? chunk.subarray(skip) : chunk;
    skip -= chunk.length - part.length;
    if (part.length > left)
      throw wrongSize(
        store,
        `${store} sends more than the ${sizeBytes} bytes that the manifest says of ${digest}`,
      );
    left -= part.length;
    if (part.length > 0) yield part;
  }
}

function wrongSize(store: string, message: string): IntegrityError {
  return new IntegrityError(message, {
    code: 'INTEGRITY_SIZE',
    subject: store,
    remedy:
      'The registry, or something on the way to it, changes what it holds. Try again, or use another image.',
  });
}

function unreadable(error: WeighbridgeError, store: string): WeighbridgeError {
  if (error.code !== 'NETWORK') return error;
  return new RegistryError(error.message, { code: 'REGISTRY_UNREACHABLE', subject: store, cause: error });
}
