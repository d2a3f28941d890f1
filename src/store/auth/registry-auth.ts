import { RegistryError } from '../../core/errors.ts';
import { isRecord } from '../../core/json-shape.ts';
import type { HttpClient } from '../../http/client.ts';
import { isLoopbackHost, isPrivateHost } from '../../http/hosts.ts';
import { redactUrl } from '../../http/redact.ts';
import type { HttpRequest, HttpResponse } from '../../http/types.ts';
import { type AuthChallenge, parseChallenges } from './auth-challenge.ts';
import { tokenFailure } from './token-failure.ts';
import type { Credential } from './types.ts';

/** What a token for a registry has to permit. */
export type Access = 'pull' | 'push' | 'delete';

/** What a registry is logged in to with. */
export interface RegistryAuthOptions {
  readonly http: HttpClient;
  /** For people: `ghcr.io`. */
  readonly registry: string;
  /** The registry's origin, `https://ghcr.io`. */
  readonly origin: string;
  readonly credential: () => Promise<Credential | undefined>;
  readonly connection?: { readonly ca?: string } | undefined;
  /** Why a login may not have been found. */
  readonly trouble?: (() => string | undefined) | undefined;
  /** Told of each answer that ended in a failure: it may ask to wait. */
  readonly onFailure?: (response: HttpResponse) => void;
  /** Whether the registry is in the open, and so may not name an address in a private network. Default true. */
  readonly isPublic?: () => boolean;
  /** How the registry wants to be logged in to, for all who talk to it. */
  readonly manner?: LoginManner | undefined;
}

/** Learnt from the first 401. */
export interface LoginManner {
  challenge?: AuthChallenge;
}

/** A token is renewed when this share of its life is over: a long upload must not end with a dead one. */
const RENEW_AT = 0.7;
/** What a token lives when the server does not say; https://distribution.github.io/distribution/spec/auth/token/ */
const DEFAULT_TOKEN_SECONDS = 60;
const MAX_TOKEN_BYTES = 1024 * 1024;

/** Knows how one registry wants to be logged in to, and holds the tokens it has given, by scope. */
export class RegistryAuth {
  readonly #options: RegistryAuthOptions;
  readonly #tokens = new Map<string, { header: string; renewAtMs: number }>();
  readonly #fetching = new Map<string, Promise<string>>();
  readonly #manner: LoginManner;

  constructor(options: RegistryAuthOptions) {
    this.#options = options;
    this.#manner = options.manner ?? {};
  }

  /** The `Authorization` header for a scope, as far as the registry has said that it wants one. */
  async header(scope: string, signal?: AbortSignal): Promise<string | undefined> {
    const { challenge } = this.#manner;
    if (challenge === undefined) return undefined;
    if (challenge.scheme === 'basic') return await this.#basicHeader();
    const known = this.#tokens.get(scope);
    if (known !== undefined && known.renewAtMs > Date.now()) return known.header;
    // Those who come while it is asked for share the answer: a burst of requests is one login.
    let fetching = this.#fetching.get(scope);
    if (fetching === undefined) {
      fetching = this.#fetchToken(challenge, scope, signal).finally(() => this.#fetching.delete(scope));
      this.#fetching.set(scope, fetching);
    }
    return await fetching;
  }

