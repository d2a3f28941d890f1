import type { Digest } from '../core/digest.ts';
import type { EmbeddedRegistry } from './registry.ts';
import { type RunningServer, startServer } from './server/embedded-server.ts';
import { type Exchange, type Headers, type LogEntry, Refusal } from './server/exchange.ts';
import { Faults } from './server/faults.ts';

/** What `startGithubPackages` takes. */
export interface GithubPackagesOptions {
  /** Where the packages are: GHCR itself. */
  readonly registry: EmbeddedRegistry;
  /** Whether the owners are organizations or users; the other address knows no package. Default `orgs`. */
  readonly ownerKind?: 'orgs' | 'users';
  /** What the token may do. May be changed at any time. */
  readonly scopes?: readonly ('read:packages' | 'delete:packages')[];
  /** Versions that were downloaded more than 5,000 times, which a public package keeps. */
  readonly popular?: ReadonlySet<Digest>;
  /** When versions were made; all others a year ago. */
  readonly createdAt?: ReadonlyMap<Digest, Date>;
  /** Versions of a page at most. Default 100, as GitHub has it. */
  readonly pageSize?: number;
  /** Requests until the limit of the hour; they come back at `resetAfterMs`. */
  readonly rateLimit?: { readonly requests: number; readonly resetAfterMs: number };
}

const TOKEN = 'ghp_of_the_tests';
const YEAR_MS = 365 * 86_400_000;
const VERSIONS = /^\/(orgs|users)\/([^/]+)\/packages\/container\/([^/]+)\/versions(?:\/(\d+))?$/;

/** Starts GitHub's packages API over the repositories of a registry, which is GHCR then. Returns the running server. */
export async function startGithubPackages(options: GithubPackagesOptions): Promise<EmbeddedGithubPackages> {
  const packages = new EmbeddedGithubPackages(options);
  await packages.start();
  return packages;
}

/**
 * The part of GitHub's REST API that deletes images of GHCR. Every manifest is a version of its package, also platforms
 * and signatures, which have no tags; a version that others need is deleted like any other.
 * https://docs.github.com/en/rest/packages/packages
 */
export class EmbeddedGithubPackages {
  readonly faults = new Faults();
  readonly log: LogEntry[] = [];
  scopes: readonly string[];
  /** May be changed at any time. */
  rateLimit: GithubPackagesOptions['rateLimit'];
  readonly #options: GithubPackagesOptions;
  readonly #ids = new Map<Digest, number>();
  #left: number;
  #resetsAtMs = 0;
  #server: RunningServer | undefined;

  constructor(options: GithubPackagesOptions) {
    this.#options = options;
    this.scopes = options.scopes ?? ['read:packages', 'delete:packages'];
    this.rateLimit = options.rateLimit;
    this.#left = options.rateLimit?.requests ?? 0;
  }

  /** As GITHUB_API_URL has it. */
  get url(): string {
    return this.#server?.url ?? '';
  }

  get token(): string {
    return TOKEN;
  }

  async start(): Promise<void> {
    const { log, faults } = this;
    const handle = (exchange: Exchange) => this.#answer(exchange);
    this.#server = await startServer({
      host: '127.0.0.1',
      port: 0,
      origin: 'github',
      log,
      faults,
      handle,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.close();
  }

  async #answer(exchange: Exchange): Promise<void> {
    this.#count();
    if (exchange.header('authorization') !== `Bearer ${TOKEN}`) throw refusal(401, 'Bad credentials');
    const [, kind, owner, name, id] = VERSIONS.exec(exchange.url.pathname) ?? [];
    const repository = `${owner}/${decodeURIComponent(name ?? '')}`;
    const isKnown = this.#options.registry.repositories.includes(repository);
    if (kind !== (this.#options.ownerKind ?? 'orgs') || !isKnown) throw refusal(404, 'Not Found');
    if (!this.scopes.includes('read:packages'))
      throw refusal(403, "You need at least read:packages scope to get a package's versions.");
    if (id === undefined) return await this.#sendVersions(exchange, repository);
    const digest = this.#digests(repository).find(one => this.#idOf(one) === Number(id));
    if (digest === undefined) throw refusal(404, 'Package not found.');
    if (exchange.method === 'GET') return await exchange.sendJson(200, this.#version(repository, digest));
    this.#delete(repository, digest);
    await exchange.send(204, {});
  }

  /** The limit of the hour: 403 and the moment at which it ends, in whole seconds. */
  #count(): void {
    const { rateLimit } = this;
    if (rateLimit === undefined) return;
    if (this.#left <= 0 && Date.now() >= this.#resetsAtMs && this.#resetsAtMs > 0)
      this.#left = rateLimit.requests;
    this.#left -= 1;
    if (this.#left >= 0) return;
    if (this.#left === -1) this.#resetsAtMs = Date.now() + rateLimit.resetAfterMs;
    throw refusal(403, 'API rate limit exceeded for user ID 1.', {
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(Math.floor(this.#resetsAtMs / 1000)),
    });
  }

  async #sendVersions(exchange: Exchange, repository: string): Promise<void> {
    const { searchParams } = exchange.url;
    const size = Math.min(Number(searchParams.get('per_page') ?? 30), this.#options.pageSize ?? 100);
    const page = Number(searchParams.get('page') ?? 1);
    const all = this.#digests(repository);
    const versions = all.slice((page - 1) * size, page * size).map(one => this.#version(repository, one));
    const next = `${this.url}${exchange.url.pathname}?per_page=${size}&page=${page + 1}`;
    const headers = page * size < all.length ? { link: `<${next}>; rel="next"` } : {};
    await exchange.sendJson(200, versions, headers);
  }

  #version(repository: string, digest: Digest): object {
    const tags = [...this.#options.registry.repository(repository).tags];
    const created = this.#options.createdAt?.get(digest) ?? new Date(Date.now() - YEAR_MS);
    return {
      id: this.#idOf(digest),
      name: digest,
      created_at: created.toISOString(),
      metadata: {
        package_type: 'container',
        container: { tags: tags.filter(([, named]) => named === digest).map(([tag]) => tag) },
      },
    };
  }

  #delete(repository: string, digest: Digest): void {
    // As for what a token may not see, GitHub says that there is nothing.
    if (!this.scopes.includes('delete:packages')) throw refusal(404, 'Not Found');
    const { manifests, tags } = this.#options.registry.repository(repository);
    if (this.#options.popular?.has(digest))
      throw refusal(
        400,
        'Publicly visible package versions with more than 5000 downloads cannot be deleted. Contact GitHub support for further assistance.',
      );
    const isTagged = [...tags.values()].includes(digest);
    if (isTagged && [...tags.values()].every(named => named === digest))
      throw refusal(
        400,
        'You cannot delete the last tagged version of a package. You must delete the package instead.',
      );
    manifests.delete(digest);
    for (const [tag, named] of tags) if (named === digest) tags.delete(tag);
  }

  #digests(repository: string): Digest[] {
    return [...this.#options.registry.repository(repository).manifests.keys()].reverse();
  }

  #idOf(digest: Digest): number {
    const id = this.#ids.get(digest) ?? this.#ids.size + 1;
    this.#ids.set(digest, id);
    return id;
  }
}

function refusal(status: number, message: string, headers: Headers = {}): Refusal {
  const body = JSON.stringify({ message, documentation_url: 'https://docs.github.com/rest' });
  return new Refusal(status, { 'content-type': 'application/json; charset=utf-8', ...headers }, body);
}
