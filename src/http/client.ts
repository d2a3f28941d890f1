import http, { type ClientRequest } from 'node:http';
import https from 'node:https';
import { InterruptedError, NetworkError } from '../core/errors.ts';
import type { OnEvent } from '../core/events.ts';
import { noteAuthorization } from '../core/secrets.ts';
import { type AnsweredRequest, awaitAnswer } from './answer.ts';
import { DirectHttpAgent, DirectHttpsAgent } from './direct-read/socket-buffers.ts';
import { isPrivateHost, publicLookup } from './hosts.ts';
import { isTransient } from './network-error.ts';
import {
  type ChosenProxy,
  checkProxyEnv,
  loginOf,
  type ProxyAddress,
  proxiesOf,
  proxyChoice,
  withProxySchemes,
} from './proxy-env.ts';
import { TunnelAgent } from './proxy-tunnel.ts';
import { redactUrl } from './redact.ts';
import {
  backoffMs,
  DEFAULT_RETRY,
  isRetryableStatus,
  pause,
  Retries,
  type RetryPolicy,
  serverWaitMs,
} from './retry.ts';
import type { SystemAuthorities } from './system-authorities.ts';
import { type TlsSettings, Trust } from './trust.ts';
import type { HttpRequest, HttpResponse, RetryNotice } from './types.ts';
import { UploadRequest } from './upload-request.ts';

/** What a client is made of. Everything has a default. */
export interface HttpClientOptions {
  readonly userAgent?: string;
  readonly retry?: Partial<RetryPolicy>;
  /** No byte for this long ends a request; time in which nothing is asked of the server does not count. */
  readonly idleTimeoutMs?: number;
  readonly onEvent?: OnEvent;
  /**
   * Environment with `HTTPS_PROXY` and its kin; loopback addresses never go through a proxy. `SSL_CERT_FILE` and
   * `SSL_CERT_DIR` name authorities in place of the system's store. `WEIGHBRIDGE_DIRECT_READ=0` has bodies read by Node's
   * own streams; with `WEIGHBRIDGE_LOG_REQUESTS=1` each request is an event.
   */
  readonly env?: NodeJS.ProcessEnv;
}

const COMMON = { keepAlive: true, maxSockets: 64, scheduling: 'lifo' as const };
const MAX_REDIRECTS = 10;
const SECRET_HEADERS = ['authorization', 'cookie', 'proxy-authorization'];

/** One HTTP client for the Hub and for registries: keep-alive, retries with backoff, redirects that lose secrets. */
export class HttpClient {
  /** For what is retried outside of `request`: a body that breaks off. */
  readonly retry: RetryPolicy;
  /** How long the other side may stay silent where a request does not say otherwise. */
  readonly idleTimeoutMs: number;
  readonly #userAgent: string;
  readonly #onEvent: OnEvent | undefined;
  readonly #direct: Agents;
  /** For what a public server has named: a connection to a name that was looked up without care is not among these. */
  readonly #guarded: Agents;
  readonly #proxied = new Map<ChosenProxy, Agents>();
  /** For a network in which public names have private addresses. */
  readonly mayLeadInside: boolean;
  readonly #proxies: readonly ProxyAddress[];
  readonly #proxyFor: (url: URL) => ChosenProxy | undefined;
  readonly #tellsOfRequests: boolean;
  readonly #trust: Trust;

