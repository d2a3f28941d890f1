import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { InterruptedError, NetworkError, WeighbridgeError } from '../core/errors.ts';
import type { OnEvent } from '../core/events.ts';
import { redactUrl } from './redact.ts';
import {
  backoffMs,
  DEFAULT_RETRY,
  isRetryableStatus,
  pause,
  type RetryPolicy,
  serverWaitMs,
} from './retry.ts';

export interface HttpClientOptions {
  readonly userAgent?: string;
  readonly retry?: Partial<RetryPolicy>;
  /** No byte for this long ends a request. */
  readonly idleTimeoutMs?: number;
  readonly onEvent?: OnEvent;
  /** Environment with `HTTPS_PROXY` and its kin; loopback addresses never go through a proxy. */
  readonly env?: NodeJS.ProcessEnv;
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** What is being done, for people: "asking the Hub about acme/x". */
  readonly purpose: string;
  readonly signal?: AbortSignal | undefined;
  /** False for what must not be sent twice. Default true. */
  readonly isRetryable?: boolean;
  /** False gives the redirect itself back. Default true (GET and HEAD only). */
  readonly followRedirects?: boolean;
  /** Where this request may stay silent for longer (or shorter) than the client's own `idleTimeoutMs`. */
  readonly idleTimeoutMs?: number;
}

/** An answer whose body has not been read yet; read it, or `discard` it, so that the connection is free again. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Where the answer came from, after redirects. */
  readonly url: string;
  readonly stream: IncomingMessage;
  /** The whole body; throws where it is longer than `maxBytes` (default 16 MiB). */
  bytes(maxBytes?: number): Promise<Buffer>;
  discard(): void;
}

const MAX_REDIRECTS = 10;
const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;
const SECRET_HEADERS = ['authorization', 'cookie', 'proxy-authorization'];

/** One HTTP client for the Hub and for registries: keep-alive, retries with backoff, redirects that lose secrets. */
export class HttpClient {
  readonly #userAgent: string;
  readonly #retry: RetryPolicy;
  readonly #idleTimeoutMs: number;
  readonly #onEvent: OnEvent | undefined;
  readonly #agents: { direct: Agents; proxied: Agents };

