import type { Exchange } from '../server/exchange.ts';
import { hubError } from './access.ts';
import type { TreeNode } from './git-objects.ts';
import { modelInfo, treeEntry } from './model-info.ts';
import type { Commit, Repository } from './repository.ts';

/** A request to the Hub's API. */
export interface ApiRequest {
  readonly exchange: Exchange;
  readonly repository: Repository;
  readonly commit: Commit;
  /** `tree`, `paths-info`, or undefined for the model itself. */
  readonly kind: string | undefined;
  /** What follows the revision: a folder for `tree`. */
  readonly path: string;
  readonly treePageSize: number;
}

/** Answers `/api/models/{id}…` for a commit that exists and may be seen. */
export async function answerApi(request: ApiRequest): Promise<void> {
  const { exchange, repository, commit, kind } = request;
  if (kind === 'tree') return await sendTree(request);
  if (kind === 'paths-info') return await sendPathsInfo(exchange, commit);
  const has = (name: string): boolean => isTrue(exchange.url.searchParams.get(name));
  const wanted = { hasBlobs: has('blobs'), hasSecurity: has('securityStatus') };
  return await exchange.sendJson(200, await modelInfo(repository, commit, wanted));
}

/** Answers with the branches and tags of a repository. */
export function sendRefs(exchange: Exchange, repository: Repository): Promise<void> {
  const list = (names: ReadonlyMap<string, string>, kind: string) =>
    [...names].map(([name, targetCommit]) => ({ name, ref: `refs/${kind}/${name}`, targetCommit }));
  return exchange.sendJson(200, {
    branches: list(repository.branches, 'heads'),
    tags: list(repository.tags, 'tags'),
    converts: [],
  });
}

async function sendTree({ exchange, commit, path, treePageSize }: ApiRequest): Promise<void> {
  const { url } = exchange;
  const folder = findFolder(commit.tree, path);
  if (folder === undefined) throw hubError(404, 'EntryNotFound', `${path} does not exist on "${commit.sha}"`);
  const isRecursive = isTrue(url.searchParams.get('recursive'));
  const isExpanded = isTrue(url.searchParams.get('expand'));
  const entries = [...listTree(commit, folder, path, isRecursive)];
  const start = readCursor(url.searchParams.get('cursor'));
  // A page of an expanded listing is smaller: each entry costs the Hub a look into the history.
  const limit = Number(
    url.searchParams.get('limit') ?? (isExpanded ? Math.min(50, treePageSize) : treePageSize),
  );
  const page = entries.slice(start, start + limit);
  const headers: Record<string, string> = {};
  if (start + limit < entries.length) {
    const next = new URL(url);
    next.searchParams.set('limit', String(limit));
    next.searchParams.set('cursor', Buffer.from(JSON.stringify({ from: start + limit })).toString('base64'));
    headers.link = `<${next.href}>; rel="next"`;
  }
  await exchange.sendJson(200, isExpanded ? page.map(entry => expanded(entry, commit)) : page, headers);
}

function* listTree(
  commit: Commit,
  folder: TreeNode,
  path: string,
  isRecursive: boolean,
): Iterable<Record<string, unknown>> {
  const prefix = path === '' ? '' : `${path}/`;
  for (const [name, below] of folder.folders) {
    yield { type: 'directory', oid: below.oid, size: 0, path: `${prefix}${name}` };
    if (isRecursive) yield* listTree(commit, below, `${prefix}${name}`, true);
  }
  for (const name of folder.files.keys()) {
    const file = commit.files.get(`${prefix}${name}`);
    if (file !== undefined) yield treeEntry(file);
  }
}

function expanded(entry: Record<string, unknown>, commit: Commit): Record<string, unknown> {
  const security = {
    status: 'safe',
    jFrogScan: {},
    protectAiScan: {},
    avScan: { status: 'safe' },
    pickleImportScan: null,
  };
  return {
    ...entry,
    lastCommit: { id: commit.sha, title: commit.title, date: commit.date },
    ...(entry.type === 'file' ? { securityFileStatus: security } : {}),
  };
}

async function sendPathsInfo(exchange: Exchange, commit: Commit): Promise<void> {
  if (exchange.method !== 'POST') throw hubError(404, undefined, 'Not Found');
  const body = (await exchange.bytes(1024 * 1024)).toString('utf8');
  const { paths, isExpanded } = readPathsRequest(exchange.header('content-type') ?? '', body);
  const found = paths.flatMap((path): Record<string, unknown>[] => {
    const file = commit.files.get(path);
    if (file !== undefined) return [treeEntry(file)];
    const folder = path === '' ? undefined : findFolder(commit.tree, path);
    return folder === undefined ? [] : [{ type: 'directory', oid: folder.oid, size: 0, path }];
  });
  await exchange.sendJson(200, isExpanded ? found.map(entry => expanded(entry, commit)) : found);
}

function readPathsRequest(contentType: string, body: string): { paths: string[]; isExpanded: boolean } {
  if (contentType.startsWith('application/json')) {
    const value = JSON.parse(body) as { paths?: string | string[]; expand?: boolean };
    return { paths: [value.paths ?? []].flat(), isExpanded: value.expand === true };
  }
  const form = new URLSearchParams(body);
  return { paths: form.getAll('paths'), isExpanded: isTrue(form.get('expand')) };
}

function findFolder(tree: TreeNode, path: string): TreeNode | undefined {
  const names = path.split('/').filter(name => name !== '');
  return names.reduce<TreeNode | undefined>((folder, name) => folder?.folders.get(name), tree);
}

function readCursor(cursor: string | null): number {
  if (cursor === null) return 0;
  try {
    return Number(JSON.parse(Buffer.from(cursor, 'base64').toString('utf8')).from);
  } catch {
    throw hubError(400, undefined, 'Invalid cursor');
  }
}

/** Python clients write `True`. */
function isTrue(value: string | null): boolean {
  return value !== null && ['true', '1'].includes(value.toLowerCase());
}
