import type { Exchange } from '../server/exchange.ts';
import type { SignedOrigin } from '../server/signed-origin.ts';
import { checkGate, type HubUser, hubError, mayRead, repoNotFound, userOf } from './access.ts';
import { answerApi, sendRefs } from './api.ts';
import type { RateLimits } from './rate-limits.ts';
import type { Commit, Repository } from './repository.ts';
import { answerResolve, sendSmallFile } from './resolve.ts';
import type { XetStorage } from './xet.ts';

/** Everything that the embedded Hub holds. */
export interface HubState {
  readonly repositories: ReadonlyMap<string, Repository>;
  /** Old names and the new ones. */
  readonly renamed: ReadonlyMap<string, string>;
  readonly tokens: ReadonlyMap<string, HubUser>;
  readonly cdn: SignedOrigin;
  readonly xet: XetStorage;
  readonly rateLimits: RateLimits;
  readonly treePageSize: number;
  readonly smallFiles: 'redirect' | 'direct';
}

const API_KINDS = ['revision', 'tree', 'paths-info', 'refs', 'xet-read-token'];

/** What the Hub does with a request. Throws HubError. */
export async function answerHub(state: HubState, exchange: Exchange): Promise<void> {
  const segments = exchange.url.pathname.split('/').slice(1).map(decodeSegment);
  const isCache = segments[0] === 'api' && segments[1] === 'resolve-cache';
  if (!isCache) state.rateLimits.count(exchange, segments[0] === 'api' ? 'api' : 'resolvers');
  const user = userOf(exchange, state.tokens);
  if (segments[0] === 'api' && segments[1] === 'models')
    return await modelsApi(state, exchange, user, segments.slice(2));
  if (isCache && segments[2] === 'models') {
    return await resolveCache(state, exchange, user, segments.slice(3));
  }
  if (segments[0] === 'api' && segments[1] === 'whoami-v2') return await whoAmI(exchange, user);
  const at = segments.indexOf('resolve', 1);
  if (at !== -1 && at <= 2) return await resolveFile(state, exchange, user, segments, at);
  throw hubError(404, undefined, 'Not Found');
}

async function modelsApi(state: HubState, exchange: Exchange, user: HubUser | undefined, segments: string[]) {
  // A repository's name has one part or two.
  const at = [1, 2].find(index => API_KINDS.includes(segments[index] ?? '')) ?? segments.length;
  const kind = segments[at];
  const repository = findRepository(state, exchange, user, segments.slice(0, at).join('/'));
  if (kind === 'refs') return await sendRefs(exchange, repository);
  if (kind === 'xet-read-token') {
    checkGate(user, repository);
    return await state.xet.sendReadToken(exchange);
  }
  const commit = findCommit(repository, segments[at + 1] ?? 'main');
  const path = segments.slice(at + 2).join('/');
  return await answerApi({ exchange, repository, commit, kind, path, treePageSize: state.treePageSize });
}

async function resolveFile(
  state: HubState,
  exchange: Exchange,
  user: HubUser | undefined,
  segments: string[],
  at: number,
) {
  checkMethod(exchange);
  const repository = findRepository(state, exchange, user, segments.slice(0, at).join('/'));
  checkGate(user, repository);
  const commit = findCommit(repository, segments[at + 1] ?? '');
  const path = segments.slice(at + 2).join('/');
  const { cdn, smallFiles } = state;
  await answerResolve({ exchange, repository, commit, path, cdn, smallFiles });
}

/** Where the Hub sends those who want a small file: the same host, another path. */
async function resolveCache(
  state: HubState,
  exchange: Exchange,
  user: HubUser | undefined,
  segments: string[],
) {
  checkMethod(exchange);
  const at = segments.findIndex((segment, index) => index > 0 && /^[0-9a-f]{40}$/.test(segment));
  const repository = findRepository(state, exchange, user, segments.slice(0, at).join('/'));
  checkGate(user, repository);
  const commit = findCommit(repository, segments[at] ?? '');
  const file = commit.files.get(segments.slice(at + 1).join('/'));
  if (file === undefined || file.lfs !== undefined) throw hubError(404, 'EntryNotFound', 'Entry not found');
  await sendSmallFile(exchange, commit, file);
}

function findRepository(
  state: HubState,
  exchange: Exchange,
  user: HubUser | undefined,
  id: string,
): Repository {
  const newId = state.renamed.get(id);
  const repository = state.repositories.get(newId ?? id);
  if (repository === undefined || (repository.isPrivate && !mayRead(user, repository)))
    throw repoNotFound(user);
  if (repository.isDisabled) throw hubError(403, 'DisabledRepo', 'Access to this resource is disabled.');
  if (newId !== undefined) throw moved(exchange, id, newId);
  return repository;
}

function moved(exchange: Exchange, id: string, newId: string) {
  const { pathname, search } = exchange.url;
  const location = `${pathname.replace(`/${id}`, `/${newId}`)}${search}`;
  return hubError(307, undefined, `Temporary Redirect. Redirecting to ${location}`, { location });
}

function findCommit(repository: Repository, revision: string): Commit {
  const commit = repository.resolve(revision);
  if (commit === undefined) throw hubError(404, 'RevisionNotFound', `Invalid rev id: ${revision}`);
  return commit;
}

async function whoAmI(exchange: Exchange, user: HubUser | undefined): Promise<void> {
  if (user === undefined) throw hubError(401, undefined, 'Invalid username or password.');
  const { name } = user;
  const auth = { type: 'access_token', accessToken: { displayName: 'testkit', role: 'read' } };
  await exchange.sendJson(200, { type: 'user', id: name, name, fullname: name, orgs: [], auth });
}

function checkMethod(exchange: Exchange): void {
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw hubError(404, undefined, 'Not Found');
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw hubError(400, undefined, 'Bad Request');
  }
}
