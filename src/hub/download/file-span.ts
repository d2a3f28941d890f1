import type { OpenOptions } from '../../core/byte-source.ts';
import { type HubError, IntegrityError, type WeighbridgeError } from '../../core/errors.ts';
import { quoted } from '../../core/safe-text.ts';
import type { HttpClient } from '../../http/client.ts';
import { connectionClosed, isTransient, networkError } from '../../http/network-error.ts';
import { serverWaitMs as askedWaitMs, isRetryableStatus, Retries } from '../../http/retry.ts';
import type { HttpResponse } from '../../http/types.ts';
import { badAnswer, explainHubError, type HubQuestion, hubFailure, isFromElsewhere } from '../hub-failure.ts';
import type { HubFile } from '../types.ts';
import type { FileLink } from './file-link.ts';

/** How a part of a file is asked for. */
export interface FileRequest {
  readonly http: HttpClient;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly file: Pick<HubFile, 'path' | 'sizeBytes'>;
  readonly question: HubQuestion;
  /** Tries without one more byte before it is given up. */
  readonly attempts: number;
}

/** A part of a file that is asked for on its own. */
export interface FileSpan {
  readonly start: number;
  /** First byte that is not wanted. */
  readonly end: number;
  readonly link: FileLink;
  /** Whether a server that sends the whole file instead is a reason to stop (RangesRefused) and not to read over it. */
  readonly isRangeNeeded: boolean;
  /** The server has turned a request away or broken one off, and it will be tried again. */
  readonly onTrouble: () => void;
}

/** The server does not know ranges. */
export class RangesRefused extends Error {}

/** Yields exactly the span, or throws what is final. Bytes that have been read are never read again. */
export async function* readSpan(
  request: FileRequest,
  span: FileSpan,
  { signal, buffers }: Pick<OpenOptions, 'signal' | 'buffers'>,
): AsyncGenerator<Uint8Array> {
  const { http, file, question } = request;
  const purpose = `downloading ${quoted(file.path)} of ${question.model}`;
  const retries = new Retries({ ...http.retry, attempts: request.attempts });
  let position = span.start;
  while (position < span.end) {
    const before = position;
    try {
      for await (const chunk of readFrom(request, { ...span, start: position }, purpose, {
        signal,
        buffers,
      })) {
        position += chunk.length;
        yield chunk;
      }
    } catch (error) {
      const failure = passing(error);
      // All bytes are here; that the connection broke behind the last one does not matter.
      if (failure !== undefined && position === span.end) return;
      retries.progress(position - before);
      if (failure === undefined || signal?.aborted || !retries.again(failure.error))
        throw explainHubError(failure?.error ?? error, question);
      // A signed link that has expired is made anew by asking the Hub.
      span.link.forget();
      const { isLinks, status, serverWaitMs } = failure.answer;
      if (isLinks !== true) span.onTrouble();
      const { message: reason } = failure.error;
      await http.waitToRetry({ purpose, attempt: retries.failed, reason, status, serverWaitMs, signal });
    }
  }
}

/** Nothing of it where no answer came. */
interface FailedAnswer {
  readonly status?: number;
  /** How long the server wants the next try to be put off. */
  readonly serverWaitMs?: number | undefined;
  /** Not the server's trouble, but a link's that is no longer good. */
  readonly isLinks?: boolean;
}

/** An error that the next try may not meet. */
class PassingFailure extends Error {
  readonly error: WeighbridgeError;
  readonly answer: FailedAnswer;

  constructor(error: WeighbridgeError, answer: FailedAnswer = {}) {
    super(error.message);
    this.error = error;
    this.answer = answer;
  }
}

function passing(error: unknown): PassingFailure | undefined {
  if (error instanceof PassingFailure) return error;
  return isTransient(error) ? new PassingFailure(error as WeighbridgeError) : undefined;
}

/** One connection's worth of bytes of the span, also where the server does not know ranges and starts over. */
async function* readFrom(
  request: FileRequest,
  span: FileSpan,
  purpose: string,
  { signal, buffers }: Pick<OpenOptions, 'signal' | 'buffers'>,
): AsyncGenerator<Uint8Array> {
  const { file, question } = request;
  const response = await ask(request, span, purpose, signal);
  // A server that does not know ranges sends the whole file.
  const isWhole = response.status !== 206;
  const isMoreToCome = isWhole && span.end < file.sizeBytes;
  let skip = isWhole ? span.start : 0;
  let left = span.end - span.start;
  try {
    for await (const chunk of response.chunks(buffers)) {
      const fresh = skip > 0 ? chunk.subarray(skip) : chunk;
      skip -= chunk.length - fresh.length;
      const part = isMoreToCome ? fresh.subarray(0, left) : fresh;
      if (part.length > left) throw wrongSize(question, file, `more than ${file.sizeBytes} bytes`);
      left -= part.length;
      if (part.length > 0) yield part;
      if (left === 0 && isMoreToCome) return;
    }
    if (left > 0) throw connectionClosed();
  } catch (error) {
    throw networkError(error, { url: response.url, purpose, signal });
  }
}

async function ask(
  request: FileRequest,
  span: FileSpan,
  purpose: string,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  const { http, file, question } = request;
  const { start, end, link, isRangeNeeded } = span;
  const isPart = start > 0 || end < file.sizeBytes;
  const range = `bytes=${start}-${end < file.sizeBytes ? end - 1 : ''}`;
  const { headers, ...address } = link.address();
  const options = { ...address, headers: isPart ? { ...headers, range } : headers, purpose, signal };
  // Tried again by `readSpan`, which knows whether the file has moved on in the meantime.
  const response = await http.request({ ...options, method: 'GET', isRetryable: false });
  const { status } = response;
  if (status === 200 || status === 206) {
    const problem =
      status === 200 && isRangeNeeded ? new RangesRefused() : problemOf(response, span, request);
    if (problem === undefined) {
      link.note(response);
      return response;
    }
    response.stream.destroy();
    throw problem;
  }
  if (status === 416) {
    response.discard();
    throw wrongSize(question, file, `nothing from byte ${start} on`);
  }
  const serverWaitMs = askedWaitMs(response.headers);
  const failure = hubFailure(response, question);
  const isRetryable = isRetryableStatus(status);
  // A link to the storage is signed and expires; asking the Hub again makes a new one.
  const isLinks = !isRetryable && isFromElsewhere(response, question) && isStorageFailure(failure);
  if ((isRetryable || isLinks) && (serverWaitMs ?? 0) <= http.retry.maxServerWaitMs)
    throw new PassingFailure(failure, { status, serverWaitMs, isLinks });
  throw failure;
}

function isStorageFailure({ code }: HubError): boolean {
  return code === 'HUB_BAD_ANSWER' || code === 'HUB_UNREACHABLE';
}

/** What is wrong with an answer's head. What it says of lengths must agree with the Hub's list. */
function problemOf(
  response: HttpResponse,
  { start, end }: FileSpan,
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
    Number(first) === start &&
    Number(last) < end &&
    (total === '*' || Number(total) === file.sizeBytes) &&
    (length === undefined || length === Number(last) - start + 1);
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
