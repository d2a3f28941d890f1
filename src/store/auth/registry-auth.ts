import { isDeepStrictEqual } from 'node:util';
import { ConfigError, RegistryError } from '../../core/errors.ts';
import { isRecord, parseJson } from '../../core/json-shape.ts';
import { noteSecret } from '../../core/secrets.ts';
import type { HttpClient } from '../../http/client.ts';
import { isLoopbackHost, isPrivateHost } from '../../http/hosts.ts';
import { redactUrl } from '../../http/redact.ts';
import type { TlsSettings } from '../../http/trust.ts';
import type { HttpRequest, HttpResponse } from '../../http/types.ts';
import { ownAddress } from '../own-address.ts';
import { PROXY_REMEDY } from '../remedies.ts';
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
  /** `refused` was found before and is not accepted any more: there may be a newer one. */
  readonly credential: (refused?: Credential) => Promise<Credential | undefined>;
  /** How an address is spoken to over TLS. */
  readonly tls?: (url: string) => TlsSettings;
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
  /** Settled when the registry was asked for it, because it has refused something without a challenge. */
  asking?: Promise<void> | undefined;
}

/** An answer of status 401. */
export interface Challenged {
  readonly wwwAuthenticate: string | undefined;
  readonly scope: string;
  /** The `Authorization` header that was refused; undefined if there was none. */
  readonly sent: string | undefined;
  /** Whether it is the answer to a second try, with what the first has taught. */
  readonly isSecond?: boolean;
}

/** A token is renewed when this share of its life is over: a long upload must not end with a dead one. */
const RENEW_AT = 0.7;
/** What a token lives when the server does not say; https://distribution.github.io/distribution/spec/auth/token/ */
const DEFAULT_TOKEN_SECONDS = 60;
const MAX_TOKEN_BYTES = 1024 * 1024;
/** Scopes that a registry may add to one that it was asked for. */
const MAX_MORE_SCOPES = 4;
const MAX_SCOPE_CHARACTERS = 1000;

/** Knows how one registry wants to be logged in to, and holds the tokens it has given, by scope. */
export class RegistryAuth {
  readonly #options: RegistryAuthOptions;
  readonly #tokens = new Map<string, { header: string; renewAtMs: number }>();
  readonly #fetching = new Map<string, Promise<string>>();
  readonly #manner: LoginManner;
  /** What a registry wants besides the scope that its address says, by that scope. */
  readonly #moreScopes = new Map<string, readonly string[]>();

  constructor(options: RegistryAuthOptions) {
    this.#options = options;
    this.#manner = options.manner ?? {};
  }