  constructor(options: HttpClientOptions = {}) {
    this.#userAgent = options.userAgent ?? 'weighbridge';
    this.#retry = { ...DEFAULT_RETRY, ...options.retry };
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 60_000;
    this.#onEvent = options.onEvent;
    const common = { keepAlive: true, maxSockets: 64, scheduling: 'lifo' as const };
    const proxyEnv = options.env ?? process.env;
    this.#agents = {
      direct: { http: new http.Agent(common), https: new https.Agent(common) },
      proxied: {
        http: new http.Agent({ ...common, proxyEnv }),
        https: new https.Agent({ ...common, proxyEnv }),
      },
    };
  }

  /** Sends, follows redirects, retries what may be retried. Any final status is an answer, not an error. */
  async request(request: HttpRequest): Promise<HttpResponse> {
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt >= this.#retry.attempts || request.isRetryable === false;
      let reason: string;
      let wait: number | undefined;
      try {
        const response = await this.#follow(request);
        if (isLast || !isRetryableStatus(response.status)) return response;
        wait = serverWaitMs(response.headers);
        if (wait !== undefined && wait > this.#retry.maxServerWaitMs) return response;
        response.discard();
        reason = `status ${response.status}`;
      } catch (error) {
        if (isLast || !(error instanceof NetworkError) || request.signal?.aborted) throw error;
        reason = error.message;
      }
      // Jitter on top of what the server asked for, so that those it turned away together do not come back together.
      const delayMs = (wait ?? 0) + backoffMs(attempt, this.#retry);
      this.#onEvent?.({ type: 'retry', what: request.purpose, attempt, delayMs, reason });
      await pause(delayMs, request.signal);
    }
  }

  /**
   * Starts a request whose body is written piece by piece (see `UploadRequest`). It is sent once: no retries, no
   * redirects. `sizeBytes` undefined sends chunked transfer encoding.
   */
  upload(request: Omit<HttpRequest, 'body'> & { readonly sizeBytes?: number }): UploadRequest {
    const headers: Record<string, string> = { ...request.headers };
    if (request.sizeBytes !== undefined) headers['content-length'] = String(request.sizeBytes);
    else headers['transfer-encoding'] = 'chunked';
    const outgoing = this.#start(request.url, request.method, headers, request.signal);
    return new UploadRequest(outgoing, request, this.#idleTimeoutMs);
  }

  /** Closes idle connections. */
  close(): void {
    for (const agents of Object.values(this.#agents)) {
      agents.http.destroy();
      agents.https.destroy();
    }
  }

  async #follow(request: HttpRequest): Promise<HttpResponse> {
    let url = request.url;
    let headers: Record<string, string> = { ...request.headers };
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const response = await this.#once(request, url, headers);
      const location = response.headers.location;
      const isRedirect = [301, 302, 303, 307, 308].includes(response.status) && location !== undefined;
      const mayFollow =
        request.followRedirects !== false && (request.method === 'GET' || request.method === 'HEAD');
      if (!isRedirect || !mayFollow) return response;
      response.discard();
      const next = parseUrl(location, url, request.purpose);
      const previous = new URL(url);
      if (previous.protocol === 'https:' && next.protocol === 'http:') {
        throw new NetworkError(
          `${request.purpose}: refused a redirect from HTTPS to HTTP (${redactUrl(next)})`,
          {
            code: 'NETWORK',
          },
        );
      }
      // A token belongs to the origin it was made for; a CDN or a stranger never sees it.
      if (next.origin !== previous.origin) headers = withoutSecrets(headers);
      url = next.href;
    }
    throw new NetworkError(`${request.purpose}: more than ${MAX_REDIRECTS} redirects`, { code: 'NETWORK' });
  }

  #once(request: HttpRequest, url: string, headers: Record<string, string>): Promise<HttpResponse> {
    const body = typeof request.body === 'string' ? Buffer.from(request.body) : request.body;
    const withLength = { ...headers };
    if (body !== undefined) withLength['content-length'] = String(body.length);
    else if (request.method !== 'GET' && request.method !== 'HEAD') withLength['content-length'] = '0';
    const outgoing = this.#start(url, request.method, withLength, request.signal);
    const answer = awaitAnswer(outgoing, { ...request, url }, request.idleTimeoutMs ?? this.#idleTimeoutMs);
    outgoing.end(body);
    return answer;
  }

  #start(
    url: string,
    method: string,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): ClientRequest {
    if (signal?.aborted) throw new InterruptedError();
    const parsed = parseUrl(url, undefined, method);
    const agents = isLoopbackHost(parsed.hostname) ? this.#agents.direct : this.#agents.proxied;
    const options = {
      method,
      headers: { 'user-agent': this.#userAgent, 'accept-encoding': 'identity', ...headers },
      ...(signal === undefined ? {} : { signal }),
    };
    return parsed.protocol === 'https:'
      ? https.request(parsed, { ...options, agent: agents.https })
      : http.request(parsed, { ...options, agent: agents.http });
  }
}

interface Agents {
  readonly http: http.Agent;
  readonly https: https.Agent;
}

/** The body of a request under way: written by the caller at the pace at which the other side takes it. */
export class UploadRequest {
  readonly #outgoing: ClientRequest;
  readonly #answer: Promise<HttpResponse>;
  #failure: Error | undefined;
  #answered = false;

  constructor(outgoing: ClientRequest, request: Omit<HttpRequest, 'body'>, idleTimeoutMs: number) {
    this.#outgoing = outgoing;
    this.#answer = awaitAnswer(outgoing, request, idleTimeoutMs);
    this.#answer.then(
      () => {
        this.#answered = true;
        outgoing.emit('drain');
      },
      error => {
        this.#failure = error;
        outgoing.emit('drain');
      },
    );
  }

  /** Whether the server answered before it had the whole body, which is how it refuses one. */
  get isAnswered(): boolean {
    return this.#answered;
  }

  /**
   * Hands bytes over; they must not change afterwards. Gives a promise only when the caller should wait, and
   * throws (or rejects) once the connection is gone.
   */
  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#answered) return undefined;
    if (this.#outgoing.write(chunk)) return undefined;
    return new Promise((resolve, reject) => {
      this.#outgoing.once('drain', () => (this.#failure === undefined ? resolve() : reject(this.#failure)));
    });
  }

  /** Ends the body and gives the answer. */
  end(): Promise<HttpResponse> {
    if (!this.#answered && this.#failure === undefined) this.#outgoing.end();
    return this.#answer;
  }

  destroy(): void {
    this.#outgoing.destroy();
  }
}

