import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import type { BufferPool } from '../core/buffer-pool.ts';
import { InterruptedError, WeighbridgeError } from '../core/errors.ts';
import { isWorthTakingOver, readBody } from './direct-read/body-reader.ts';
import { isPrivateHost } from './hosts.ts';
import {
  connectionClosed,
  type FailedConnection,
  networkError,
  silenceError,
  tooSlow,
} from './network-error.ts';
import { MIN_PROGRESS_BYTES } from './retry.ts';
import type { HttpRequest, HttpResponse } from './types.ts';

/** A request whose answer is awaited. */
export interface AnsweredRequest
  extends Pick<HttpRequest, 'url' | 'purpose' | 'signal' | 'method' | 'isPublicOnly'>,
    FailedConnection {
  /** Told once when the answer, or the rest of a document, has not come after `WAITING_MS`. */
  readonly onWaiting?: () => void;
  /** Told once how the request ended. */
  readonly onAnswer?:
    | ((answer: { readonly status: number } | { readonly reason: string }) => void)
    | undefined;
}

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;
/** A rest up to this size is cheaper to read than a new connection. */
const CHEAP_REST_BYTES = 64 * 1024;
/** When people are told what is being waited for. */
const WAITING_MS = 30_000;
/**
 * An answer's head, and a document, may take this many times the time in which a server may be silent: interim answers
 * (102) and a byte now and then are no silence, and would go on for ever.
 */
const DEADLINE_FACTOR = 5;
/** A document may take as long as its limit takes at this rate, besides: 64 MiB on a slow line are no attack. */
const MIN_DOCUMENT_BYTES_PER_MS = 64;

/** Returns the answer's head. `outgoing` was made with `timeout: idleTimeoutMs`, so that connecting is timed as well. */
export function awaitAnswer(
  outgoing: ClientRequest,
  request: AnsweredRequest,
  idleTimeoutMs: number,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    let isAnswered = false;
    // Node tells of an abort once the request has a connection, which may take as long as a proxy wants.
    const onAbort = (): void => fail(new InterruptedError());
    request.signal?.addEventListener('abort', onAbort, { once: true });
    const onTimeout = (): void => {
      // The answer's body has a clock of its own. Before, silence is the server's fault only if something is
      // waiting for it: an upload whose own source pauses is not the server's doing.
      const isServersTurn =
        outgoing.writableEnded || outgoing.writableLength > 0 || outgoing.socket?.connecting === true;
      if (!isAnswered && isServersTurn) outgoing.destroy(silenceError(idleTimeoutMs));
    };
    // The request itself would tell of the first time alone, and that may be one that does not count.
    outgoing.once('socket', socket => {
      socket.on('timeout', onTimeout);
      outgoing.once('close', () => socket.off('timeout', onTimeout));
    });
    const timers = new Timers();
    // Counted from the last byte of the request: until then it is the sender's time.
    outgoing.once('finish', () => {
      timers.start(idleTimeoutMs * DEADLINE_FACTOR, () => {
        outgoing.destroy(tooSlow(idleTimeoutMs * DEADLINE_FACTOR));
      });
      timers.start(WAITING_MS, () => request.onWaiting?.());
    });
    const fail = (cause: Error): void => {
      const error = networkError(cause, request);
      if (!isAnswered) request.onAnswer?.({ reason: error.message });
      isAnswered = true;
      reject(error);
    };
    outgoing.on('error', fail);
    outgoing.on('response', stream => {
      isAnswered = true;
      timers.stop();
      request.signal?.removeEventListener('abort', onAbort);
      request.onAnswer?.({ status: stream.statusCode ?? 0 });
      resolve(new Answer(stream, request, endWhenSilent(stream, idleTimeoutMs)));
    });
    outgoing.on('close', () => {
      timers.stop();
      request.signal?.removeEventListener('abort', onAbort);
      if (!isAnswered) fail(connectionClosed());
    });
  });
}

class Timers {
  readonly #timers: NodeJS.Timeout[] = [];

  start(delayMs: number, work: () => void): void {
    this.#timers.push(setTimeout(work, delayMs).unref());
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
  }
}

/**
 * Breaks `stream` off when nothing came for `timeoutMs` although more was asked for. A reader that takes its time asks
 * for nothing, so it may pause for hours; the socket's own timeout cannot tell the two apart. A byte now and then does
 * not wind the clock up.
 */
