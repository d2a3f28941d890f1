import type { ClientRequest } from 'node:http';
import { awaitAnswer } from './answer.ts';
import type { HttpRequest, HttpResponse } from './types.ts';

/** Bytes that may wait for the socket before the writer does. */
const WINDOW_BYTES = 1024 * 1024;

/** The body of a request under way: written by the caller at the pace at which the other side takes it. */
export class UploadRequest {
  readonly #outgoing: ClientRequest;
  readonly #answer: Promise<HttpResponse>;
  readonly #idleTimeoutMs: number;
  #failure: Error | undefined;
  #answered = false;
  #waitingBytes = 0;
  readonly #writers: { resolve(): void; reject(error: Error): void }[] = [];

  constructor(outgoing: ClientRequest, request: Omit<HttpRequest, 'body'>, idleTimeoutMs: number) {
    this.#outgoing = outgoing;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#answer = awaitAnswer(outgoing, request, idleTimeoutMs);
    this.#answer.then(
      response => {
        this.#answered = true;
        // A request that was refused halfway is never finished, and a server that refuses need not have read it all:
        // its connection is of no use to anyone else.
        if (!outgoing.writableFinished) response.stream.once('end', () => outgoing.destroy());
        else if (response.status >= 400) outgoing.shouldKeepAlive = false;
        this.#settle();
      },
      error => {
        this.#failure = error;
        this.#settle();
      },
    );
  }

  /** Whether the server answered before it had the whole body, which is how it refuses one. */
  get isAnswered(): boolean {
    return this.#answered;
  }

  /**
   * Hands bytes over; they must not change until `onTaken` is called, when the system has its copy of them (it never
   * is where the connection breaks before). Returns a promise only when the caller should wait, and throws (or rejects)
   * once the connection is gone.
   */
  write(chunk: Uint8Array, onTaken?: () => void): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#answered) return undefined;
    this.#waitingBytes += chunk.length;
    this.#outgoing.write(chunk, error => {
      if (error) return;
      this.#waitingBytes -= chunk.length;
      if (this.#waitingBytes <= WINDOW_BYTES / 2) this.#settle();
      onTaken?.();
    });
    if (this.#waitingBytes <= WINDOW_BYTES) return undefined;
    return new Promise((resolve, reject) => {
      this.#writers.push({ resolve, reject });
    });
  }

  /** Ends the body and gives the answer. */
  end(): Promise<HttpResponse> {
    if (!this.#answered && this.#failure === undefined) {
      this.#outgoing.end();
      // Its clock may have run out while the writer paused, and what does not send anything does not wind it up again.
      this.#outgoing.setTimeout(this.#idleTimeoutMs);
    }
    return this.#answer;
  }

  destroy(): void {
    this.#outgoing.destroy();
  }

  #settle(): void {
    for (const writer of this.#writers.splice(0)) {
      if (this.#failure === undefined) writer.resolve();
      else writer.reject(this.#failure);
    }
  }
}