  /**
   * Learns from a 401. False if trying again would not help: the registry asks for nothing we have.
   */
  async learn(wwwAuthenticate: string | undefined, scope: string): Promise<boolean> {
    const challenges = parseChallenges(wwwAuthenticate ?? '');
    const wanted =
      challenges.find(({ scheme }) => scheme === 'bearer') ??
      challenges.find(({ scheme }) => scheme === 'basic');
    if (wanted === undefined) return false;
    if (wanted.scheme === 'basic' && (await this.#basicHeader()) === undefined) return false;
    this.#manner.challenge = wanted;
    this.#tokens.delete(scope);
    return true;
  }

  /** Whether there is a login, whether or not the registry asks for it. */
  async hasCredential(): Promise<boolean> {
    return (await this.#options.credential()) !== undefined;
  }

  async #basicHeader(): Promise<string | undefined> {
    const credential = await this.#options.credential();
    return credential?.kind === 'basic' ? basic(credential.username, credential.password) : undefined;
  }

  async #fetchToken(
    challenge: AuthChallenge,
    scope: string,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const realm = this.#realm(challenge);
    const service = challenge.parameters.get('service');
    const credential = await this.#options.credential();
    const isElsewhere = realm.origin !== this.#options.origin;
    const purpose = `logging in to ${this.#options.registry}${isElsewhere ? ` at ${realm.host}` : ''}`;
    const scopes = scope.split(' ');
    const ofService: [string, string][] = service ? [['service', service]] : [];
    const query: [string, string][] = [
      ...ofService,
      ...scopes.map((one): [string, string] => ['scope', one]),
    ];
    const { ca } = this.#options.connection ?? {};
    const common = { purpose, signal, ca, isPublicOnly: this.#isTrap(realm.origin) };
    const request: HttpRequest =
      credential?.kind === 'identity'
        ? {
            method: 'POST',
            url: realm.href,
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            // https://distribution.github.io/distribution/spec/auth/oauth/
            body: new URLSearchParams([
              ['grant_type', 'refresh_token'],
              ['client_id', 'weighbridge'],
              ['refresh_token', credential.token],
              ...ofService,
              ['scope', scope],
            ]).toString(),
            ...common,
          }
        : {
            method: 'GET',
            url: withParameters(realm, query),
            headers:
              credential === undefined
                ? {}
                : { authorization: basic(credential.username, credential.password) },
            ...common,
          };
    const { response, bytes } = await this.#options.http.requestBytes(request, MAX_TOKEN_BYTES);
    if (bytes === undefined) {
      this.#options.onFailure?.(response);
      const { registry } = this.#options;
      const refusal = { hasCredential: credential !== undefined, trouble: this.troubleText };
      throw await tokenFailure(response, { registry, ...refusal });
    }
    return this.#keep(scope, bytes.toString('utf8'), new URL(response.url).host);
  }

  #keep(scope: string, body: string, host: string): string {
    const subject = `the answer of its token service ${host}`;
    let answer: unknown;
    try {
      answer = JSON.parse(body);
    } catch {
      // The parser's message would quote the answer, which may hold a token.
      throw this.#badAnswer(`${subject} is not JSON`);
    }
    if (!isRecord(answer)) throw this.#badAnswer(`${subject} is not an object`);
    // Some services fill one of the two, and leave the other empty.
    const token = [answer.token, answer.access_token].find(isToken);
    if (token === undefined) throw this.#badAnswer(`${subject} has no token`);
    const seconds =
      typeof answer.expires_in === 'number' && answer.expires_in > 0
        ? answer.expires_in
        : DEFAULT_TOKEN_SECONDS;
    const header = `Bearer ${token}`;
    this.#tokens.set(scope, { header, renewAtMs: Date.now() + seconds * 1000 * RENEW_AT });
    return header;
  }

  /** A login may go where the registry says, but never in the clear unless the registry itself is on this machine. */
  #realm(challenge: AuthChallenge): URL {
    const text = challenge.parameters.get('realm') ?? '';
    let realm: URL;
    try {
      realm = new URL(text);
    } catch (cause) {
      throw this.#badAnswer('its answer names no realm to log in at', cause);
    }
    const own = new URL(this.#options.origin);
    if (this.#isTrap(realm.origin) && isPrivateHost(realm.hostname) && !isPrivateHost(own.hostname))
      throw this.#badAnswer(`its answer points to the private address ${redactUrl(realm)}, which is refused`);
    // A registry for which HTTP was chosen may have its token service beside it.
    const isChosen = own.protocol === 'http:' && realm.hostname === own.hostname;
    const isLocal = isLoopbackHost(own.hostname) && isLoopbackHost(realm.hostname);
    if (realm.protocol !== 'https:' && !isLocal && !isChosen) {
      throw this.#badAnswer(`its answer wants the login sent unencrypted to ${redactUrl(realm)}`);
    }
    return realm;
  }

  #isTrap(origin: string): boolean {
    return (this.#options.isPublic?.() ?? true) && origin !== this.#options.origin;
  }

  /** Appended to an error about a login that is missing. */
  get troubleText(): string {
    const trouble = this.#options.trouble?.();
    return trouble === undefined ? '' : `; ${trouble}`;
  }

  #badAnswer(what: string, cause?: unknown): RegistryError {
    const { registry } = this.#options;
    return new RegistryError(`logging in to ${registry}: ${what}`, {
      code: 'REGISTRY_LOGIN_SERVICE',
      subject: registry,
      cause,
    });
  }
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function withParameters(url: URL, parameters: readonly [string, string][]): string {
  const full = new URL(url);
  for (const [name, value] of parameters) full.searchParams.append(name, value);
  return full.href;
}
