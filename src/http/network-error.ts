import { InterruptedError, NetworkError, WeighbridgeError } from '../core/errors.ts';
import type { ProxyAddress } from './proxy-env.ts';
import type { Trust } from './trust.ts';
import type { HttpRequest } from './types.ts';

/** Returns `error` as a NetworkError that says what was being done and where, or as InterruptedError after an abort. */
export function networkError(
  error: unknown,
  request: Pick<HttpRequest, 'url' | 'purpose' | 'signal'> & FailedConnection,
): WeighbridgeError {
  if (error instanceof WeighbridgeError) return error;
  if (request.signal?.aborted) return new InterruptedError();
  const { code, message } = error as { code?: string; message?: string };
  const proxy = proxyOf(error, request.proxies ?? []);
  const host = proxy ?? new URL(request.url).host;
  const details = { code: 'NETWORK', subject: host, cause: error } as const;
  if (code !== undefined && UNKNOWN_AUTHORITY.has(code)) {
    const troubles = request.trust?.system.troubles ?? [];
    return new NetworkError(
      `${request.purpose}: ${[untrusted(code, host, request), ...troubles].join('; ')}`,
      {
        ...details,
        remedy: TRUST_REMEDY,
      },
    );
  }
  // An AggregateError (every address of a host failed) has a code and no message.
  return new NetworkError(
    `${request.purpose}: ${protocolFault(error, host) ?? explain(code, host) ?? (message || code || String(error))}`,
    details,
  );
}

/** What is known of how a connection was made. */
export interface FailedConnection {
  readonly proxies?: readonly ProxyAddress[];
  readonly trust?: Pick<Trust, 'system'>;
}

/** What to do about a certificate of an authority that is not known. */
const TRUST_REMEDY =
  "Install the certificate of its authority in the system's store (as `update-ca-certificates` does), or name its file in NODE_EXTRA_CA_CERTS.";

/** For plain HTTP Node does not say that the certificate was a proxy's. */
function untrusted(
  code: string,
  host: string,
  { url, proxies = [] }: Pick<HttpRequest, 'url'> & FailedConnection,
): string {
  const isPlain = new URL(url).protocol === 'http:';
  const proxy = proxies.find(
    ({ isHttps, variable }) => isPlain && isHttps && variable.toLowerCase() === 'http_proxy',
  );
  const orProxy = proxy && ` or that of the proxy ${proxy.hostname}:${proxy.port} (${proxy.variable})`;
  return `the certificate of ${host}${orProxy ?? ''} is not trusted (${code})`;
}

/** The proxy, in words, that could not be reached; undefined if it was something else. */
function proxyOf(error: unknown, proxies: readonly ProxyAddress[]): string | undefined {
  // A host with several addresses has one error for each.
  const [first = error] = error instanceof AggregateError ? error.errors : [];
  const { port, hostname, syscall } = first as NodeJS.ErrnoException & { port?: number; hostname?: string };
  // One of its tunnel is marked with it.
  const { proxy: own } = error as { proxy?: ProxyAddress };
  const found =
    own ??
    proxies.find(proxy =>
      syscall === 'connect' ? proxy.port === port : hostname !== undefined && proxy.hostname === hostname,
    );
  return found && `the proxy ${found.hostname}:${found.port} (${found.variable})`;
}

/** Whether trying again may help: not where an address was refused or a certificate is not trusted. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof NetworkError)) return false;
  const { code } = (error.cause ?? {}) as { code?: unknown };
  return typeof code === 'string' && !isFinal(code);
}

function isFinal(code: string): boolean {
  return (
    UNKNOWN_AUTHORITY.has(code) ||
    FINAL_CODES.has(code) ||
    CLIENT_REFUSED.test(code) ||
    HANDSHAKE_FAILED.test(code)
  );
}

/** Whether the server is one of an authority that is not known. */
export function isUntrusted({ cause }: NetworkError): boolean {
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code === 'string' && UNKNOWN_AUTHORITY.has(code);
}

/** Whether the server wants another certificate of the client than it was shown, or one at all. */
export function isClientRefused({ cause }: NetworkError): boolean {
  return isRefusal(cause);
}

/** Returns the error of a connection on which nothing came for `timeoutMs`. */
export function silenceError(timeoutMs: number): Error {
  return Object.assign(new Error(`nothing came for ${timeoutMs / 1000} s`), { code: 'ETIMEDOUT' });
}

/** Returns the error of an answer that comes, but too slowly to be waited for; trying again would not help. */
export function tooSlow(timeoutMs: number): Error {
  return Object.assign(new Error(`the answer was not complete after ${timeoutMs / 1000} s`), {
    code: 'ETOOSLOW',
  });
}

/** Returns the error of a connection that was closed before its answer was complete. */
export function connectionClosed(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
}