  constructor(options: HttpClientOptions = {}) {
    this.#userAgent = options.userAgent ?? 'weighbridge';
    this.retry = { ...DEFAULT_RETRY, ...options.retry };
    this.idleTimeoutMs = options.idleTimeoutMs ?? 60_000;
    this.#onEvent = options.onEvent;
    const proxyEnv = withProxySchemes(options.env ?? process.env);
    this.mayLeadInside = proxyEnv.WEIGHBRIDGE_PRIVATE_ADDRESSES === '1';
    this.#proxies = proxiesOf(proxyEnv);
    checkProxyEnv(proxyEnv);
    this.#proxyFor = proxyChoice(proxyEnv);
    this.#tellsOfRequests = proxyEnv.WEIGHBRIDGE_LOG_REQUESTS === '1';
    this.#trust = new Trust(proxyEnv);
    const isDirectRead = proxyEnv.WEIGHBRIDGE_DIRECT_READ !== '0';
    const [Http, Https] = isDirectRead ? [DirectHttpAgent, DirectHttpsAgent] : [http.Agent, https.Agent];
    const agents = (own: http.AgentOptions): Agents =>
      new Agents(
        new Http({ ...COMMON, ...own }),
        this.#trust,
        more => new Https({ ...COMMON, ...own, ...more }),
      );
    this.#direct = agents({});
    this.#guarded = agents({ lookup: publicLookup });
  }

  /**
   * Sends, follows redirects, retries what may be retried. Any final status is an answer, not an error. Throws
   * NetworkError, InterruptedError.
   */
  async request(request: HttpRequest): Promise<HttpResponse> {
    const retries = new Retries(this.retry);
    for (;;) {
      let reason: string;
      let waitMs: number | undefined;
      let status: number | undefined;
      try {
        const response = await this.#follow(request);
        if (request.isRetryable === false || !isRetryableStatus(response.status)) return response;
        if (!retries.again()) return response;
        waitMs = serverWaitMs(response.headers);
        if (waitMs !== undefined && waitMs > this.retry.maxServerWaitMs) return response;
        response.discard();
        status = response.status;
        reason = `status ${status}`;
      } catch (error) {
        if (request.isRetryable === false || !isTransient(error) || request.signal?.aborted) throw error;
        if (!retries.again(error)) throw error;
        reason = (error as NetworkError).message;
      }
      await this.waitToRetry({ ...request, attempt: retries.failed, reason, status, serverWaitMs: waitMs });
    }
  }

  /**
   * As `request`, and the body of an answer of status 200 with it: one that breaks off is asked for again. Throws the
   * same, and WeighbridgeError HTTP_TOO_LARGE.
   */
  async requestBytes(
    request: HttpRequest,
    maxBytes?: number,
  ): Promise<{ readonly response: HttpResponse; readonly bytes: Buffer | undefined }> {
    const retries = new Retries(this.retry);
    for (;;) {
      const response = await this.request(request);
      if (response.status !== 200) return { response, bytes: undefined };
      try {
        return { response, bytes: await response.bytes(maxBytes) };
      } catch (error) {
        if (!isTransient(error) || request.signal?.aborted || !retries.again(error)) throw error;
        const reason = (error as NetworkError).message;
        await this.waitToRetry({ ...request, attempt: retries.failed, reason });
      }
    }
  }

