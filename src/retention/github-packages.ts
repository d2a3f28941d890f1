import * as z from 'zod';
import { type Digest, isDigest } from '../core/digest.ts';
import { RegistryError } from '../core/errors.ts';
import { plainLine } from '../core/safe-text.ts';
import type { HttpClient } from '../http/client.ts';
import { nextLink } from '../http/link-header.ts';
import type { HttpResponse } from '../http/types.ts';
import type { ManifestDeleter } from './delete-removals.ts';

// GHCR has no DELETE of the OCI API. Its packages API lists every manifest, platforms too, as a version of the package:
// https://docs.github.com/en/rest/packages/packages

const Versions = z.array(z.object({ id: z.int(), name: z.string(), created_at: z.string() }));

const MAX_PAGE_BYTES = 16 * 1024 * 1024;
const MAX_PAGES = 1000;

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

  /** Reads the whole list. Throws RegistryError. */
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
    if (response.status === 204 || response.status === 404) {
      response.discard();
      return response.status === 204;
    }
    throw await failure(response, purpose, repository);
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
    const parsed = Versions.safeParse(parseJson(await response.bytes(MAX_PAGE_BYTES)));
    if (!parsed.success) throw badAnswer(purpose, repository);
    for (const { id, name, created_at } of parsed.data) {
      const createdAtMs = Date.parse(created_at);
      if (isDigest(name) && Number.isFinite(createdAtMs))
        versions.set(name, { url: `${base}/${id}`, createdAtMs });
    }
    const next = nextLink(response.headers);
    if (next === undefined) return versions;
    const following = new URL(next, url);
    if (following.origin !== new URL(base).origin) throw badAnswer(purpose, repository);
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
  return await http.request({ ...request, headers });
}

async function failure(response: HttpResponse, purpose: string, repository: string): Promise<RegistryError> {
  const { status } = response;
  const json = parseJson(await response.bytes(64 * 1024));
  const said = z.object({ message: z.string() }).safeParse(json).data?.message ?? '';
  const isDenied = status === 401 || status === 403;
  const isLast = /last (tagged )?version/i.test(said);
  return new RegistryError(`${purpose}: GitHub answered ${status}${said && ` (${plainLine(said)})`}`, {
    code: isDenied ? 'REGISTRY_UNAUTHORIZED' : 'REGISTRY_BAD_ANSWER',
    subject: repository,
    remedy: isDenied
      ? 'Use a token with `read:packages` and `delete:packages`; in a workflow, `permissions: packages: write` and admin access of the repository to the package.'
      : isLast
        ? 'GitHub keeps the last version of a package: delete the package itself in its settings.'
        : 'What was deleted stays deleted; prune again later.',
  });
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function badAnswer(purpose: string, repository: string): RegistryError {
  return new RegistryError(`${purpose}: the answer of GitHub is not a list of versions`, {
    code: 'REGISTRY_BAD_ANSWER',
    subject: repository,
    remedy: 'Check GITHUB_API_URL. Nothing of this repository is deleted.',
  });
}
