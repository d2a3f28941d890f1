import type { IncomingMessage } from 'node:http';
import http from 'node:http';
import { startServer } from '../../src/testkit/server/embedded-server.ts';
import type { Exchange, LogEntry } from '../../src/testkit/server/exchange.ts';
import { Faults } from '../../src/testkit/server/faults.ts';

/** A server of its own kind behind which another one stands, unharmed, while this one does what its faults say. */
export interface FaultProxy {
  readonly host: string;
  readonly faults: Faults;
  readonly log: LogEntry[];
  close(): Promise<void>;
}

/** Stands before `upstream` (`localhost:5000`), which sees the proxy's own address as the one it was asked by. */
export async function startFaultProxy(upstream: string): Promise<FaultProxy> {
  const faults = new Faults();
  const log: LogEntry[] = [];
  const agent = new http.Agent({ keepAlive: true });
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    origin: 'registry',
    faults,
    log,
    handle: exchange => forward(exchange, upstream, agent),
  });
  return {
    host: server.url.replace('http://', ''),
    faults,
    log,
    async close() {
      agent.destroy();
      await server.close();
    },
  };
}

async function forward(exchange: Exchange, upstream: string, agent: http.Agent): Promise<void> {
  const { method, headers } = exchange.request;
  const outgoing = http.request(`http://${upstream}${exchange.url.pathname}${exchange.url.search}`, {
    method,
    headers,
    agent,
  });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
  });
  answer.catch(() => undefined);
  try {
    for await (const chunk of exchange.body()) outgoing.write(chunk);
  } catch (error) {
    // As the real server sees it: the client is gone in the middle of a request.
    outgoing.destroy();
    throw error;
  }
  outgoing.end();
  const response = await answer;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const { 'transfer-encoding': _, connection: __, ...rest } = response.headers;
  const flat = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)]));
  await exchange.send(response.statusCode ?? 502, flat, Buffer.concat(chunks));
}
