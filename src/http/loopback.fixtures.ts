import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface LoopbackServer {
  /** `http://127.0.0.1:<port>`, no trailing slash. */
  readonly url: string;
  readonly server: Server;
  /** What came, in order. */
  readonly requests: IncomingMessage[];
  /** Connections that were opened. */
  readonly connections: number;
}

/** A server on this machine that lives as long as the test. */
export async function serve(t: TestContext, listener: RequestListener): Promise<LoopbackServer> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    requests.push(request);
    listener(request, response);
  });
  const { port, connections } = await listen(t, server, '127.0.0.1');
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    requests,
    get connections() {
      return connections();
    },
  };
}

/** Has a server listen for as long as the test lives. Returns its port, and what counts connections that were opened. */
export async function listen(
  t: TestContext,
  server: Server,
  host: string,
): Promise<{ readonly port: number; readonly connections: () => number }> {
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>(resolve => server.listen(0, host, resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { port, connections: () => connections };
}
