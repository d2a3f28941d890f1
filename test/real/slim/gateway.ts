import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { selfSigned } from '../../../src/testkit/authority.ts';

export interface Gateway {
  readonly url: string;
  /** Of a `tls` gateway, whose own authority it is. */
  readonly cert: string;
  readonly requests: number;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Stands between containers and a Hub. A `proxy` takes whole URLs, and knows `hub.invalid` as the Hub; `tls` is the
 * Hub over HTTPS, with a certificate that nobody trusts unless told to.
 */
export async function startGateway(hubUrl: string, kind: 'proxy' | 'tls' = 'proxy'): Promise<Gateway> {
  const { key, cert } = selfSigned();
  let requests = 0;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    requests += 1;
    pass(request, response, hubUrl);
  };
  const server = kind === 'tls' ? https.createServer({ key, cert }, listener) : http.createServer(listener);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>(resolve => server.listen(0, 'localhost', resolve));
  const scheme = kind === 'tls' ? 'https' : 'http';
  return {
    url: `${scheme}://localhost:${(server.address() as AddressInfo).port}`,
    cert,
    get requests() {
      return requests;
    },
    [Symbol.asyncDispose]: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function pass(request: IncomingMessage, response: ServerResponse, hubUrl: string): void {
  const url = new URL(request.url ?? '/', hubUrl);
  const target = url.hostname === 'hub.invalid' ? new URL(url.pathname + url.search, hubUrl) : url;
  const { host: _, 'proxy-connection': __, ...headers } = request.headers;
  const options = { method: request.method, headers: { ...headers, host: target.host } };
  const onward = http.request(target, options, answer => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  request.pipe(onward);
}
