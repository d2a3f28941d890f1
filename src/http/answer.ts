import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { BufferPool } from '../core/buffer-pool.ts';
import { WeighbridgeError } from '../core/errors.ts';
import { isWorthTakingOver, readBody } from './direct-read/body-reader.ts';
import { connectionClosed, networkError, silenceError } from './network-error.ts';
import type { HttpRequest, HttpResponse } from './types.ts';

type AnsweredRequest = Pick<HttpRequest, 'url' | 'purpose' | 'signal' | 'method'>;

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;
/** A rest up to this size is cheaper to read than a new connection. */
const CHEAP_REST_BYTES = 64 * 1024;

/** The answer's head. `outgoing` was made with `timeout: idleTimeoutMs`, so that connecting is timed as well. */
export function awaitAnswer(
  outgoing: ClientRequest,
  request: AnsweredRequest,
  idleTimeoutMs: number,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    let isAnswered = false;
    const onTimeout = (): void => {
      // The answer's body has a clock of its own. Before, silence is the server's fault only where something is
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
    outgoing.on('error', error => reject(networkError(error, request)));
    outgoing.on('response', stream => {
      isAnswered = true;
      resolve(new Answer(stream, request, endWhenSilent(stream, idleTimeoutMs)));
    });
    outgoing.on('close', () => reject(networkError(connectionClosed(), request)));
  });
}

/**
 * Breaks `stream` off when nothing came for `timeoutMs` although more was asked for. A reader that takes its time asks
 * for nothing, so it may pause for hours; the socket's own timeout cannot tell the two apart.
 */
function endWhenSilent(stream: IncomingMessage, timeoutMs: number): SilenceClock {
  const timer = setTimeout(() => {
    const isReadersTurn = stream.complete || stream.readableLength >= stream.readableHighWaterMark;
    if (!isReadersTurn) stream.destroy(silenceError(timeoutMs));
  }, timeoutMs).unref();
  // A stream asks for more after every chunk until its buffer is full, and again once the reader has made room.
  const askForMore = stream._read;
  stream._read = size => {
    timer.refresh();
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
  readonly #request: AnsweredRequest;
  readonly #clock: SilenceClock;

  constructor(stream: IncomingMessage, request: AnsweredRequest, clock: SilenceClock) {
    this.stream = stream;
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
    try {
      for await (const chunk of this.stream) {
        length += chunk.length;
        if (length > maxBytes) {
          throw new WeighbridgeError(
            `${this.#request.purpose}: the answer is longer than ${maxBytes} bytes`,
            { code: 'HTTP_TOO_LARGE' },
          );
        }
        chunks.push(chunk);
      }
    } catch (error) {
      throw networkError(error, this.#request);
    }
    return Buffer.concat(chunks, length);
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