  /** Tells that something will be tried again, and waits before it. */
  async waitToRetry(retry: RetryNotice): Promise<void> {
    // Jitter on top of what the server asked for, so that those it turned away together do not come back together.
    const delayMs = (retry.serverWaitMs ?? 0) + backoffMs(retry.attempt, this.retry);
    const { purpose: what, attempt, status } = retry;
    // An error's message begins with what was being done, which the event says already.
    const reason = retry.reason.replace(`${what}: `, '');
    this.#onEvent?.({
      type: 'retry',
      what,
      attempt,
      delayMs,
      reason,
      ...(status === undefined ? {} : { status }),
    });
    await pause(delayMs, retry.signal);
  }

  /**
   * Starts a request whose body is written piece by piece (see `UploadRequest`). It is sent once: no retries, no
   * redirects. `sizeBytes` undefined sends chunked transfer encoding.
   */
  upload(request: Omit<HttpRequest, 'body'> & { readonly sizeBytes?: number }): UploadRequest {
    const headers: Record<string, string> = { ...request.headers };
    if (request.sizeBytes !== undefined) headers['content-length'] = String(request.sizeBytes);
    else headers['transfer-encoding'] = 'chunked';
    const outgoing = this.#start(request, request.url, headers);
    const onWaiting = () => this.#waiting(request.purpose, request.url);
    const onAnswer = this.#tellOf(request.method, request.url);
    const asked = { ...request, proxies: this.#proxies, trust: this.#trust, onWaiting, onAnswer };
    return new UploadRequest(outgoing, asked, request.idleTimeoutMs ?? this.idleTimeoutMs);
  }

  /** The authorities of the system that are trusted besides Node's own. */
  get systemAuthorities(): SystemAuthorities {
    return this.#trust.system;
  }

  /** Has connections that this process makes without this client trust the same authorities. */
  trustInProcess(): void {
    this.#trust.addToProcess();
  }

  /** Closes idle connections. */
  close(): void {
    for (const agents of [this.#direct, this.#guarded, ...this.#proxied.values()]) agents.destroy();
  }

  async #follow(request: HttpRequest): Promise<HttpResponse> {
    let { url, isPublicOnly = false, identity } = request;
    let headers: Record<string, string> = { ...request.headers };
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const response = await this.#once({ ...request, isPublicOnly, identity }, url, headers);
      const location = response.headers.location;
      const isRedirect = [301, 302, 303, 307, 308].includes(response.status) && location !== undefined;
      const mayFollow =
        request.followRedirects !== false && (request.method === 'GET' || request.method === 'HEAD');
      if (!isRedirect || !mayFollow) return response;
      response.discard();
      const next = parseUrl(location, url, request.purpose);
      const previous = new URL(url);
      if (previous.protocol === 'https:' && next.protocol === 'http:') {
        throw new NetworkError(
          `${request.purpose}: refused a redirect from HTTPS to HTTP (${redactUrl(next)})`,
          {
            code: 'NETWORK',
          },
        );
      }
      // A public server must not send us to an address that only we can reach.
      if (next.origin !== previous.origin) isPublicOnly ||= !response.isFromPrivate;
      // A token belongs to the origin it was made for, as a certificate does; a CDN or a stranger never sees it.
      if (next.origin !== previous.origin) {
        headers = withoutLogins(headers);
        identity = undefined;
      }
      url = next.href;
    }
    throw new NetworkError(`${request.purpose}: more than ${MAX_REDIRECTS} redirects`, { code: 'NETWORK' });
  }

  #once(request: HttpRequest, url: string, headers: Record<string, string>): Promise<HttpResponse> {
    const body = typeof request.body === 'string' ? Buffer.from(request.body) : request.body;
    const withLength = { ...headers };
    if (body !== undefined) withLength['content-length'] = String(body.length);
    else if (request.method !== 'GET' && request.method !== 'HEAD') withLength['content-length'] = '0';
    const outgoing = this.#start(request, url, withLength);
    const asked = {
      ...request,
      url,
      proxies: this.#proxies,
      trust: this.#trust,
      onWaiting: () => this.#waiting(request.purpose, url),
      onAnswer: this.#tellOf(request.method, url),
    };
    const answer = awaitAnswer(outgoing, asked, request.idleTimeoutMs ?? this.idleTimeoutMs);
    outgoing.end(body);
    return answer;
  }

  #start(request: Omit<HttpRequest, 'body'>, url: string, headers: Record<string, string>): ClientRequest {
    const { method, signal } = request;
    if (signal?.aborted) throw new InterruptedError();
    const parsed = parseUrl(url, undefined, request.purpose);
    if (request.isPublicOnly && !this.mayLeadInside && isPrivateHost(parsed.hostname)) {
      throw new NetworkError(
        `${request.purpose}: a public server points to the private address ${redactUrl(parsed)}, which is refused`,
        { code: 'NETWORK', subject: parsed.host },
      );
    }
    const proxy = this.#proxyFor(parsed);
    const isGuarded = request.isPublicOnly && !this.mayLeadInside;
    // A proxy looks the names up itself, and may well have a private address.
    const agents = proxy !== undefined ? this.#through(proxy) : isGuarded ? this.#guarded : this.#direct;
    // For plain HTTP, Node's agent connects to the proxy, with the authorities of the process.
    if (proxy?.isHttps && parsed.protocol === 'http:') this.#trust.addToProcess();
    if (headers.authorization !== undefined) noteAuthorization(headers.authorization);
    const options = {
      method,
      headers: { 'user-agent': this.#userAgent, 'accept-encoding': 'identity', ...headers },
      timeout: request.idleTimeoutMs ?? this.idleTimeoutMs,
      ...(signal === undefined ? {} : { signal }),
    };
    return parsed.protocol === 'https:'
      ? https.request(parsed, { ...options, agent: agents.secure(request) })
      : http.request(parsed, { ...options, agent: agents.http });
  }

  #through(proxy: ChosenProxy): Agents {
    let agents = this.#proxied.get(proxy);
    if (agents === undefined) {
      const login = loginOf(proxy.url);
      if (login !== undefined) noteAuthorization(login);
      const secureContext = proxy.isHttps ? this.#trust.context({}) : undefined;
      const plain = new http.Agent({ ...COMMON, proxyEnv: { http_proxy: proxy.url.href } });
      agents = new Agents(
        plain,
        this.#trust,
        more => new TunnelAgent({ ...proxy, secureContext }, { ...COMMON, ...more }),
      );
      this.#proxied.set(proxy, agents);
    }
    return agents;
  }

  /** Starts the clock of a request; what it returns tells how it ended. Undefined if that is not wanted. */
  #tellOf(method: string, url: string): AnsweredRequest['onAnswer'] {
    if (!this.#tellsOfRequests) return undefined;
    const startMs = performance.now();
    return answer => {
      const durationMs = Math.round(performance.now() - startMs);
      this.#onEvent?.({ type: 'request', method, url: redactUrl(url), durationMs, ...answer });
    };
  }

  #waiting(purpose: string, url: string): void {
    const text = `still waiting for ${new URL(url).host}: ${purpose}`;
    this.#onEvent?.({ type: 'warning', text });
  }
}

