import http, { type ClientRequest } from 'node:http';
import https from 'node:https';
import { isIP, isIPv6 } from 'node:net';
import type { SecureContext } from 'node:tls';
import { silenceError, tooSlow } from './network-error.ts';
import { type ChosenProxy, loginOf } from './proxy-env.ts';

/** A proxy, and whom a connection to it believes. */
export interface TrustedProxy extends ChosenProxy {
  /** Undefined for Node's default. */
  readonly secureContext: SecureContext | undefined;
}

type Connect = https.Agent['createConnection'];

/** A proxy's answer is a head, and may take this many times the time in which a server may be silent. */
const DEADLINE_FACTOR = 5;

/**
 * HTTPS through a proxy. Node's own agent reads the proxy's answer without a bound, tells of an abort when that has come,
 * and listens twice as often with each piece of it: one in twenty pieces is a loop in which no signal gets through.
 */
export class TunnelAgent extends https.Agent {
  readonly #proxy: TrustedProxy;
  readonly #asked = new Set<ClientRequest>();

  constructor(proxy: TrustedProxy, options: https.AgentOptions) {
    super(options);
    this.#proxy = proxy;
  }

  override createConnection(...[options, callback]: Parameters<Connect>): ReturnType<Connect> {
    const { port, timeout = 0, signal } = options;
    const host = options.host ?? '';
    const target = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
    const { url, secureContext } = this.#proxy;
    const login = loginOf(url);
    const proxyHost = url.hostname.replace(/^\[|\]$/g, '');
    const asked = (url.protocol === 'https:' ? https : http).request({
      method: 'CONNECT',
      host: proxyHost,
      port: this.#proxy.port,
      // Else it would be taken from the header `host`.
      servername: isIP(proxyHost) === 0 ? proxyHost : '',
      path: target,
      headers: { host: target, ...(login && { 'proxy-authorization': login }) },
      agent: false,
      ...(secureContext && { secureContext }),
      timeout,
      ...(signal && { signal }),
    });
    this.#asked.add(asked);
    const deadlineMs = timeout * DEADLINE_FACTOR;
    const timer =
      deadlineMs > 0 ? setTimeout(() => asked.destroy(tooSlow(deadlineMs)), deadlineMs) : undefined;
    asked.once('timeout', () => asked.destroy(silenceError(timeout)));
    const isOver = (): void => {
      clearTimeout(timer);
      this.#asked.delete(asked);
    };
    asked.once('close', isOver);
    // Its socket is not looked at where there is an error.
    const fail = (error: Error): void =>
      callback?.(Object.assign(error, { proxy: this.#proxy }), undefined as never);
    asked.once('error', fail);
    asked.once('connect', ({ statusCode = 0 }, socket) => {
      isOver();
      socket.setTimeout(0);
      if (statusCode >= 200 && statusCode < 300) {
        callback?.(null, super.createConnection({ ...options, socket } as typeof options) as never);
        return;
      }
      socket.destroy();
      fail(refusal(this.#proxy, target, statusCode));
    });
    asked.end();
    return undefined;
  }

  override destroy(): void {
    for (const asked of this.#asked) asked.destroy();
    super.destroy();
  }
}

/** Nothing of the proxy's words is in it: they may repeat the login. */
function refusal({ hostname, port, variable }: ChosenProxy, target: string, status: number): Error {
  const why = status === 407 ? `: it wants a login, as http://user:password@${hostname}:${port}` : '';
  return Object.assign(
    new Error(
      `the proxy ${hostname}:${port} (${variable}) opens no connection to ${target} (status ${status}${why})`,
    ),
    // What it refuses it goes on refusing; a gateway that is not up may come up.
    { code: status >= 500 ? 'EPROXY' : 'EPROXYREFUSED' },
  );
}