const UNKNOWN_AUTHORITY: ReadonlySet<string> = new Set([
  'CERT_REJECTED',
  // One of the same name is known: an older one of the company, for example.
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'INVALID_CA',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** What a server says of the certificate that it was shown, or was not; as `PLAIN_HTTP`. */
const CLIENT_REFUSED =
  /alert[_ ](?:unknown[_ ]ca|bad[_ ]certificate|unsupported[_ ]certificate|certificate[_ ](?:required|expired|revoked|unknown))/i;

function isRefusal(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const text = String(code === 'EPROTO' ? message : code);
  return CLIENT_REFUSED.test(text);
}

/**
 * What a server says if versions and ciphers have nothing in common. In TLS 1.2 it is also all that OpenSSL says if it was
 * shown no certificate, and Node tells nothing of how far the two had come.
 */
const HANDSHAKE_FAILED = /alert[_ ]handshake[_ ]failure/i;

/** Whether the server ended the handshake without a reason: it may want a certificate of the client. */
export function isHandshakeFailure({ cause }: NetworkError): boolean {
  return isVague(cause);
}

function isVague(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return HANDSHAKE_FAILED.test(String(code === 'EPROTO' ? message : code));
}

/** What OpenSSL says when the other side does not speak TLS, by code or (`EPROTO`) in words. */
const PLAIN_HTTP =
  /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|SSL_HTTP_REQUEST|wrong version number|packet length too long/;

function isNotTls(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const text = String(code === 'EPROTO' ? message : code);
  return PLAIN_HTTP.test(text);
}

const FINAL_CODES: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ETOOSLOW',
  'EPRIVATE',
  'EPROXYREFUSED',
  'EPROTO',
  'ERR_INVALID_URL',
  'ERR_INVALID_CHAR',
  'ERR_UNESCAPED_CHARACTERS',
]);

function protocolFault(error: unknown, host: string): string | undefined {
  if (isNotTls(error)) return `${host} answers in plain HTTP, not HTTPS`;
  if (isRefusal(error)) return `${host} does not accept the certificate of this client, or requires one`;
  if (isVague(error))
    return `no TLS could be agreed on with ${host}, or it requires a certificate of this client`;
  if (isTls(error)) return `${host} answers in HTTPS, not plain HTTP`;
  const { code, reason } = (error ?? {}) as { code?: unknown; reason?: unknown };
  if (String(code).startsWith('HPE_')) return `the answer of ${host} is not valid HTTP (${String(reason)})`;
  return String(code).startsWith('Z_') ? `the compressed answer of ${host} is broken` : undefined;
}

/** The parser of HTTP has found a record of TLS: an alert (21) or a handshake (22) of version 3.x. */
function isTls(error: unknown): boolean {
  const { code, rawPacket } = (error ?? {}) as { code?: unknown; rawPacket?: unknown };
  if (typeof code !== 'string' || !code.startsWith('HPE_') || !Buffer.isBuffer(rawPacket)) return false;
  return (rawPacket[0] === 0x15 || rawPacket[0] === 0x16) && rawPacket[1] === 0x03;
}

/** Whether the other side was asked for plain HTTP and answered in TLS. */
export function isTlsAnswer({ cause }: NetworkError): boolean {
  return isTls(cause);
}

/** Whether the other side was asked for TLS and answered in plain HTTP. */
export function isPlainHttpAnswer({ cause }: NetworkError): boolean {
  return isNotTls(cause);
}

/** Whether what came was not HTTP, or not in order. */
export function isNotHttp({ cause }: NetworkError): boolean {
  return String((cause as { code?: unknown } | undefined)?.code).startsWith('HPE_');
}

function explain(code: string | undefined, host: string): string | undefined {
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    const when = code === 'CERT_HAS_EXPIRED' ? 'has expired' : 'is not valid yet';
    return `the certificate of ${host} ${when} by the clock of this machine (${new Date().toISOString()})`;
  }
  // Another authority would not help: the server is known, by other names.
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `the certificate of ${host} is for other names (${code})`;
  switch (code) {
    case 'ECONNREFUSED':
      return `${host} refused the connection`;
    case 'ENOTFOUND':
      return `the host ${host} was not found`;
    case 'EAI_AGAIN':
      return `the name ${host} could not be looked up`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `there is no route to ${host}`;
    case 'ECONNRESET':
    case 'EPIPE':
      return `${host} closed the connection`;
    case 'ETIMEDOUT':
      return `${host} did not answer in time`;
    case 'EPROTO':
      return `no TLS could be agreed on with ${host}`;
    case 'EPRIVATE':
      return `a public server points to ${host}, which has a private address; that is refused`;
    default:
      return undefined;
  }
}