/** The connections that are made in one way. */
class Agents {
  readonly http: http.Agent;
  readonly #trust: Trust;
  readonly #make: (options: https.AgentOptions) => https.Agent;
  /** By authorities, then by identity. */
  readonly #secure = new Map<string | undefined, Map<string, https.Agent>>();

  constructor(plain: http.Agent, trust: Trust, makeSecure: (options: https.AgentOptions) => https.Agent) {
    this.http = plain;
    this.#trust = trust;
    this.#make = makeSecure;
  }

  /** An agent of its own for all settings, so that what an authority vouches for is believed there alone. */
  secure({ ca, identity }: TlsSettings): https.Agent {
    // Authorities may be long: a text made of them for each request would cost more than the rest of it.
    const agents = this.#secure.get(ca) ?? new Map<string, https.Agent>();
    this.#secure.set(ca, agents);
    const name = identity?.name ?? '';
    let agent = agents.get(name);
    if (agent === undefined) {
      const secureContext = this.#trust.context({ ca, identity });
      agent = this.#make(secureContext === undefined ? {} : { secureContext });
      agents.set(name, agent);
    }
    return agent;
  }

  destroy(): void {
    this.http.destroy();
    for (const agents of this.#secure.values()) for (const agent of agents.values()) agent.destroy();
  }
}

function parseUrl(url: string, base: string | undefined, purpose: string): URL {
  let parsed: URL;
  try {
    parsed = new URL(url, base);
  } catch (cause) {
    throw new NetworkError(`${purpose}: not a URL: ${redactUrl(url)}`, { code: 'NETWORK', cause });
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    throw new NetworkError(`${purpose}: expected an HTTP address, got ${parsed.protocol}`, {
      code: 'NETWORK',
    });
  }
  return parsed;
}

function withoutLogins(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !SECRET_HEADERS.includes(name.toLowerCase())),
  );
}
