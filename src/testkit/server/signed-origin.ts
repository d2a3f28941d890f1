import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Content } from './content.ts';
import { type RunningServer, type ServerTls, startServer } from './embedded-server.ts';
import { type Exchange, type LogEntry, Refusal } from './exchange.ts';
import type { Faults } from './faults.ts';

/** How signed links are made and checked. */
export interface SignedOriginOptions {
  readonly host: string;
  readonly tls?: ServerTls | undefined;
  readonly log: LogEntry[];
  readonly faults: Faults;
  /** How long a link is good for. */
  readonly ttlMs: number;
  readonly find: (path: string) => Content | undefined;
  /** Whether its links are signed for GET alone. */
  readonly quirks?: { readonly noHeadAtLinks?: boolean };
}

/** The "CDN" that files and blobs are really fetched from: a second origin behind signed links that expire. */
export class SignedOrigin {
  readonly #options: SignedOriginOptions;
  readonly #key = randomBytes(16);
  #server: RunningServer | undefined;
  /** Requests that carried an `Authorization` header here, where no token has any business. */
  leakedTokens = 0;

  constructor(options: SignedOriginOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { host, tls, log, faults } = this.#options;
    this.#server = await startServer({
      host,
      port: 0,
      tls,
      origin: 'cdn',
      log,
      faults,
      handle: exchange => this.#handle(exchange),
    });
  }

  get url(): string {
    return this.#server?.url ?? '';
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  /** A link to `path` that tells the file's name, as the real ones do. `isExpired` makes one that is no longer good. */
  link(path: string, fileName: string, isExpired = false): string {
    const url = new URL(path, this.url);
    const name = encodeURIComponent(fileName);
    url.searchParams.set(
      'response-content-disposition',
      `inline; filename*=UTF-8''${name}; filename="${fileName}";`,
    );
    const expires = Date.now() + (isExpired ? -1000 : this.#options.ttlMs);
    url.searchParams.set('Expires', String(expires));
    url.searchParams.set('X-Signature', this.#sign(url));
    return url.href;
  }

  async #handle(exchange: Exchange): Promise<void> {
    const { url, method } = exchange;
    if (exchange.header('authorization') !== undefined) {
      this.leakedTokens += 1;
      throw xmlError(400, 'InvalidArgument', 'Only one auth mechanism allowed');
    }
    if (method !== 'GET' && method !== 'HEAD') throw xmlError(405, 'MethodNotAllowed', method);
    if (method === 'HEAD' && this.#options.quirks?.noHeadAtLinks)
      throw xmlError(403, 'SignatureDoesNotMatch', 'The signature is that of a GET');
    const unsigned = new URL(url.pathname + url.search, this.url);
    unsigned.searchParams.delete('X-Signature');
    if (url.searchParams.get('X-Signature') !== this.#sign(unsigned)) {
      throw xmlError(403, 'SignatureDoesNotMatch', 'The signature is not the one that was calculated');
    }
    if (Number(url.searchParams.get('Expires')) < Date.now()) {
      throw xmlError(403, 'AccessDenied', 'Request has expired');
    }
    const content = this.#options.find(decodeURIComponent(url.pathname));
    if (content === undefined) throw xmlError(404, 'NoSuchKey', 'The specified key does not exist');
    await exchange.sendContent(content, {
      'content-type': 'application/octet-stream',
      'content-disposition': url.searchParams.get('response-content-disposition') ?? undefined,
      // The CDN's own name for the object, which is not a hash of the content that a client could know.
      etag: `"${createHash('sha256').update(url.pathname).digest('hex')}"`,
    });
  }

  #sign(url: URL): string {
    const query = new URLSearchParams(url.searchParams);
    query.sort();
    return createHmac('sha256', this.#key).update(`${url.pathname}?${query}`).digest('hex');
  }
}

function xmlError(status: number, code: string, message: string): Refusal {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return new Refusal(status, { 'content-type': 'application/xml' }, body);
}
