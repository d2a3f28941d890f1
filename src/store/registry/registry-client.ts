import { NetworkError, RegistryError, WeighbridgeError } from '../../core/errors.ts';
import { isRecord, parseJson } from '../../core/json-shape.ts';
import { plainLine } from '../../core/safe-text.ts';
import { hideSecrets } from '../../core/secrets.ts';
import type { HttpClient } from '../../http/client.ts';
import { isLoopbackHost, isPrivateHost } from '../../http/hosts.ts';
import {
  isClientRefused,
  isHandshakeFailure,
  isNotHttp,
  isPlainHttpAnswer,
  isTlsAnswer,
  isUntrusted,
} from '../../http/network-error.ts';
import { redactUrl } from '../../http/redact.ts';
import { type RetryPolicy, serverWaitMs } from '../../http/retry.ts';
import type { TlsSettings } from '../../http/trust.ts';
import type { HttpRequest, HttpResponse, RetryNotice } from '../../http/types.ts';
import type { UploadRequest } from '../../http/upload-request.ts';
import { apiHost } from '../../oci/reference.ts';
import { parseChallenges } from '../auth/auth-challenge.ts';
import { type Challenged, type LoginManner, RegistryAuth } from '../auth/registry-auth.ts';
import type { Credential } from '../auth/types.ts';
import { ownAddress } from '../own-address.ts';
import { loginRemedy, PROXY_REMEDY, SERVER_FAULT_REMEDY } from '../remedies.ts';
import type { HostCertificates } from './host-certificates.ts';
import { knownRegistry } from './known-registries.ts';
import { RegistryCapabilities } from './upload/registry-capabilities.ts';

/** How a registry is spoken to where that is not as usual: HTTPS, and HTTP on this machine. */
export interface ConnectionSettings {
  readonly isPlainHttp?: boolean;
  /** Certificates (PEM) to trust besides the usual ones. */
  readonly ca?: string;
}

/** What a client of a registry is made of. */
export interface RegistryClientOptions {
  readonly http: HttpClient;
  /** As in references: `docker.io`, `ghcr.io`, `localhost:5000`. */
  readonly registry: string;
  /** As of `RegistryAuthOptions`. */
  readonly credential: (refused?: Credential) => Promise<Credential | undefined>;
  readonly connection?: ConnectionSettings | undefined;
  /** Reads what this machine has for connections to the registry; asked for each that is over TLS. */
  readonly certificates?: (() => HostCertificates | undefined) | undefined;
  /** What has been learnt of the registry so far, for all clients of it. */
  readonly capabilities?: RegistryCapabilities;
  readonly manner?: LoginManner;
  /** Why a login may not have been found. */
  readonly trouble?: (() => string | undefined) | undefined;
}

/** A request to a registry; its address is relative to it. */
export interface RegistryRequest extends Omit<HttpRequest, 'url'> {
  /** A path below the registry's origin, or a whole address that the registry gave. */
  readonly url: string;
  /** What the token must allow: `repository:acme/x:pull,push`. */
  readonly scope: string;
}

/** Not the registry has refused a request, but where it has sent us. */
class RefusedElsewhere extends RegistryError {}

/** How a HEAD is refused for what it is. */
const NO_HEAD: ReadonlySet<number> = new Set([400, 405, 501]);
/** Tries with another login, or another token, than the first. */
const MAX_LOGINS = 2;

/** Talks to one registry: addresses, logins, and errors that say what the registry said. */
export class RegistryClient {
  readonly registry: string;
  readonly origin: string;
  readonly capabilities: RegistryCapabilities;
  readonly connection: ConnectionSettings | undefined;
  readonly #http: HttpClient;
  readonly #auth: RegistryAuth;
  readonly #certificates: () => HostCertificates | undefined;
  #settings: { readonly own: TlsSettings; readonly elsewhere: TlsSettings } | undefined;
  /** Whether the registry is in a private network: one in the open may not point there. */
  #isPrivate: boolean;
  /** When the registry wants to be asked again, after it has turned a request away. */
  #notBeforeMs = 0;

  constructor(options: RegistryClientOptions) {
    const host = apiHost(options.registry);
    const isLocal = isLoopbackHost(new URL(`http://${host}`).hostname);
    this.registry = options.registry;
    const isPlain = isLocal || options.connection?.isPlainHttp === true;
    this.origin = `${isPlain ? 'http' : 'https'}://${host}`;
    this.connection = options.connection;
    this.capabilities =
      options.capabilities ?? new RegistryCapabilities(knownRegistry(options.registry).capabilities);
    this.#http = options.http;
    this.#certificates = options.certificates ?? (() => undefined);
    this.#isPrivate = isPrivateHost(new URL(this.origin).hostname);
    const isPublic = (): boolean => this.#isPublic;
    const onFailure = (response: HttpResponse): void => this.#noteWait(response);
    const tls = (url: string): TlsSettings => this.#tls(url);
    this.#auth = new RegistryAuth({ ...options, origin: this.origin, isPublic, onFailure, tls });
  }

