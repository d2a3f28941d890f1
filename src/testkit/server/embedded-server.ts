import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { KeyPair } from '../authority.ts';
import { Exchange, type LogEntry, Refusal } from './exchange.ts';
import type { Faults } from './faults.ts';
import { ConnectionGone } from './pace.ts';

/** How a server is spoken to over TLS. */
export interface ServerTls extends KeyPair {
  /** Certificates in PEM form: only clients with a certificate of these authorities are served. */
  readonly clientCa?: string;
}

/** Where an embedded server listens. */
export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** HTTPS in place of HTTP. */
  readonly tls?: ServerTls | undefined;
  /** The server's name in the log and for faults. */
  readonly origin: string;
  readonly log: LogEntry[];
  readonly faults: Faults;
  readonly handle: (exchange: Exchange) => Promise<void>;
}

/** A server that listens. */
export interface RunningServer {
  /** `http://127.0.0.1:49152`, no trailing slash. */
  readonly url: string;
  /** Cuts what is under way. */
  close(): Promise<void>;
}

/** Starts an HTTP server on this machine that counts every request and can be told to misbehave. Returns it. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { tls } = options;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    void answer(options, request, response);
  };
  const server =
    tls === undefined ? http.createServer(listener) : https.createServer(optionsOf(tls), listener);
  // A weight file takes longer than the five minutes that Node gives a request.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 65_000;
  // Node's own list forgets a connection whose request was answered before it was read, until that times out.
  const sockets = new Set<Socket>();
  server.on('connection', socket => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { address, port, family } = server.address() as AddressInfo;
  return {
    url: `${schemeOf(options)}://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function optionsOf({ key, cert, clientCa }: ServerTls): https.ServerOptions {
  // Each client is asked for a certificate, so that one that shows its own to a stranger is seen.
  const common = { key, cert, requestCert: true };
  return clientCa === undefined ? { ...common, rejectUnauthorized: false } : { ...common, ca: clientCa };
}

function schemeOf({ tls }: Pick<ServerOptions, 'tls'>): string {
  return tls === undefined ? 'http' : 'https';
}

async function answer(
  options: ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  const exchange = open(options, request, response);
  if (exchange === undefined) {
    response.writeHead(400).end();
    return;
  }
  try {
    const { fault } = exchange;
    await exchange.breakEarly();
    if (fault?.kind === 'status') {
      await exchange.send(fault.status ?? 500, fault.headers ?? {}, fault.body ?? '');
    } else {
      await options.handle(exchange);
    }
  } catch (error) {
    await failed(exchange, response, error);
  }
  // What is left of a body that no one wanted would block the connection for those who come after.
  request.resume();
}

function open(
  options: ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Exchange | undefined {
  const url = URL.parse(`${schemeOf(options)}://${request.headers.host ?? 'localhost'}${request.url ?? '/'}`);
  if (url === null) return undefined;
  const { origin, faults, log } = options;
  const method = request.method ?? 'GET';
  const entry: LogEntry = {
    origin,
    method,
    path: url.pathname,
    query: url.search,
    range: request.headers.range,
    hasAuthorization: request.headers.authorization !== undefined,
    client: clientOf(request.socket),
    status: 0,
    bytes: 0,
    receivedBytes: 0,
  };
  log.push(entry);
  const { range } = entry;
  const fault = faults.take({
    origin,
    method,
    path: decoded(url.pathname),
    query: decoded(url.search),
    range,
  });
  return new Exchange(request, response, url, entry, fault);
}

/** The name in the certificate that a client has shown. */
function clientOf(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const name = socket.getPeerCertificate().subject?.CN;
  return Array.isArray(name) ? name[0] : name;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function failed(exchange: Exchange, response: ServerResponse, error: unknown): Promise<void> {
  try {
    if (error instanceof Refusal && !exchange.isAnswered) {
      await exchange.send(error.status, error.headers, error.body);
    } else if (error instanceof ConnectionGone || exchange.isAnswered) {
      response.destroy();
    } else {
      // A defect of the testkit has to be seen in the test that met it.
      await exchange.send(500, {}, `testkit: ${error instanceof Error ? error.stack : String(error)}`);
    }
  } catch {
    response.destroy();
  }
}
