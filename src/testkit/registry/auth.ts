import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Exchange } from '../server/exchange.ts';
import { problem } from './problem.ts';
import type { RegistryQuirks } from './quirks.ts';

/** How the embedded registry asks for a login. */
export type RegistryAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  | {
      readonly kind: 'bearer';
      readonly user: string;
      readonly password: string;
      /** Default five minutes, as with everyone. */
      readonly tokenTtlMs?: number;
      /** Whether no one may pull. Default false. */
      readonly anonymousPull?: boolean;
    };

/** `repository:acme/x:pull,push` */
export interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

const SERVICE = 'weighbridge-testkit';

/** Asks for logins, and gives tokens; https://distribution.github.io/distribution/spec/auth/token/ */
export class AuthDesk {
  #auth: RegistryAuth;
  readonly #key = randomBytes(16);
  readonly #quirks: RegistryQuirks;
  #issued = 0;

  constructor(auth: RegistryAuth, quirks: RegistryQuirks) {
    this.#auth = auth;
    this.#quirks = quirks;
  }

  /** Tokens issued so far. */
  get issued(): number {
    return this.#issued;
  }

  /** Takes another password from now on; tokens that were given are good as long as they last. */
  changePassword(password: string): void {
    if (this.#auth.kind !== 'none') this.#auth = { ...this.#auth, password };
  }

  /** Throws the registry's 401 unless the request may do all of `resources`; DENIED or NAME_UNKNOWN if it hides them. */
  check(exchange: Exchange, resources: readonly Access[]): void {
    if (this.#auth.kind === 'none') return;
    const { hidesFromAnonymous, scopePrefix = '' } = this.#quirks;
    const wanted = resources.map(access => ({ ...access, name: scopePrefix + access.name }));
    const header = exchange.header('authorization') ?? '';
    if (header === '' && hidesFromAnonymous !== undefined && wanted.length > 0)
      throw problem(
        hidesFromAnonymous,
        hidesFromAnonymous === 403 ? 'DENIED' : 'NAME_UNKNOWN',
        'not for you',
      );
    if (this.#auth.kind === 'basic') {
      if (this.#isLogin(header)) return;
      throw unauthorized(`Basic realm="${SERVICE}"`);
    }
    const token = /^Bearer (.+)$/i.exec(header)?.[1];
    const granted = token === undefined ? undefined : this.#read(token);
    if (granted !== undefined && wanted.every(access => includes(granted, access))) return;
    const error =
      token === undefined ? '' : `,error="${granted === undefined ? 'invalid_token' : 'insufficient_scope'}"`;
    const scope = wanted.length === 0 ? '' : `,scope="${wanted.map(formatAccess).join(' ')}"`;
    throw unauthorized(`Bearer realm="${exchange.url.origin}/token",service="${SERVICE}"${scope}${error}`);
  }

  /**
   * `GET /token` with a Basic login or with none, and the `POST` that Docker makes with an identity token. Throws the
   * refusal of a wrong login.
   */
  async answerToken(exchange: Exchange): Promise<void> {
    if (this.#auth.kind !== 'bearer') throw problem(404, 'UNSUPPORTED', 'no token service here');
    const isPost = exchange.method === 'POST';
    if (isPost && this.#quirks.refreshTokens === false)
      throw problem(405, 'UNSUPPORTED', 'method not allowed');
    const form = isPost
      ? new URLSearchParams((await exchange.bytes(64 * 1024)).toString('utf8'))
      : exchange.url.searchParams;
    const header = exchange.header('authorization');
    const hasLogin = isPost ? this.#isFormLogin(form) : header !== undefined && this.#isLogin(header);
    if (!hasLogin && (isPost || header !== undefined)) {
      throw problem(401, 'UNAUTHORIZED', 'incorrect username or password');
    }
    const asked = form.getAll('scope').flatMap(scope => scope.split(' ').map(parseAccess));
    const allowed = hasLogin ? asked : asked.map(access => this.#forNobody(access));
    const ttlMs = this.#auth.tokenTtlMs ?? 300_000;
    const token = this.#issue(allowed, ttlMs);
    await exchange.sendJson(200, {
      token: this.#quirks.emptyToken ? '' : token,
      access_token: token,
      expires_in: Math.max(1, Math.floor(ttlMs / 1000)),
      issued_at: new Date().toISOString(),
    });
  }

  /** An identity token such as `docker login` keeps in place of a password. */
  get identityToken(): string {
    return this.#sign('identity');
  }

  #forNobody(access: Access): Access {
    const mayPull = this.#auth.kind === 'bearer' && this.#auth.anonymousPull === true;
    return { ...access, actions: access.actions.filter(action => mayPull && action === 'pull') };
  }

  #isLogin(header: string): boolean {
    const encoded = /^Basic (.+)$/i.exec(header)?.[1] ?? '';
    const pair = Buffer.from(encoded, 'base64').toString('utf8');
    return this.#isPair(pair) || pair === `<token>:${this.identityToken}`;
  }

  #isFormLogin(form: URLSearchParams): boolean {
    if (form.get('grant_type') === 'refresh_token')
      return same(form.get('refresh_token') ?? '', this.identityToken);
    return this.#isPair(`${form.get('username')}:${form.get('password')}`);
  }

  #isPair(pair: string): boolean {
    return this.#auth.kind !== 'none' && same(pair, `${this.#auth.user}:${this.#auth.password}`);
  }

  #issue(access: readonly Access[], ttlMs: number): string {
    this.#issued += 1;
    const claims = { access, expiresAtMs: Date.now() + ttlMs, number: this.#issued };
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
    return `${payload}.${this.#sign(payload)}`;
  }

  /** What a token grants; undefined if it is not ours or too old. */
  #read(token: string): readonly Access[] | undefined {
    const [payload = '', signature = ''] = token.split('.');
    if (!same(signature, this.#sign(payload))) return undefined;
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return claims.expiresAtMs > Date.now() ? claims.access : undefined;
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }
}

/** Returns `repository:acme/x:pull,push`. */
export function formatAccess({ type, name, actions }: Access): string {
  return `${type}:${name}:${actions.join(',')}`;
}

function parseAccess(scope: string): Access {
  const [type = '', ...rest] = scope.split(':');
  return { type, name: rest.slice(0, -1).join(':'), actions: (rest.at(-1) ?? '').split(',') };
}

function includes(granted: readonly Access[], wanted: Access): boolean {
  return wanted.actions.every(action =>
    granted.some(
      ({ type, name, actions }) => type === wanted.type && name === wanted.name && actions.includes(action),
    ),
  );
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function unauthorized(challenge: string) {
  return problem(401, 'UNAUTHORIZED', 'authentication required', {
    headers: { 'www-authenticate': challenge },
  });
}
