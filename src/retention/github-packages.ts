import * as z from 'zod';
import { type Digest, isDigest } from '../core/digest.ts';
import { RegistryError } from '../core/errors.ts';
import { parsedJson } from '../core/json-shape.ts';
import { plainLine } from '../core/safe-text.ts';
import { hideSecrets } from '../core/secrets.ts';
import type { HttpClient } from '../http/client.ts';
import { nextLink } from '../http/link-header.ts';
import { serverWaitMs } from '../http/retry.ts';
import type { HttpResponse } from '../http/types.ts';
import type { ManifestDeleter } from './delete-removals.ts';

// GHCR has no DELETE of the OCI API. Its packages API lists every manifest, platforms too, as a version of the package:
// https://docs.github.com/en/rest/packages/packages

const Versions = z.array(z.object({ id: z.int(), name: z.string(), created_at: z.string() }));

const MAX_PAGE_BYTES = 16 * 1024 * 1024;
const MAX_PAGES = 1000;

/** Where GitHub's API for packages is, and the token for it. */
export interface GithubPackagesOptions {
  readonly http: HttpClient;
  /** `https://api.github.com`, or a GitHub Enterprise Server's. */
  readonly apiUrl: string;
  /** Allowed to read and delete packages. */
  readonly token: string;
  /** `ghcr.io/acme/hf-x` */
  readonly repository: string;
}

interface PackageVersion {
  /** The address of the version in the API. */
  readonly url: string;
  readonly createdAtMs: number;
}

/** The versions of one package of GHCR. */
export class GithubPackages implements ManifestDeleter {
  readonly #options: GithubPackagesOptions;
  readonly #versions: ReadonlyMap<Digest, PackageVersion>;

  private constructor(options: GithubPackagesOptions, versions: ReadonlyMap<Digest, PackageVersion>) {
    this.#options = options;
    this.#versions = versions;
  }

  /** Reads the whole list. Throws RegistryError: REGISTRY_NOT_FOUND if the package does not exist. */
  static async open(options: GithubPackagesOptions, signal?: AbortSignal): Promise<GithubPackages> {
    const [, owner = '', ...name] = options.repository.split('/');
    const packageName = encodeURIComponent(name.join('/'));
    // An owner is an organization or a user, and only the right one of the two addresses knows the package.
    for (const kind of ['orgs', 'users']) {
      const base = `${options.apiUrl}/${kind}/${owner}/packages/container/${packageName}/versions`;
      const versions = await readVersions(base, options, signal);
      if (versions !== undefined) return new GithubPackages(options, versions);
    }
    throw new RegistryError(`GitHub has no package for ${options.repository}, or the token may not see it`, {
      code: 'REGISTRY_NOT_FOUND',
      subject: options.repository,
      remedy: 'Use a token with `read:packages` and `delete:packages` of an account that owns the package.',
    });
  }

  /** When GHCR got this manifest, in ms since 1970. */
  publishedAtMs(digest: Digest): number | undefined {
    return this.#versions.get(digest)?.createdAtMs;
  }

