import type { ByteSource, OpenOptions } from '../core/byte-source.ts';
import { type HubError, IntegrityError, type WeighbridgeError } from '../core/errors.ts';
import { type HttpClient, type HttpResponse, networkError } from '../http/client.ts';
import { connectionClosed, isTransient } from '../http/network-error.ts';
import { isRetryableStatus, serverWaitMs } from '../http/retry.ts';
import { badAnswer, explainHubError, type HubQuestion, hubFailure, isFromElsewhere } from './hub-failure.ts';
import { quoted } from './quoted.ts';
import type { HubFile } from './types.ts';

export interface FileRequest {
  readonly http: HttpClient;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly file: Pick<HubFile, 'path' | 'sizeBytes'>;
  readonly question: HubQuestion;
  /** Tries without one more byte before it is given up. */
  readonly attempts: number;
}

/**
 * A file of the Hub as a source. It is asked for at its own address each time, so a signed link that has expired on the
 * way is simply made anew; what has been read is never read again.
 */
export function hubFileSource(request: FileRequest): ByteSource {
  const { path, sizeBytes } = request.file;
  return { name: path, sizeBytes, open: options => readFile(request, options) };
}

async function* readFile(
  request: FileRequest,
  { start, signal, buffers }: OpenOptions,
): AsyncGenerator<Uint8Array> {
  const { http, file, question } = request;
  const purpose = `downloading ${quoted(file.path)} of ${question.model}`;
  let position = start;
  for (let attempt = 1; position < file.sizeBytes; attempt++) {
    const before = position;
    try {
      for await (const chunk of readFrom(request, position, purpose, { signal, buffers })) {
        position += chunk.length;
        yield chunk;
      }
    } catch (error) {
      const failure = passing(error);
      // All bytes are here; that the connection broke behind the last one is no matter.
      if (failure !== undefined && position === file.sizeBytes) return;
      if (position > before) attempt = 1;
      if (failure === undefined || attempt >= request.attempts)
        throw explainHubError(failure?.error ?? error, question);
      const { message: reason } = failure.error;
      await http.waitToRetry({ purpose, attempt, reason, serverWaitMs: failure.waitMs, signal });
    }
  }
}

/** An error that the next try may not meet, and how long the server wants it to be put off. */
class PassingFailure extends Error {
  readonly error: WeighbridgeError;
  readonly waitMs: number | undefined;

  constructor(error: WeighbridgeError, waitMs?: number) {
    super(error.message);
    this.error = error;
    this.waitMs = waitMs;
  }
}

function passing(error: unknown): PassingFailure | undefined {
  if (error instanceof PassingFailure) return error;
  return isTransient(error) ? new PassingFailure(error as WeighbridgeError) : undefined;
}

/** One connection's worth of bytes from `position` on, also where the server does not know ranges and starts over. */
async function* readFrom(
  request: FileRequest,
  position: number,
  purpose: string,
  { signal, buffers }: Pick<OpenOptions, 'signal' | 'buffers'>,
): AsyncGenerator<Uint8Array> {
  const { file, question } = request;
  const response = await ask(request, position, purpose, signal);
  let skip = response.status === 206 ? 0 : position;
  let left = file.sizeBytes - position;
  try {
    for await (const chunk of response.chunks(buffers)) {
      const part = skip > 0 ? chunk.subarray(skip) : chunk;
      skip -= chunk.length - part.length;
      if (part.length > left) throw wrongSize(question, file, `more than ${file.sizeBytes} bytes`);
      left -= part.length;
      if (part.length > 0) yield part;
    }
    if (left > 0) throw connectionClosed();
  } catch (error) {
    throw networkError(error, { url: response.url, purpose, signal });
  }
}

async function ask(
  request: FileRequest,
  position: number,
  purpose: string,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  const { http, url, file, question } = request;
  const headers = position > 0 ? { ...request.headers, range: `bytes=${position}-` } : request.headers;
  // Tried again by `readFile`, which knows whether the file has moved on in the meantime.
  const response = await http.request({ method: 'GET', url, headers, purpose, signal, isRetryable: false });
  const { status } = response;
  if (status === 200 || status === 206) {
    const problem = problemOf(response, position, request);
    if (problem === undefined) return response;
    response.stream.destroy();
    throw problem;
  }
  if (status === 416) {
    response.discard();
    throw wrongSize(question, file, `nothing from byte ${position} on`);
  }
  const waitMs = serverWaitMs(response.headers);
  const failure = hubFailure(response, question);
  // A link to the storage is signed and expires; asking the Hub again makes a new one.
  const mayPass =
    isRetryableStatus(status) || (isFromElsewhere(response, question) && isStorageFailure(failure));
  if (mayPass && (waitMs ?? 0) <= http.retry.maxServerWaitMs) throw new PassingFailure(failure, waitMs);
  throw failure;
}

function isStorageFailure({ code }: HubError): boolean {
  return code === 'HUB_BAD_ANSWER' || code === 'HUB_UNREACHABLE';
}

/** What is wrong with an answer's head. What it says of lengths must agree with the Hub's list. */
function problemOf(
  response: HttpResponse,
  position: number,
  request: FileRequest,
): WeighbridgeError | undefined {
  const { file, question } = request;
  const { headers, status } = response;
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    return badAnswer(question.model, `${quoted(file.path)} comes encoded as ${quoted(encoding)}`);
  const commit = headers['x-repo-commit'];
  if (commit !== undefined && commit !== question.revision)
    return badAnswer(question.model, `${quoted(file.path)} comes from the commit ${quoted(String(commit))}`);
  const length = headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
  if (status === 200) {
    return length === undefined || length === file.sizeBytes
      ? undefined
      : wrongSize(question, file, `${length} bytes`);
  }
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
  if (first === undefined || last === undefined) {
    return badAnswer(question.model, `a part of ${quoted(file.path)} comes without a Content-Range`);
  }
  const isRight =
    Number(first) === position &&
    Number(last) < file.sizeBytes &&
    (total === '*' || Number(total) === file.sizeBytes) &&
    (length === undefined || length === Number(last) - position + 1);
  return isRight ? undefined : wrongSize(question, file, `${headers['content-range']} in ${length} bytes`);
}

function wrongSize(
  { model }: HubQuestion,
  { path, sizeBytes }: FileRequest['file'],
  got: string,
): IntegrityError {
  return new IntegrityError(
    `${quoted(path)} of ${model}: the Hub lists ${sizeBytes} bytes and sends ${got}`,
    {
      code: 'INTEGRITY_SIZE',
      subject: model,
      remedy: 'Try again; if it stays, something on the way to the Hub changes what it sends.',
    },
  );
}