  /** Whether what the registry names may not be in a private network. */
  get #isPublic(): boolean {
    return !this.#isPrivate && !this.#http.mayLeadInside;
  }

  /** Any status but 401 and 403 is given back; those become REGISTRY_UNAUTHORIZED after a login was tried. */
  async request(request: RegistryRequest): Promise<HttpResponse> {
    const send = async (full: HttpRequest) => ({ response: await this.#http.request(full) });
    return (await this.#send(request, send)).response;
  }

  /**
   * As `request` with HEAD; undefined if a GET may be answered all the same: not every registry knows HEAD, and storage
   * that one redirects to may have signed the link for GET alone (https://github.com/moby/moby/issues/50065). Throws as `request` does.
   */
  async head(request: Omit<RegistryRequest, 'method' | 'body'>): Promise<HttpResponse | undefined> {
    try {
      const response = await this.request({ ...request, method: 'HEAD' });
      if (!NO_HEAD.has(response.status)) return response;
      response.discard();
      return undefined;
    } catch (error) {
      if (error instanceof RefusedElsewhere) return undefined;
      throw error;
    }
  }

  /** As `request`, and the whole body of an answer of status 200 with it. */
  async requestBytes(
    request: RegistryRequest,
    maxBytes?: number,
  ): Promise<{ readonly response: HttpResponse; readonly bytes: Buffer | undefined }> {
    return await this.#send(request, full => this.#http.requestBytes(full, maxBytes));
  }

  /** A request with a streamed body. The login must have been learnt by an earlier `request` of the same scope. */
  async upload(
    request: Omit<RegistryRequest, 'body'> & { readonly sizeBytes?: number },
  ): Promise<UploadRequest> {
    return await this.#guard(async () => {
      const url = this.resolve(request.url);
      const headers = { ...request.headers, ...(await this.#authorization(url, request)) };
      return this.#http.upload({ ...request, url, headers, ...this.#network(url) });
    });
  }

  /**
   * An address the registry gave, made absolute and checked: another host may be an upload service, but not a private
   * address that only we can reach. Throws RegistryError REGISTRY_BAD_ANSWER.
   */
  resolve(location: string, base: string = this.origin): string {
    let url: URL;
    try {
      url = ownAddress(new URL(location, base), this.origin);
    } catch (cause) {
      throw new RegistryError(`${this.registry} returned an invalid URL`, {
        code: 'REGISTRY_BAD_ANSWER',
        subject: this.registry,
        cause,
      });
    }
    const own = new URL(this.origin);
    const isPrivateTrap = url.host !== own.host && isPrivateHost(url.hostname) && this.#isPublic;
    const isDowngrade = own.protocol === 'https:' && url.protocol !== 'https:';
    if (isPrivateTrap || isDowngrade || !/^https?:$/.test(url.protocol)) {
      throw new RegistryError(`${this.registry} points to ${redactUrl(url)}, which is refused`, {
        code: 'REGISTRY_BAD_ANSWER',
        subject: this.registry,
        remedy: isDowngrade
          ? PROXY_REMEDY
          : 'A registry may not send a client to a private address of its network.',
      });
    }
    return url.href;
  }

  get idleTimeoutMs(): number {
    return this.#http.idleTimeoutMs;
  }

  get retry(): RetryPolicy {
    return this.#http.retry;
  }

  /** Tells that something will be tried again, and waits before it. */
  async waitToRetry(notice: RetryNotice): Promise<void> {
    await this.#http.waitToRetry(notice);
  }

  /** Waits for as long as the registry has asked for in the last answer that became a failure. */
  async waitAsAsked(purpose: string, signal: AbortSignal | undefined): Promise<void> {
    const serverWaitMs = this.#notBeforeMs - Date.now();
    if (serverWaitMs <= 0) return;
    const reason = `${this.registry} asked to wait`;
    await this.#http.waitToRetry({ purpose, attempt: 1, reason, serverWaitMs, signal });
  }

  /** The error for a status that was not expected, with the registry's own words. */
  async failure(response: HttpResponse, purpose: string): Promise<RegistryError> {
    this.#noteWait(response);
    const said = await registryWords(response);
    const { status } = response;
    const common = { subject: this.registry, status };
    const message = `${purpose}: ${answered(this.registry, status, said)}`;
    // What Go's and nginx's servers answer on a port for HTTPS.
    if (status === 400 && /\bHTTP request (?:was sent )?to (?:an )?HTTPS\b/i.test(said))
      return this.#wantsHttps(`${purpose}: ${this.registry} answers in HTTPS, not plain HTTP`);
    // What nginx answers.
    if (status === 400 && /\bNo required SSL certificate was sent|\bThe SSL certificate error\b/.test(said))
      return this.#wantsIdentity(message, { status });
    if (isFull(status, said)) return this.#full(message, status);
    if (status === 429) {
      return new RegistryError(message, {
        ...common,
        code: 'REGISTRY_RATE_LIMITED',
        remedy: 'Wait, or log in with an account that has a higher limit.',
      });
    }
    if (/\b(MANIFEST_)?BLOB_UNKNOWN\b/.test(said)) {
      return new RegistryError(message, { ...common, code: 'REGISTRY_BLOB_UNKNOWN' });
    }
    if (status === 404) return new RegistryError(message, { ...common, code: 'REGISTRY_NOT_FOUND' });
    return new RegistryError(message, {
      ...common,
      code: 'REGISTRY_BAD_ANSWER',
      ...(status >= 500 && { remedy: SERVER_FAULT_REMEDY }),
    });
  }

  #full(message: string, status: number): RegistryError {
    return new RegistryError(message, {
      code: 'REGISTRY_FULL',
      subject: this.registry,
      status,
      remedy:
        'Free space in the registry, or delete old images and collect garbage there, then run the command again.',
    });
  }

  #noteWait({ headers }: HttpResponse): void {
    const waitMs = serverWaitMs(headers) ?? 0;
    if (waitMs <= this.#http.retry.maxServerWaitMs) this.#notBeforeMs = Date.now() + waitMs;
  }

  async #send<T extends { readonly response: HttpResponse }>(
    request: RegistryRequest,
    send: (full: HttpRequest) => Promise<T>,
  ): Promise<T> {
    return await this.#guard(async () => {
      const url = this.resolve(request.url);
      for (let attempt = 1; ; attempt++) {
        const login = await this.#authorization(url, request);
        const answer = await send({
          ...request,
          url,
          headers: { ...request.headers, ...login },
          ...this.#network(url),
        });
        const { response } = answer;
        const isOwn = new URL(response.url).origin === this.origin;
        if (isOwn) this.#isPrivate ||= response.isFromPrivate;
        const isRefused = response.status === 401 || response.status === 403;
        // The server that a redirect or an upload has led to may not say where the registry's login goes.
        if (isRefused && !isOwn) throw await this.#refusedElsewhere(response, request.purpose);
        const sent = login.authorization;
        const mayHelp = isOwn && (isRefused || response.status === 404) && attempt <= MAX_LOGINS;
        if (mayHelp && (await this.#learn(response, { ...request, sent, isSecond: attempt > 1 }))) {
          response.discard();
          continue;
        }
        const isWrite = request.method !== 'GET' && request.method !== 'HEAD';
        if (isOwn && isWrite && sent === undefined && response.status < 300) this.#auth.noteOpen();
        if (!isRefused) return answer;
        throw await this.#unauthorized(response, request.purpose);
      }
    });
  }

  /** An address that a public registry gave is looked at once more when its name has been looked up. */
  #network(url: string): Pick<HttpRequest, 'isPublicOnly'> & TlsSettings {
    return { isPublicOnly: this.#isPublic && new URL(url).origin !== this.origin, ...this.#tls(url) };
  }

  /**
   * Authorities count for what the registry names too, a token service or storage, as for Docker; our certificate is
   * for the registry alone.
   */
  #tls(url: string): TlsSettings {
    const { protocol, origin } = new URL(url);
    if (protocol !== 'https:') return {};
    if (this.#settings === undefined) {
      const certificates = this.#certificates();
      const all = [this.connection?.ca, certificates?.ca].filter(text => text !== undefined);
      const ca = all.length === 0 ? undefined : all.join('\n');
      this.#settings = { own: { ca, identity: certificates?.identity }, elsewhere: { ca } };
    }
    return origin === this.origin ? this.#settings.own : this.#settings.elsewhere;
  }

  async #authorization(
    url: string,
    request: Pick<RegistryRequest, 'scope' | 'signal'>,
  ): Promise<{ authorization?: string }> {
    // The login is the registry's; an upload service elsewhere has its own signature in the address.
    if (new URL(url).origin !== this.origin) return {};
    const header = await this.#auth.header(request.scope, request.signal);
    return header === undefined ? {} : { authorization: header };
  }

  /** Whether a request that was refused, or found nothing, is worth another try with what the answer teaches. */
  async #learn(
    { status, headers }: HttpResponse,
    request: Omit<Challenged, 'wwwAuthenticate'> & Pick<RegistryRequest, 'signal'>,
  ): Promise<boolean> {
    const { scope, sent, isSecond, signal } = request;
    if (status === 401) {
      const wwwAuthenticate = headers['www-authenticate'];
      return await this.#auth.learn({ wwwAuthenticate, scope, sent, ...(isSecond && { isSecond }) });
    }
    if (sent !== undefined) return status === 403 && (await this.#auth.renewSent(sent));
    // Where some may be read by anybody, the rest is refused, or is not there, and no answer asks for a login.
    return !isSecond && (await this.#auth.learnUnasked(scope, () => this.#askForChallenge(signal)));
  }

  /** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#determining-support */
  async #askForChallenge(signal: AbortSignal | undefined): Promise<string | undefined> {
    const url = `${this.origin}/v2/`;
    const response = await this.#http.request({
      method: 'GET',
      url,
      purpose: `asking how to log in to ${this.registry}`,
      signal,
      followRedirects: false,
      ...this.#network(url),
    });
    response.discard();
    return response.status === 401 ? response.headers['www-authenticate'] : undefined;
  }

  async #refusedElsewhere(response: HttpResponse, purpose: string): Promise<RegistryError> {
    const said = await registryWords(response);
    const { host } = new URL(response.url);
    return new RefusedElsewhere(
      `${purpose}: ${host}, where ${this.registry} keeps it, refused it (status ${response.status}${said ? `, ${said}` : ''})`,
      {
        code: 'REGISTRY_BAD_ANSWER',
        subject: this.registry,
        status: response.status,
        remedy: `The login for ${this.registry} is not sent to ${host}. Try again: the address may have expired.`,
      },
    );
  }

  async #unauthorized(response: HttpResponse, purpose: string): Promise<RegistryError> {
    const { status, headers } = response;
    const said = await registryWords(response);
    // Some tell with 403 that nothing more may be stored; another login would not help.
    if (isFull(status, said))
      return this.#full(`${purpose}: ${answered(this.registry, status, said)}`, status);
    const hasLogin = await this.#auth.hasCredential();
    const schemes = status === 401 ? unknownSchemes(headers['www-authenticate']) : '';
    const why = schemes
      ? `wants a login by ${schemes}, which is not supported`
      : hasLogin
        ? 'does not allow it with the login that was found'
        : 'wants a login and none was found';
    return new RegistryError(
      `${purpose}: ${this.registry} ${why} (status ${status}${said ? `, ${said}` : ''})${hasLogin ? '' : this.#auth.troubleText}`,
      {
        code: 'REGISTRY_UNAUTHORIZED',
        subject: this.registry,
        remedy: loginRemedy(this.registry),
      },
    );
  }

  #wantsHttps(message: string, cause?: unknown): RegistryError {
    const isLocal = this.connection?.isPlainHttp !== true;
    return new RegistryError(message, {
      code: 'REGISTRY_UNREACHABLE',
      subject: this.registry,
      remedy: isLocal
        ? 'Registries on this machine are accessed over plain HTTP: use the HTTP port, or the name of the machine in the network.'
        : 'Remove `plain_http: true` from its entry under `registries:`; `ca` names the certificate of its own authority.',
      cause,
    });
  }

  /** `error` with the registry as its subject, if it is the network's. */
  explain(error: unknown): unknown {
    if (!(error instanceof NetworkError)) return error;
    // A token service or an upload service has a name of its own, and a setting of the registry is not for it.
    const host = error.subject ?? this.registry;
    const isOwn = host === new URL(this.origin).host;
    if (isOwn && isTlsAnswer(error)) return this.#wantsHttps(error.message, error);
    if (isOwn && isClientRefused(error)) return this.#wantsIdentity(error.message, { cause: error });
    const certificates = isUntrusted(error) ? this.#certificates() : undefined;
    return new RegistryError([error.message, ...(certificates?.troubles ?? [])].join('; '), {
      code: 'REGISTRY_UNREACHABLE',
      subject: this.registry,
      remedy: isUntrusted(error)
        ? this.#trustRemedy(certificates)
        : this.#connectionRemedy(error, isOwn, host),
      cause: error,
    });
  }

  #connectionRemedy(error: NetworkError, isOwn: boolean, host: string): string {
    if (isOwn && isPlainHttpAnswer(error))
      return `If plain HTTP is intended, write it under \`registries:\` as {prefix: ${this.registry}/…, plain_http: true}; otherwise use its HTTPS port.`;
    if (isOwn && isHandshakeFailure(error))
      return `If it requires a certificate of this client, put one, with its key, into ${this.#certificateFolder(this.#certificates())} as client.cert and client.key; otherwise check which versions of TLS and which ciphers it allows.`;
    if (isNotHttp(error)) return `Check what listens at ${host}, and that no proxy changes its answers.`;
    return `Check that ${isOwn ? this.registry : host} is up and reachable from here, then run the command again.`;
  }

  #trustRemedy(certificates: HostCertificates | undefined): string {
    const folder = this.#certificateFolder(certificates);
    return `Install the certificate of its authority in the system's store (as \`update-ca-certificates\` does) or as ${folder}/ca.crt, or name its file as \`ca\` of the registry in models.yaml or in NODE_EXTRA_CA_CERTS.`;
  }

  /** Where it would be looked for by every client, if there is none. */
  #certificateFolder(certificates: HostCertificates | undefined): string {
    return certificates?.folder ?? `/etc/containers/certs.d/${this.registry}`;
  }

  #wantsIdentity(
    message: string,
    details: { readonly cause?: unknown; readonly status?: number },
  ): RegistryError {
    const certificates = this.#certificates();
    const folder = this.#certificateFolder(certificates);
    return new RegistryError(message, {
      code: 'REGISTRY_UNAUTHORIZED',
      subject: this.registry,
      remedy:
        certificates?.identity === undefined
          ? `Put a certificate that it accepts, with its key, into ${folder} as client.cert and client.key.`
          : `Check that the certificate in ${folder} is still valid, and of an authority that the registry accepts.`,
      ...details,
    });
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.explain(error);
    }
  }
}

