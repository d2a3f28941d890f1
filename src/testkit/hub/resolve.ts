import { gzipSync } from 'node:zlib';
import { readContent } from '../server/content.ts';
import type { Exchange, Headers } from '../server/exchange.ts';
import type { SignedOrigin } from '../server/signed-origin.ts';
import { hubError } from './access.ts';
import type { Commit, Repository, StoredFile } from './repository.ts';

/** A request for a file. */
export interface ResolveRequest {
  readonly exchange: Exchange;
  readonly repository: Repository;
  readonly commit: Commit;
  readonly path: string;
  readonly cdn: SignedOrigin;
  readonly smallFiles: 'redirect' | 'direct';
}

const TEXT = /\.(json|txt|md|jinja|py)$|(^|\/)(LICENSE|NOTICE|\.gitattributes)$/;

/**
 * Answers `/{id}/resolve/{revision}/{path}`: a file kept in git from here, one kept in LFS by a link to the CDN.
 * Throws HubError.
 */
export async function answerResolve(request: ResolveRequest): Promise<void> {
  const { exchange, commit, path } = request;
  const file = commit.files.get(path);
  if (file === undefined) {
    throw hubError(404, 'EntryNotFound', 'Entry not found', { 'x-repo-commit': commit.sha });
  }
  if (file.lfs !== undefined) return await redirectToCdn(request, file, file.lfs.sha256);
  if (request.smallFiles === 'direct') return await sendSmallFile(exchange, commit, file);
  const { repository } = request;
  const pathInUrl = path.split('/').map(encodeURIComponent).join('/');
  const query = new URLSearchParams([
    [decodeURIComponent(exchange.url.pathname), ''],
    ['etag', `"${file.gitOid}"`],
  ]);
  const location = `/api/resolve-cache/models/${repository.id}/${commit.sha}/${pathInUrl}?${query}`;
  await exchange.send(
    307,
    // No ETag here: only what it leads to has one.
    {
      'x-repo-commit': commit.sha,
      'accept-ranges': 'bytes',
      'content-type': 'text/plain; charset=utf-8',
      'content-disposition': disposition(file),
      vary: 'Origin, Accept',
      location,
    },
    `Temporary Redirect. Redirecting to ${location}`,
  );
}

/** Small files come from git, compressed in flight for those who allow it, and then without a length. */
export async function sendSmallFile(exchange: Exchange, commit: Commit, file: StoredFile): Promise<void> {
  const headers: Headers = {
    'x-repo-commit': commit.sha,
    etag: `"${file.gitOid}"`,
    'content-type': 'text/plain; charset=utf-8',
    'content-disposition': disposition(file),
  };
  const wantsGzip = /\bgzip\b/.test(exchange.header('accept-encoding') ?? '');
  if (
    wantsGzip &&
    TEXT.test(file.path) &&
    exchange.method === 'GET' &&
    exchange.header('range') === undefined
  ) {
    const zipped = gzipSync(await readContent(file.content));
    const encoded = { 'content-encoding': 'gzip', 'content-length': undefined, vary: 'Accept-Encoding' };
    await exchange.send(200, { ...headers, ...encoded }, zipped);
    return;
  }
  await exchange.sendContent(file.content, headers);
}

async function redirectToCdn(request: ResolveRequest, file: StoredFile, sha256: string): Promise<void> {
  const { exchange, repository, commit, cdn } = request;
  const name = file.path.split('/').at(-1) ?? file.path;
  const isExpired = exchange.fault?.kind === 'expire-link';
  const location = cdn.link(`/repos/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`, name, isExpired);
  const headers = {
    'x-repo-commit': commit.sha,
    'accept-ranges': 'bytes',
    'x-linked-size': file.content.sizeBytes,
    'x-linked-etag': `"${sha256}"`,
    etag: `"${sha256}"`,
    'content-disposition': disposition(file),
    'content-type': 'text/plain; charset=utf-8',
    vary: 'Accept',
    ...(repository.isXet ? xetHeaders(request, sha256) : {}),
    location,
  };
  // Its own length is the redirect's, not the file's.
  await exchange.send(302, headers, `Found. Redirecting to ${location}`);
}

/** The real hash is of another kind; clients take it as it is. */
function xetHeaders({ exchange, repository, commit }: ResolveRequest, sha256: string): Headers {
  const auth = new URL(`/api/models/${repository.id}/xet-read-token/${commit.sha}`, exchange.url);
  return { 'x-xet-hash': sha256, link: `<${auth.href}>; rel="xet-auth"` };
}

function disposition(file: StoredFile): string {
  const name = encodeURIComponent(file.path.split('/').at(-1) ?? file.path);
  return `inline; filename*=UTF-8''${name}; filename="${name}";`;
}
