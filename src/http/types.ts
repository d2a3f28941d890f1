import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { BufferPool } from '../core/buffer-pool.ts';
import type { ClientIdentity } from './trust.ts';

/** A request as callers make it. */
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
  /** Certificates (PEM) to trust besides the usual ones. */
  readonly ca?: string | undefined;
  /** Shown to the server of `url` if it asks for it, and not to those that it redirects to. */
  readonly identity?: ClientIdentity | undefined;
  /** The address comes from a public server: where it is, or leads to, a private address, it is refused. */
  readonly isPublicOnly?: boolean;
}

/** An answer whose body has not been read yet; read it, or `discard` it, so that the connection is free again. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Where the answer came from, after redirects. */
  readonly url: string;
  readonly stream: IncomingMessage;
  /** Whether the server is in a private network, as far as that can be seen: behind a proxy, only its name can. */
  readonly isFromPrivate: boolean;
  /** Whether a public server has led here: as `HttpRequest.isPublicOnly`. */
  readonly isPublicOnly: boolean;
  /** The whole body; throws if it is longer than `maxBytes` (default 16 MiB). */
  bytes(maxBytes?: number): Promise<Buffer>;
  /** The body as it comes, in the buffers of `buffers` where one is given. */
  chunks(buffers?: BufferPool): AsyncIterable<Uint8Array>;
  discard(): void;
}

/** What is told before something is tried again. */
export interface RetryNotice {
  readonly purpose: string;
  /** How many tries there have been. */
  readonly attempt: number;
  readonly reason: string;
  /** What the server answered, where it did. */
  readonly status?: number | undefined;
  readonly serverWaitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
