import { spawnSync } from 'node:child_process';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { run, runOk } from '../../../support/tools.ts';
import type { Permissions } from './types.ts';

// A double of the part of GitHub's REST API that the workflows use. Its git objects are those of a real repository, and a token
// may do what the permissions of its job say.

export interface PullRequestRecord {
  readonly number: number;
  title: string;
  body: string;
  state: 'open' | 'closed';
  merged_at: string | null;
  readonly head: {
    readonly ref: string;
    readonly sha: string;
    readonly repo: { readonly full_name: string };
  };
  readonly base: { readonly ref: string; readonly repo: { readonly full_name: string } };
}

export interface CommentRecord {
  readonly id: number;
  readonly issue: number;
  body: string;
  readonly user: { readonly login: string; readonly type: string };
}

export interface GitHubApi {
  readonly url: string;
  readonly tokenFor: (permissions: Permissions) => string;
  readonly pulls: PullRequestRecord[];
  readonly comments: CommentRecord[];
  /** `METHOD path` of all requests that write. */
  readonly writes: string[];
  /** Settings → Actions: may workflows open pull requests? */
  mayOpenPulls: boolean;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Whom a workflow's token stands for. */
const BOT = {
  name: 'github-actions[bot]',
  email: '41898282+github-actions[bot]@users.noreply.github.com',
};

/** The JSON of a request: each endpoint knows its own. */
type Body = Readonly<Record<string, unknown>>;

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export async function startGitHubApi(repository: string, name: string): Promise<GitHubApi> {
  const tokens = new Map<string, Permissions>();
  const api = { pulls: [] as PullRequestRecord[], comments: [] as CommentRecord[], writes: [] as string[] };
  const settings = { mayOpenPulls: true };
  let count = 0;
  const git = (...args: string[]): Promise<string> =>
    runOk('git', ['-C', repository, ...args]).then(text => text.trim());

  const server = createServer((request, response) => {
    answer(request).then(
      body => response.writeHead(body === undefined ? 204 : 200).end(body && JSON.stringify(body)),
      (error: unknown) => {
        const status = error instanceof Refusal ? error.status : 500;
        response.writeHead(status).end(JSON.stringify({ message: (error as Error).message }));
      },
    );
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));

  async function answer(request: IncomingMessage): Promise<object | undefined> {
    const { method = 'GET' } = request;
    const url = new URL(request.url ?? '/', 'http://localhost');
    const root = `/repos/${name}`;
    if (!url.pathname.startsWith(`${root}/`)) throw new Refusal(404, 'Not Found');
    const path = decodeURIComponent(url.pathname.slice(root.length));
    const permissions = tokens.get(request.headers.authorization?.replace('Bearer ', '') ?? '');
    if (permissions === undefined) throw new Refusal(401, 'Bad credentials');
    const scope = /^\/(?:git|contents)\//.test(path) ? 'contents' : 'pull-requests';
    const may = permissions[scope];
    if (method === 'GET' ? may === undefined : may !== 'write')
      throw new Refusal(403, 'Resource not accessible by integration');
    if (method !== 'GET') api.writes.push(`${method} ${path}`);
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    return await route(method, path, url.searchParams, text === '' ? {} : JSON.parse(text));
  }

  async function route(
    method: string,
    path: string,
    query: URLSearchParams,
    body: Body,
  ): Promise<object | undefined> {
    const [, kind, ...rest] = path.split('/');
    const at = `${method} ${kind}${rest.length === 0 ? '' : `/${rest[0]}`}`;
    if (at === 'GET pulls') return page(listPulls(query), query);
    if (at === 'POST pulls') return await openPull(body as never);
    if (method === 'PATCH' && kind === 'pulls') return Object.assign(pullOf(Number(rest[0])), body);
    if (kind === 'issues' && rest[0] === 'comments' && method === 'PATCH') {
      const comment = api.comments.find(({ id }) => id === Number(rest[1]));
      if (comment === undefined) throw new Refusal(404, 'Not Found');
      return Object.assign(comment, body);
    }
    if (kind === 'issues' && rest[1] === 'comments') {
      const issue = Number(rest[0]);
      if (method === 'GET')
        return page(
          api.comments.filter(one => one.issue === issue),
          query,
        );
      if (String(body.body).length > 65_536) throw new Refusal(422, 'body is too long');
      const user = { login: 'github-actions[bot]', type: 'Bot' };
      const comment = { id: ++count, issue, body: String(body.body), user };
      api.comments.push(comment);
      return comment;
    }
    if (at === 'GET git/commits') return await readCommit(rest[1] ?? '');
    if (at === 'POST git/trees') return { sha: await writeTree(body as never) };
    if (at === 'POST git/commits') return { sha: await writeCommit(body as never) };
    if (at === 'POST git/refs') return await setRef(String(body.ref), String(body.sha), false);
    if (at === 'PATCH git/refs')
      return await setRef(`refs/${rest.slice(1).join('/')}`, String(body.sha), true);
    if (at === 'DELETE git/refs') {
      await git('update-ref', '-d', `refs/${rest.slice(1).join('/')}`);
      return undefined;
    }
    if (method === 'GET' && kind === 'contents') {
      const { stdout, status } = await run('git', [
        '-C',
        repository,
        'rev-parse',
        `${query.get('ref')}:${rest.join('/')}`,
      ]);
      if (status !== 0) throw new Refusal(404, 'Not Found');
      return { sha: stdout.trim() };
    }
    throw new Refusal(404, `no double of ${method} ${path}`);
  }

  function listPulls(query: URLSearchParams): PullRequestRecord[] {
    const [state, head, base] = [query.get('state') ?? 'open', query.get('head'), query.get('base')];
    return api.pulls
      .map(withTip)
      .filter(
        one =>
          (state === 'all' || one.state === state) &&
          (head === null || head === `${one.head.repo.full_name.split('/')[0]}:${one.head.ref}`) &&
          (base === null || base === one.base.ref),
      );
  }

  async function openPull(body: {
    head: string;
    base: string;
    title: string;
    body: string;
  }): Promise<object> {
    if (!settings.mayOpenPulls)
      throw new Refusal(403, 'GitHub Actions is not permitted to create or approve pull requests.');
    const sha = await git('rev-parse', `refs/heads/${body.head}`);
    const repo = { full_name: name };
    const pull: PullRequestRecord = {
      number: ++count,
      title: body.title,
      body: body.body,
      state: 'open',
      merged_at: null,
      head: { ref: body.head, sha, repo },
      base: { ref: body.base, repo },
    };
    api.pulls.push(pull);
    return pull;
  }

  function pullOf(number: number): PullRequestRecord {
    const found = api.pulls.find(one => one.number === number);
    if (found === undefined) throw new Refusal(404, 'Not Found');
    return found;
  }

  /** The head of an open pull request of this repository is wherever its branch is. */
  function withTip(pull: PullRequestRecord): PullRequestRecord {
    const branch = spawnSync('git', [
      '-C',
      repository,
      'rev-parse',
      '--quiet',
      '--verify',
      `refs/heads/${pull.head.ref}`,
    ]);
    const sha = branch.stdout.toString().trim();
    return sha === '' || pull.head.repo.full_name !== name ? pull : { ...pull, head: { ...pull.head, sha } };
  }

  async function readCommit(sha: string): Promise<object> {
    const [tree = '', email = ''] = (await git('show', '--no-patch', '--format=%T%n%ae', sha)).split('\n');
    return { sha, tree: { sha: tree }, author: { email } };
  }

  async function writeTree(body: {
    base_tree: string;
    tree: { path: string; mode: string; content: string }[];
  }): Promise<string> {
    const env = { GIT_INDEX_FILE: `${repository}/.git/index-of-api-${++count}` };
    const at = { env, cwd: repository };
    await runOk('git', ['read-tree', body.base_tree], at);
    for (const { path, mode, content } of body.tree) {
      const blob = (await runOk('git', ['hash-object', '-w', '--stdin'], { ...at, input: content })).trim();
      await runOk('git', ['update-index', '--add', '--cacheinfo', `${mode},${blob},${path}`], at);
    }
    return (await runOk('git', ['write-tree'], at)).trim();
  }

  async function writeCommit(body: {
    message: string;
    tree: string;
    parents: string[];
    author?: { name: string; email: string };
  }): Promise<string> {
    const { name: author, email } = body.author ?? BOT;
    const env = {
      GIT_AUTHOR_NAME: author,
      GIT_AUTHOR_EMAIL: email,
      GIT_COMMITTER_NAME: 'GitHub',
      GIT_COMMITTER_EMAIL: 'noreply@github.com',
    };
    const parents = body.parents.flatMap(parent => ['-p', parent]);
    const args = ['-C', repository, 'commit-tree', body.tree, ...parents, '-m', body.message];
    return (await runOk('git', args, { env })).trim();
  }

  async function setRef(ref: string, sha: string, isThere: boolean): Promise<object> {
    const known = (await run('git', ['-C', repository, 'rev-parse', '--verify', ref])).status === 0;
    if (known !== isThere)
      throw new Refusal(422, known ? 'Reference already exists' : 'Reference does not exist');
    await git('update-ref', ref, sha);
    return { ref, object: { sha } };
  }

  const { port } = server.address() as AddressInfo;
  return {
    ...api,
    url: `http://127.0.0.1:${port}`,
    tokenFor: permissions => {
      const token = `ghs_${Buffer.from(JSON.stringify(permissions)).toString('hex')}`;
      tokens.set(token, permissions);
      return token;
    },
    get mayOpenPulls() {
      return settings.mayOpenPulls;
    },
    set mayOpenPulls(value) {
      settings.mayOpenPulls = value;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

function page<T>(all: readonly T[], query: URLSearchParams): T[] {
  const size = Number(query.get('per_page') ?? 30);
  const start = (Number(query.get('page') ?? 1) - 1) * size;
  return all.slice(start, start + size);
}