/** Returns undefined for a refusal, of what can be done in another way; throws every other error. */
export function unlessUnauthorized(error: unknown): undefined {
  if (error instanceof RegistryError && error.code === 'REGISTRY_UNAUTHORIZED') return undefined;
  throw error;
}

/** Disks that are full, and accounts or projects (Harbor, Quay, DigitalOcean, IBM) that have used what they may. */
const FULL =
  /no space left|disk (is )?full|insufficient storage|quota exceeded|quota has been exceeded|exceeded your storage quota|will exceed the configured upper limit|over quota/i;

function isFull(status: number, said: string): boolean {
  return status === 507 || FULL.test(said);
}

function answered(registry: string, status: number, said: string): string {
  return `${registry} answered ${status}${said ? ` (${said})` : ''}`;
}

/** The schemes of a challenge that asks for nothing we know; empty if it asks for something else, or for nothing. */
function unknownSchemes(wwwAuthenticate: string | undefined): string {
  const schemes = parseChallenges(wwwAuthenticate ?? '').map(({ scheme }) => scheme);
  const isKnown = schemes.includes('bearer') || schemes.includes('basic');
  return isKnown ? '' : schemes.map(scheme => plainLine(scheme, 40)).join(' or ');
}

/** The `errors` of a registry's answer in one short line; https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes */
async function registryWords(response: HttpResponse): Promise<string> {
  let text: string;
  try {
    // Before it is cut: half a token is not recognized as one.
    text = hideSecrets((await response.bytes(64 * 1024)).toString('utf8'));
  } catch (error) {
    if (error instanceof WeighbridgeError) return '';
    throw error;
  }
  try {
    const json: unknown = parseJson(text);
    const { errors } = json as { errors?: { code?: unknown; message?: unknown; detail?: unknown }[] };
    if (errors === undefined) return plainLine(otherWords(json) ?? text, 300);
    const words = errors.map(({ code, message, detail }) => {
      const isFullDisk = /no space left/i.test(JSON.stringify(detail ?? ''));
      // Nexus has its reason there: https://github.com/GoogleContainerTools/jib/issues/3057
      const reason = typeof detail === 'string' && detail !== message ? detail : '';
      const more = isFullDisk ? ' (no space left on its disk)' : reason && ` (${reason})`;
      return `${String(code ?? '')}: ${String(message ?? '')}${more}`;
    });
    return plainLine(words.join('; '), 300);
  } catch {
    // Of a page its title.
    return plainLine(text.startsWith('<') ? (/<title>([^<]*)/i.exec(text)?.[1] ?? '') : text, 300);
  }
}

/** What a gateway in front of a registry says in its own JSON; undefined if that has none of the usual fields. */
function otherWords(json: unknown): string | undefined {
  if (typeof json === 'string') return json;
  if (!isRecord(json)) return undefined;
  return [json.message, json.error, json.details].find(words => typeof words === 'string');
}