  /** The `Authorization` header for a scope, as far as the registry has said that it wants one. */
  async header(scope: string, signal?: AbortSignal): Promise<string | undefined> {
    const { challenge } = this.#manner;
    if (challenge === undefined) return undefined;
    if (challenge.scheme === 'basic') return await this.#basicHeader();
    const credential = await this.#options.credential();
    if (credential?.kind === 'bearer') return `Bearer ${credential.token}`;
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

  /** Learns from a 401. False if trying again would not help: the registry asks for nothing we have. */
  async learn({ wwwAuthenticate, scope, sent, isSecond = false }: Challenged): Promise<boolean> {
    const wanted = chooseChallenge(parseChallenges(wwwAuthenticate ?? ''));
    if (wanted === undefined) return false;
    if (wanted.scheme === 'basic' && (await this.#basicHeader()) === undefined) return false;
    if (sent !== undefined && (await this.#isFixed(wanted))) return await this.#renew();
    if (isSecond) return this.#widen(wanted, scope);
    this.#manner.challenge = wanted;
    this.#tokens.delete(scope);
    return true;
  }

  /** After a 403: whether there is a newer login than the one that was sent. A token has its own way of being renewed. */
  async renewSent(sent: string | undefined): Promise<boolean> {
    const { challenge } = this.#manner;
    return sent !== undefined && challenge !== undefined && (await this.#isFixed(challenge))
      ? await this.#renew()
      : false;
  }

  /**
   * Whether there is a login for a request that went without one and was refused, or found nothing, without a challenge.
   * `ask` returns the registry's, and is called once for all who talk to it.
   */
  async learnUnasked(scope: string, ask: () => Promise<string | undefined>): Promise<boolean> {
    const manner = this.#manner;
    if (!(await this.#mayHaveCredential())) return false;
    if (manner.challenge === undefined) {
      manner.asking ??= ask().then(
        wwwAuthenticate => {
          const challenge = chooseChallenge(parseChallenges(wwwAuthenticate ?? ''));
          if (challenge !== undefined) manner.challenge ??= challenge;
        },
        (error: unknown) => {
          manner.asking = undefined;
          throw error;
        },
      );
      await manner.asking;
    }
    return (await this.header(scope)) !== undefined;
  }

  /** The registry has taken a write without a login: it has nothing to ask for. */
  noteOpen(): void {
    this.#manner.asking ??= Promise.resolve();
  }

  /** Whether there is a login, whether or not the registry asks for it. */
  async hasCredential(): Promise<boolean> {
    return (await this.#options.credential()) !== undefined;
  }

  /** A login file that is broken matters only to a registry that asks for a login. */
  async #mayHaveCredential(): Promise<boolean> {
    try {
      return await this.hasCredential();
    } catch (error) {
      if (error instanceof ConfigError) return false;
      throw error;
    }
  }

  async #basicHeader(): Promise<string | undefined> {
    const credential = await this.#options.credential();
    return credential?.kind === 'basic' ? basic(credential) : undefined;
  }

  /** Whether the login itself is what is sent, not a token that it was traded for. */
  async #isFixed({ scheme }: AuthChallenge): Promise<boolean> {
    return scheme === 'basic' || (await this.#options.credential())?.kind === 'bearer';
  }

  /** Looks for a newer login than the one that was refused. */
  async #renew(): Promise<boolean> {
    const refused = await this.#options.credential();
    if (refused === undefined) return false;
    const fresh = await this.#options.credential(refused);
    return fresh !== undefined && !isDeepStrictEqual(fresh, refused);
  }

  /**
   * A registry that others' repositories are read through may know them by other names than those in its addresses, and
   * says so when a token for the address is not enough. False if it says nothing new.
   */
  #widen({ parameters }: AuthChallenge, scope: string): boolean {
    const known = [...scope.split(' '), ...(this.#moreScopes.get(scope) ?? [])];
    const asked = (parameters.get('scope') ?? '').split(' ').filter(one => one !== '');
    const more = asked.filter(one => !known.some(own => isCovered(one, own)));
    const all = [...(this.#moreScopes.get(scope) ?? []), ...more];
    if (more.length === 0 || all.length > MAX_MORE_SCOPES || all.join(' ').length > MAX_SCOPE_CHARACTERS)
      return false;
    this.#moreScopes.set(scope, all);
    this.#tokens.delete(scope);
    return true;
  }

  async #fetchToken(
    challenge: AuthChallenge,
    scope: string,
    signal: AbortSignal | undefined,
    isAgain = false,
  ): Promise<string> {
    const credential = await this.#options.credential();
    const { response, bytes } = await this.#askForToken(challenge, { scope, credential, signal });
    if (bytes !== undefined) return this.#keep(scope, bytes.toString('utf8'), new URL(response.url).host);
    this.#options.onFailure?.(response);
    const { registry } = this.#options;
    const refusal = { hasCredential: credential !== undefined, trouble: this.troubleText };
    const failure = await tokenFailure(response, { registry, ...refusal });
    if (failure.code === 'REGISTRY_UNAUTHORIZED' && !isAgain && (await this.#renew()))
      return await this.#fetchToken(challenge, scope, signal, true);
    throw failure;
  }

  async #askForToken(challenge: AuthChallenge, question: TokenQuestion) {
    const realm = this.#realm(challenge);
    const service = challenge.parameters.get('service');
    const { scope, credential, signal } = question;
    const isElsewhere = realm.origin !== this.#options.origin;
    const { http, registry, tls } = this.#options;
    const common = {
      purpose: `logging in to ${registry}${isElsewhere ? ` at ${realm.host}` : ''}`,
      signal,
      ...tls?.(realm.href),
      isPublicOnly: this.#isTrap(realm.origin),
    };
    const scopes = [...scope.split(' '), ...(this.#moreScopes.get(scope) ?? [])];
    const ask = (request: Pick<HttpRequest, 'method' | 'url' | 'headers'> & { readonly body?: string }) =>
      http.requestBytes({ ...request, ...common }, MAX_TOKEN_BYTES);
    if (credential?.kind === 'identity') {
      noteSecret(credential.token);
      const answer = await ask(refreshRequest(realm, { token: credential.token, service, scopes }));
      if (!NO_REFRESH.has(answer.response.status)) return answer;
      answer.response.discard();
    }
    return await ask({
      method: 'GET',
      url: withParameters(realm, [
        ...(service ? [['service', service] as const] : []),
        ...scopes.map(one => ['scope', one] as const),
      ]),
      headers: credential === undefined ? {} : { authorization: basic(credential) },
    });
  }

  #keep(scope: string, body: string, host: string): string {
    const subject = `the answer of its token service ${host}`;
    let answer: unknown;
    try {
      answer = parseJson(body);
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
      // A path is one of the registry's own; an empty one is invalid.
      const { origin } = this.#options;
      realm = ownAddress(new URL(text, text.startsWith('/') ? origin : undefined), origin);
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
      throw this.#badAnswer(
        `its answer wants the login sent unencrypted to ${redactUrl(realm)}`,
        undefined,
        PROXY_REMEDY,
      );
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

  #badAnswer(what: string, cause?: unknown, remedy?: string): RegistryError {
    const { registry } = this.#options;
    return new RegistryError(`logging in to ${registry}: ${what}`, {
      code: 'REGISTRY_LOGIN_SERVICE',
      subject: registry,
      cause,
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
}

interface TokenQuestion {
  readonly scope: string;
  readonly credential: Credential | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Not all token services know refresh tokens; those take them as passwords. */
const NO_REFRESH: ReadonlySet<number> = new Set([404, 405]);

/** https://distribution.github.io/distribution/spec/auth/oauth/ */
function refreshRequest(
  realm: URL,
  asked: { readonly token: string; readonly service: string | undefined; readonly scopes: readonly string[] },
) {
  return {
    method: 'POST' as const,
    url: realm.href,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams([
      ['grant_type', 'refresh_token'],
      ['client_id', 'weighbridge'],
      ['refresh_token', asked.token],
      ...(asked.service ? [['service', asked.service] as [string, string]] : []),
      ['scope', asked.scopes.join(' ')],
    ]).toString(),
  };
}

/** Bearer before Basic; a Bearer challenge that does not say where to log in cannot be used. */
function chooseChallenge(challenges: readonly AuthChallenge[]): AuthChallenge | undefined {
  const bearers = challenges.filter(({ scheme }) => scheme === 'bearer');
  return (
    bearers.find(({ parameters }) => parameters.get('realm')) ??
    challenges.find(({ scheme }) => scheme === 'basic') ??
    bearers[0]
  );
}

/** Whether `repository:a:pull` is part of `repository:a:pull,push`. */
function isCovered(scope: string, own: string): boolean {
  const [resource, actions] = partsOf(scope);
  const [ownResource, ownActions] = partsOf(own);
  return resource === ownResource && actions.every(action => ownActions.includes(action));
}

function partsOf(scope: string): readonly [resource: string, actions: readonly string[]] {
  const colon = scope.lastIndexOf(':');
  return colon === -1 ? [scope, []] : [scope.slice(0, colon), scope.slice(colon + 1).split(',')];
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);
}

function basic(credential: Credential): string {
  const { username, password, encoded } =
    credential.kind === 'basic'
      ? credential
      : { username: TOKEN_USER, ...credential, password: credential.token, encoded: undefined };
  return `Basic ${encoded ?? Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** What Docker calls the account of a login that is a token. */
const TOKEN_USER = '<token>';

function withParameters(url: URL, parameters: readonly (readonly [string, string])[]): string {
  const full = new URL(url);
  for (const [name, value] of parameters) full.searchParams.append(name, value);
  return full.href;
}
