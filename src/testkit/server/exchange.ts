import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { parseRange } from './byte-range.ts';
import { bytesContent, type Content } from './content.ts';
import type { FaultRule } from './faults.ts';
import { breakOff, ConnectionGone, isBreak, type Pace, paced } from './pace.ts';

/** One request, as the server counted it. It is there from the request's start and filled in as it goes on. */
export interface LogEntry {
  readonly origin: string;
  readonly method: string;
  /** Without the query, as it came (percent-encoded). */
  readonly path: string;
  /** With the `?`, as it came. */
  readonly query: string;
  readonly range: string | undefined;
  readonly hasAuthorization: boolean;
  /** The name in the certificate that the client has shown. */
  readonly client: string | undefined;
  /** 0 until an answer has begun. */
  status: number;
  /** Of the answer's body, as handed to the connection. */
  bytes: number;
  /** Of the request's body. */
  receivedBytes: number;
}

/** The headers of an answer, by name. */
export type Headers = Readonly<Record<string, string | number | undefined>>;

/** An answer that a handler gives by throwing it. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;

  constructor(status: number, headers: Headers, body: string) {
    super(body);
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

const BODY_METHODS = new Set(['POST', 'PATCH', 'PUT']);

/** One request and its answer, counted and, where a fault says so, spoilt. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly method: string;
  readonly url: URL;
  readonly fault: FaultRule | undefined;
  readonly log: LogEntry;
  readonly #response: ServerResponse;
  #isCompressed = false;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    log: LogEntry,
    fault?: FaultRule,
  ) {
    this.request = request;
    this.#response = response;
    this.method = request.method ?? 'GET';
    this.url = url;
    this.log = log;
    this.fault = fault;
  }

  /** A header of the request, by a name in any case; several of one name are joined by commas. */
  header(name: string): string | undefined {
    const value = this.request.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  get isAnswered(): boolean {
    return this.#response.headersSent;
  }

  /** Headers for whatever the answer will be. */
  always(headers: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(headers)) this.#response.setHeader(name, value);
  }

  /** Has whatever is sent as a document come as gzip, also to who did not ask for it. */
  compress(): void {
    this.#isCompressed = true;
  }

  /** The request's body. Throws ConnectionGone if the client goes away in the middle. */
  async *body(): AsyncIterable<Buffer> {
    const pace = this.#sendsBody ? this.#pace() : undefined;
    try {
      // One who answers in the middle of a body still needs the connection.
      const chunks = this.request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
      for await (const chunk of paced(chunks, pace)) {
        this.log.receivedBytes += chunk.length;
        yield chunk;
      }
    } catch (cause) {
      throw cause instanceof ConnectionGone ? cause : new ConnectionGone('the client went away', { cause });
    }
  }

  /** The request's whole body. Throws a Refusal of status 413 if it is larger, ConnectionGone. */
  async bytes(maxBytes: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of this.body()) {
      length += chunk.length;
      if (length > maxBytes) throw new Refusal(413, {}, `more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  async send(status: number, headers: Headers, body: string | Uint8Array = ''): Promise<void> {
    const edited = typeof body === 'string' && this.#edits?.editBody ? this.#edits.editBody(body) : body;
    const isPacked = this.#isCompressed && edited.length > 0;
    const packed = isPacked ? gzipSync(edited) : edited;
    const encoding = isPacked ? { 'content-encoding': 'gzip' } : {};
    await this.#write(status, { ...headers, ...encoding }, bytesContent(packed), 0);
  }

  async sendJson(status: number, value: unknown, headers: Headers = {}): Promise<void> {
    await this.send(
      status,
      { 'content-type': 'application/json; charset=utf-8', ...headers },
      JSON.stringify(value),
    );
  }

  /** Content in whole or, where a range is asked for, in part. */
  async sendContent(content: Content, headers: Headers): Promise<void> {
    const { sizeBytes } = content;
    const range = this.method === 'GET' ? parseRange(this.header('range'), sizeBytes) : undefined;
    if (range === 'unsatisfiable') {
      await this.#write(416, { ...headers, 'content-range': `bytes */${sizeBytes}` }, bytesContent(''), 0);
      return;
    }
    const all = { 'accept-ranges': 'bytes', ...headers };
    if (range === undefined) {
      await this.#write(200, all, content, 0);
      return;
    }
    const contentRange = `bytes ${range.start}-${range.end - 1}/${sizeBytes}`;
    await this.#write(206, { ...all, 'content-range': contentRange }, content, range.start, range.end);
  }

  /** Where the connection is to end before anything was done. */
  async breakEarly(): Promise<void> {
    const pace = this.#pace();
    if (pace !== undefined && this.#sendsBody && isBreak(pace.fault) && !pace.fault.afterBytes) {
      await breakOff(pace);
    }
  }

  async #write(status: number, headers: Headers, content: Content, start: number, end = content.sizeBytes) {
    if (this.fault?.kind === 'lose-answer') this.#lose();
    if (this.fault?.kind === 'slow' && this.fault.delayMs !== undefined) await sleep(this.fault.delayMs);
    if (this.fault?.kind === 'hold') await this.fault.until;
    const lengthBytes = end - start;
    const lie =
      this.fault?.kind === 'wrong-length'
        ? (this.fault.afterBytes ?? Math.max(0, lengthBytes - 1))
        : undefined;
    const sentBytes = lie === undefined ? lengthBytes : Math.min(lie, lengthBytes);
    const isBare = status === 204 || status === 304;
    this.#writeHead(status, { 'content-length': isBare ? undefined : (lie ?? lengthBytes), ...headers });
    if (this.method === 'HEAD' || isBare) {
      this.#response.end();
      return;
    }
    const pace = this.#sendsBody ? undefined : this.#pace();
    for await (const chunk of paced(content.read(start, start + sentBytes), pace)) {
      if (this.#response.destroyed) throw new ConnectionGone('the client went away');
      this.log.bytes += chunk.length;
      if (!this.#response.write(chunk)) await this.#drained();
    }
    this.#response.end();
  }

  #writeHead(status: number, headers: Headers): void {
    this.log.status = status;
    for (const [name, value] of Object.entries({ ...headers, ...this.#edits?.headers })) {
      if (value !== undefined) this.#response.setHeader(name, value);
    }
    this.#response.writeHead(status);
  }

  get #edits(): FaultRule | undefined {
    return this.fault?.kind === 'edit' ? this.fault : undefined;
  }

  #pace(): Pace | undefined {
    const { socket } = this.request;
    // An answer's head would otherwise wait for its first bytes; a request's answer has none yet.
    const flush = () => (this.#sendsBody ? undefined : this.#response.flushHeaders());
    return this.fault && { fault: this.fault, socket, flush };
  }

  get #sendsBody(): boolean {
    return BODY_METHODS.has(this.method);
  }

  #lose(): never {
    this.request.socket.resetAndDestroy();
    throw new ConnectionGone('fault: lose-answer');
  }

  async #drained(): Promise<void> {
    await new Promise<void>(resolve => {
      const done = () => {
        this.#response.off('drain', done);
        this.#response.off('close', done);
        resolve();
      };
      this.#response.on('drain', done);
      this.#response.on('close', done);
    });
  }
}
