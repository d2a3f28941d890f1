import type { ClientRequest } from 'node:http';
import { awaitAnswer } from './answer.ts';
import type { HttpRequest, HttpResponse } from './client.ts';

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
      response => {
        this.#answered = true;
        // Where a body was refused, the server may not have read it to its end: nobody else can use that connection.
        if (!outgoing.writableEnded || response.status >= 400)
          response.stream.once('end', () => outgoing.destroy());
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
