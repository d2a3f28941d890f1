import type { ByteSource, OpenOptions } from '../core/byte-source.ts';
import { IntegrityError, WeighbridgeError } from '../core/errors.ts';
import { type HttpClient, type HttpResponse, networkError } from '../http/client.ts';
import { backoffMs, DEFAULT_RETRY, pause, type RetryPolicy } from '../http/retry.ts';
import { explainHubError, type HubQuestion, hubFailure } from './hub-failure.ts';

export interface FileRequest {
  readonly http: HttpClient;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly path: string;
  readonly sizeBytes: number;
  readonly question: HubQuestion;
  readonly retry?: RetryPolicy;
}

/**
 * A file of the Hub as a source. It is asked for at its own address each time, so a signed link that has expired on the
 * way is simply made anew; what has been read is never read again.
 */
export function hubFileSource(request: FileRequest): ByteSource {
  return { name: request.path, sizeBytes: request.sizeBytes, open: options => readFile(request, options) };
}

async function* readFile(request: FileRequest, { start, signal }: OpenOptions): AsyncGenerator<Uint8Array> {
  const retry = request.retry ?? DEFAULT_RETRY;
  const purpose = `downloading ${request.path} of ${request.question.model}`;
  let position = start;
  // An empty file is asked for too: that it is still there is all there is to know of it, so it costs nothing here.
  for (let attempt = 1; position < request.sizeBytes; attempt++) {
    const before = position;
    try {
      const response = await ask(request, position, purpose, signal);
      for await (const chunk of bodyFrom(response, request, position)) {
        position += chunk.length;
        yield chunk;
      }
      if (position < request.sizeBytes) throw new Error('the answer ended too early');
    } catch (error) {
      const isFinal =
        error instanceof WeighbridgeError && error.code !== 'NETWORK' && error.code !== 'HUB_UNREACHABLE';
      if (position > before) attempt = 1;
      if (isFinal || signal?.aborted || attempt >= retry.attempts) {
        throw explainHubError(networkError(error, { url: request.url, purpose, signal }), request.question);
      }
      await pause(backoffMs(attempt, retry), signal);
    }
  }
}

async function ask(
  { http, url, headers, question, path, sizeBytes }: FileRequest,
  position: number,
  purpose: string,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  const range: Record<string, string> = position > 0 ? { range: `bytes=${position}-` } : {};
  for (let isAgain = false; ; isAgain = true) {
    const response = await http.request({
      method: 'GET',
      url,
      headers: { ...headers, ...range },
      purpose,
      signal,
    });
    if (response.status === 200 || response.status === 206) {
      checkLength(response, position, sizeBytes, path);
      return response;
    }
    // The link that the Hub gave a moment ago is refused by the CDN: asking the Hub again makes a new one.
    const isExpiredLink = response.status === 403 && new URL(response.url).origin !== new URL(url).origin;
    if (!isExpiredLink || isAgain) throw hubFailure(response, question);
    response.discard();
  }
}

/** The body from `position` on, also where the server does not know ranges and starts over. */
async function* bodyFrom(
  response: HttpResponse,
  request: FileRequest,
  position: number,
): AsyncGenerator<Buffer> {
  let skip = response.status === 206 ? 0 : position;
  let left = request.sizeBytes - position;
  for await (const chunk of response.stream as AsyncIterable<Buffer>) {
    const part = skip > 0 ? chunk.subarray(skip) : chunk;
    skip = Math.max(0, skip - chunk.length);
    if (part.length > left)
      throw wrongSize(request.path, `more than ${request.sizeBytes} bytes`, request.sizeBytes);
    left -= part.length;
    if (part.length > 0) yield part;
  }
}

/** A length that is said must be the one the Hub listed; one that is not said shows when the body ends. */
function checkLength(response: HttpResponse, position: number, sizeBytes: number, path: string): void {
  const { headers, status } = response;
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    response.stream.destroy();
    throw wrongSize(path, `bytes encoded as ${encoding}`, sizeBytes);
  }
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '');
  const isWrongRange =
    status === 206 &&
    (Number(range?.[1]) !== position || ![String(sizeBytes), '*'].includes(range?.[2] ?? ''));
  const length = headers['content-length'];
  const expected = status === 206 ? sizeBytes - position : sizeBytes;
  if (isWrongRange || (length !== undefined && Number(length) !== expected)) {
    response.stream.destroy();
    throw wrongSize(path, headers['content-range'] ?? `${length} bytes`, sizeBytes);
  }
}

function wrongSize(path: string, got: string, sizeBytes: number): IntegrityError {
  return new IntegrityError(`${path}: the Hub lists ${sizeBytes} bytes and sends ${got}`, {
    code: 'INTEGRITY_SIZE',
    subject: path,
    remedy: 'Try again; if it stays, something on the way to the Hub changes what it sends.',
  });
}
