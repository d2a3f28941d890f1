import type { HttpClient } from '../../src/http/client.ts';
import type { HttpRequest, HttpResponse } from '../../src/http/types.ts';

/** What a server says, as far as it matters here. */
export interface Said {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

/** A client whose server answers what `reply` says, without a network. */
export function clientOf(reply: (request: HttpRequest) => Said): HttpClient {
  const request = async (asked: HttpRequest): Promise<HttpResponse> => responseOf(asked.url, reply(asked));
  const client = {
    retry: { attempts: 1, patienceMs: 0, baseMs: 1, maxMs: 1, maxServerWaitMs: 0 },
    idleTimeoutMs: 1000,
    mayLeadInside: false,
    request,
    async requestBytes(asked: HttpRequest, maxBytes?: number) {
      const response = await request(asked);
      const bytes = response.status === 200 ? await response.bytes(maxBytes) : undefined;
      return { response, bytes };
    },
    waitToRetry: async () => undefined,
  };
  return client as unknown as HttpClient;
}

/** An answer of a server, without a network. */
export function responseOf(url: string, { status = 200, headers = {}, body = '' }: Said): HttpResponse {
  const bytes = Buffer.from(body);
  const response = {
    ...{ status, headers, url, isFromPrivate: false },
    bytes: async (maxBytes = Infinity) => bytes.subarray(0, maxBytes),
    async *chunks() {
      yield bytes;
    },
    discard: () => undefined,
  };
  return response as unknown as HttpResponse;
}