  async deleteManifest(digest: Digest, signal?: AbortSignal): Promise<boolean> {
    const version = this.#versions.get(digest);
    if (version === undefined) return false;
    const { repository } = this.#options;
    const purpose = `deleting ${digest} of ${repository}`;
    const response = await send(this.#options, { method: 'DELETE', url: version.url, purpose, signal });
    if (response.status === 204) {
      response.discard();
      return true;
    }
    if (response.status !== 404) throw await failure(response, purpose, repository);
    // GitHub hides from a token what it may not do: only a version that cannot be read any more is gone.
    response.discard();
    const left = await send(this.#options, { method: 'GET', url: version.url, purpose, signal });
    left.discard();
    if (left.status === 404) return false;
    throw denied(`${purpose}: GitHub answered 404, and the version is there`, repository);
  }
}

async function readVersions(
  base: string,
  options: GithubPackagesOptions,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<Digest, PackageVersion> | undefined> {
  const { repository } = options;
  const purpose = `listing the versions of ${repository}`;
  const versions = new Map<Digest, PackageVersion>();
  let url = `${base}?per_page=100`;
  for (let page = 0; page < MAX_PAGES; page++) {
    const response = await send(options, { method: 'GET', url, purpose, signal });
    if (response.status === 404) {
      response.discard();
      return undefined;
    }
    if (response.status !== 200) throw await failure(response, purpose, repository);
    const parsed = Versions.safeParse(parsedJson((await response.bytes(MAX_PAGE_BYTES)).toString('utf8')));
    if (!parsed.success) throw badAnswer(purpose, repository);
    for (const { id, name, created_at } of parsed.data) {
      const createdAtMs = Date.parse(created_at);
      if (isDigest(name) && Number.isFinite(createdAtMs))
        versions.set(name, { url: `${base}/${id}`, createdAtMs });
    }
    const next = nextLink(response.headers);
    if (next === undefined) return versions;
    const following = URL.parse(next, url);
    if (following?.origin !== new URL(base).origin) throw badAnswer(purpose, repository);
    url = following.href;
  }
  throw badAnswer(purpose, repository);
}

async function send(
  { http, token }: GithubPackagesOptions,
  request: {
    readonly method: 'GET' | 'DELETE';
    readonly url: string;
    readonly purpose: string;
    readonly signal: AbortSignal | undefined;
  },
): Promise<HttpResponse> {
  const headers = {
    accept: 'application/vnd.github+json',
    authorization: `Bearer ${token}`,
    'x-github-api-version': '2022-11-28',
  };
  for (let attempt = 1; ; attempt++) {
    const response = await http.request({ ...request, headers });
    const waitMs = limitedForMs(response);
    const isTooLong = waitMs === undefined || waitMs > http.retry.maxServerWaitMs;
    if (isTooLong || attempt >= http.retry.attempts) return response;
    response.discard();
    const reason = 'GitHub limits the rate of requests';
    await http.waitToRetry({ ...request, attempt, reason, status: response.status, serverWaitMs: waitMs });
  }
}

/**
 * How long GitHub asks to wait, in ms; undefined if the answer is not about its rate limit.
 * https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
function limitedForMs({ status, headers }: HttpResponse): number | undefined {
  if (status !== 403) return undefined;
  const reset = Number(headers['x-ratelimit-reset']);
  if (headers['x-ratelimit-remaining'] !== '0' || !Number.isFinite(reset)) return serverWaitMs(headers);
  const nowMs = Date.parse(headers.date ?? '');
  return Math.max(0, reset * 1000 - (Number.isFinite(nowMs) ? nowMs : Date.now()));
}

async function failure(response: HttpResponse, purpose: string, repository: string): Promise<RegistryError> {
  const { status } = response;
  const waitMs = limitedForMs(response);
  const json = parsedJson((await response.bytes(64 * 1024)).toString('utf8'));
  const said = hideSecrets(z.object({ message: z.string() }).safeParse(json).data?.message ?? '');
  const message = `${purpose}: GitHub answered ${status}${said && ` (${plainLine(said)})`}`;
  if (waitMs !== undefined || status === 429 || /rate limit/i.test(said))
    return new RegistryError(message, {
      code: 'REGISTRY_RATE_LIMITED',
      subject: repository,
      remedy: `What was deleted stays deleted. Prune again in ${Math.ceil((waitMs ?? 3_600_000) / 60_000)} minutes.`,
    });
  if (status === 401 || status === 403) return denied(message, repository);
  const isLast = /last (tagged )?version/i.test(said);
  if (isLast || /more than \d+ downloads/i.test(said))
    return new RegistryError(message, {
      code: 'IMAGE_UNDELETABLE',
      subject: repository,
      remedy: isLast
        ? 'GitHub keeps the last version of a package: delete the package itself in its settings.'
        : 'GitHub keeps public versions that were downloaded often: ask its support, or leave them. All else is pruned.',
    });
  return new RegistryError(message, {
    code: 'REGISTRY_BAD_ANSWER',
    subject: repository,
    remedy: 'What was deleted stays deleted; prune again later.',
  });
}

function denied(message: string, repository: string): RegistryError {
  return new RegistryError(message, {
    code: 'REGISTRY_UNAUTHORIZED',
    subject: repository,
    remedy:
      'Use a token with `read:packages` and `delete:packages`; in a workflow, `permissions: packages: write` and admin access of the repository to the package.',
  });
}

function badAnswer(purpose: string, repository: string): RegistryError {
  return new RegistryError(`${purpose}: the answer of GitHub is not a list of versions`, {
    code: 'REGISTRY_BAD_ANSWER',
    subject: repository,
    remedy: 'Check GITHUB_API_URL. Nothing of this repository is deleted.',
  });
}