function endWhenSilent(stream: IncomingMessage, timeoutMs: number): SilenceClock {
  let isReadersTime = false;
  const timer = setTimeout(() => {
    isReadersTime = stream.complete || stream.readableLength >= stream.readableHighWaterMark;
    if (!isReadersTime) stream.destroy(silenceError(timeoutMs));
  }, timeoutMs).unref();
  // A stream asks for more after every chunk until its buffer is full, and again once the reader has made room.
  const askForMore = stream._read;
  const { socket } = stream;
  let mark = Number.NEGATIVE_INFINITY;
  stream._read = size => {
    if (isReadersTime || socket.bytesRead - mark >= MIN_PROGRESS_BYTES) {
      mark = socket.bytesRead;
      isReadersTime = false;
      timer.refresh();
    }
    askForMore.call(stream, size);
  };
  stream.once('close', () => clearTimeout(timer));
  const stop = (): void => {
    stream._read = askForMore;
    clearTimeout(timer);
  };
  return { timeoutMs, stop };
}

interface SilenceClock {
  readonly timeoutMs: number;
  /** For a reader that has a clock of its own. */
  stop(): void;
}

class Answer implements HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
  readonly stream: IncomingMessage;
  readonly isFromPrivate: boolean;
  readonly isPublicOnly: boolean;
  readonly #request: AnsweredRequest;
  readonly #clock: SilenceClock;

  constructor(stream: IncomingMessage, request: AnsweredRequest, clock: SilenceClock) {
    this.stream = stream;
    this.isFromPrivate = isPrivateHost(new URL(request.url).hostname) || isPrivateServer(stream, request.url);
    this.isPublicOnly = request.isPublicOnly === true;
    this.status = stream.statusCode ?? 0;
    this.headers = stream.headers;
    this.url = request.url;
    this.#request = request;
    this.#clock = clock;
    // An error before anyone reads must not end the process; a reader still gets it.
    stream.on('error', () => undefined);
  }

  async bytes(maxBytes: number = DEFAULT_MAX_BYTES): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let length = 0;
    const timers = new Timers();
    const deadlineMs = this.#clock.timeoutMs * DEADLINE_FACTOR + maxBytes / MIN_DOCUMENT_BYTES_PER_MS;
    timers.start(deadlineMs, () => this.stream.destroy(tooSlow(deadlineMs)));
    timers.start(WAITING_MS, () => this.#request.onWaiting?.());
    try {
      for await (const chunk of this.stream) {
        length += chunk.length;
        if (length > maxBytes) throw tooLarge(this.#request, maxBytes);
        chunks.push(chunk);
      }
    } catch (error) {
      throw networkError(error, this.#request);
    } finally {
      timers.stop();
    }
    const [only, second] = chunks;
    const bytes = only !== undefined && second === undefined ? only : Buffer.concat(chunks, length);
    return decoded(bytes, { headers: this.headers, maxBytes, request: this.#request });
  }

  chunks(buffers?: BufferPool): AsyncIterable<Uint8Array> {
    if (buffers === undefined || !isWorthTakingOver(this.stream)) return this.stream;
    this.#clock.stop();
    return readBody(this.stream, buffers, this.#clock.timeoutMs);
  }

  discard(): void {
    // The Content-Length of an answer to HEAD is that of a body which does not come.
    const hasAll = this.stream.complete || this.#request.method === 'HEAD';
    const length = Number(this.headers['content-length'] ?? Number.NaN);
    if (hasAll || length <= CHEAP_REST_BYTES) this.stream.resume();
    else this.stream.destroy();
  }
}

/**
 * The document that is in `bytes`. We ask for none that is encoded, but some servers and proxies compress whatever is
 * text; others say so of what they have unpacked, so the bytes themselves decide.
 */
function decoded(
  bytes: Buffer,
  answer: {
    readonly headers: IncomingHttpHeaders;
    readonly maxBytes: number;
    readonly request: AnsweredRequest;
  },
): Buffer {
  const { headers, maxBytes, request } = answer;
  const isGzip =
    /^(x-)?gzip$/i.test(headers['content-encoding'] ?? '') && bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!isGzip) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    const isTooLarge = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    if (isTooLarge) throw tooLarge(request, maxBytes);
    throw networkError(cause, request);
  }
}

function tooLarge({ purpose }: AnsweredRequest, maxBytes: number): WeighbridgeError {
  return new WeighbridgeError(`${purpose}: the answer is longer than ${maxBytes} bytes`, {
    code: 'HTTP_TOO_LARGE',
  });
}

/** Whether the connection itself shows that the server is in a private network. Behind a proxy it shows the proxy. */
function isPrivateServer({ socket }: IncomingMessage, url: string): boolean {
  const { remoteAddress, remotePort } = socket;
  const { port, protocol } = new URL(url);
  const isDirect = remotePort === Number(port || (protocol === 'https:' ? 443 : 80));
  return isDirect && remoteAddress !== undefined && isPrivateHost(remoteAddress);
}