function awaitAnswer(
  outgoing: ClientRequest,
  request: Pick<HttpRequest, 'url' | 'purpose' | 'signal'>,
  idleTimeoutMs: number,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    outgoing.setTimeout(idleTimeoutMs);
    outgoing.on('timeout', () => {
      // Silence counts only where it is the other side's turn: not while we have nothing to send, or do not read.
      const isOurTurn =
        answer === undefined
          ? !outgoing.writableEnded && outgoing.writableLength === 0
          : answer.readableLength > 0;
      if (isOurTurn) {
        outgoing.setTimeout(idleTimeoutMs);
        return;
      }
      const error = new Error(`nothing moved for ${idleTimeoutMs / 1000} s`);
      outgoing.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
    });
    outgoing.on('error', error => reject(networkError(error, request)));
    outgoing.on('response', stream => {
      answer = stream;
      resolve(new Answer(stream, request));
    });
    outgoing.on('close', () => reject(networkError(new Error('the connection was closed'), request)));
  });
}

class Answer implements HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
  readonly stream: IncomingMessage;
  readonly #request: Pick<HttpRequest, 'url' | 'purpose' | 'signal'>;

  constructor(stream: IncomingMessage, request: Pick<HttpRequest, 'url' | 'purpose' | 'signal'>) {
    this.stream = stream;
    this.status = stream.statusCode ?? 0;
    this.headers = stream.headers;
    this.url = request.url;
    this.#request = request;
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
            {
              code: 'HTTP_TOO_LARGE',
            },
          );
        }
        chunks.push(chunk);
      }
    } catch (error) {
      throw error instanceof WeighbridgeError ? error : networkError(error, this.#request);
    }
    return Buffer.concat(chunks, length);
  }

  discard(): void {
    // A short rest is cheaper to read than a new connection; a long one is cut.
    const length = Number(this.headers['content-length'] ?? Number.NaN);
    if (length <= 64 * 1024) this.stream.resume();
    else this.stream.destroy();
  }
}

/** `error` as a NetworkError that says what was being done and where, or as InterruptedError after an abort. */
export function networkError(
  error: unknown,
  request: Pick<HttpRequest, 'url' | 'purpose' | 'signal'>,
): WeighbridgeError {
  if (error instanceof WeighbridgeError) return error;
  if (request.signal?.aborted) return new InterruptedError();
  const { code, message } = error as { code?: string; message?: string };
  const host = new URL(request.url).host;
  return new NetworkError(`${request.purpose}: ${explain(code, host) ?? message ?? String(error)}`, {
    code: 'NETWORK',
    subject: host,
    cause: error,
  });
}

function explain(code: string | undefined, host: string): string | undefined {
  switch (code) {
    case 'ECONNREFUSED':
      return `${host} refused the connection`;
    case 'ENOTFOUND':
      return `there is no host ${host}`;
    case 'EAI_AGAIN':
      return `the name ${host} could not be looked up`;
    case 'ECONNRESET':
    case 'EPIPE':
      return `${host} closed the connection`;
    case 'ETIMEDOUT':
      return `${host} did not answer in time`;
    case 'CERT_HAS_EXPIRED':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return `the certificate of ${host} is not trusted (${code}); NODE_EXTRA_CA_CERTS names further authorities`;
    default:
      return undefined;
  }
}

function parseUrl(url: string, base: string | undefined, purpose: string): URL {
  let parsed: URL;
  try {
    parsed = new URL(url, base);
  } catch (cause) {
    throw new NetworkError(`${purpose}: not a URL: ${redactUrl(url)}`, { code: 'NETWORK', cause });
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    throw new NetworkError(`${purpose}: expected an HTTP address, got ${parsed.protocol}`, {
      code: 'NETWORK',
    });
  }
  return parsed;
}

function withoutSecrets(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !SECRET_HEADERS.includes(name.toLowerCase())),
  );
}

/** `localhost`, `127.0.0.0/8` and `[::1]`: spoken to over HTTP, never through a proxy. */
export function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    /^127(\.\d{1,3}){3}$/.test(hostname) ||
    hostname === '[::1]' ||
    hostname === '::1'
  );
}
