// A small client of GitHub's REST API for the steps of the reusable workflows. It needs Node.js alone: the jobs that may write
// install no packages.

const PER_PAGE = 100;
const MAX_PAGES = 50;
const TIMEOUT_MS = 60_000;

export class GitHubError extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.name = 'GitHubError';
    this.status = status;
  }
}

/** Requests as one repository's workflow token may make them. */
export interface GitHub {
  /** `owner/name` */
  readonly repository: string;
  /**
   * Sends a request to a path below the repository. Returns the JSON of the answer, undefined if it has none.
   * Throws GitHubError.
   */
  request<T>(method: string, path: string, body?: object): Promise<T>;
  /** Returns all pages of a list, 5,000 entries at most. Throws GitHubError. */
  list<T>(path: string, query?: Readonly<Record<string, string>>): Promise<T[]>;
}

/** Returns the client of the job that runs this. Throws an Error that names a variable that is missing. */
export function githubOfJob(env: NodeJS.ProcessEnv = process.env): GitHub {
  const repository = required(env, 'GITHUB_REPOSITORY');
  const token = required(env, 'GITHUB_TOKEN');
  const root = `${(env.GITHUB_API_URL || 'https://api.github.com').replace(/\/+$/, '')}/repos/${repository}`;

  async function request<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${root}${path}`, {
      method,
      headers: {
        accept: 'application/vnd.github+json',
        authorization: `Bearer ${token}`,
        'user-agent': 'weighbridge',
        'x-github-api-version': '2022-11-28',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) {
      const said = messageOf(text);
      throw new GitHubError(`${method} ${path}: ${response.status}${said && `: ${said}`}`, response.status);
    }
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  async function list<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T[]> {
    const all: T[] = [];
    for (let page = 1; page <= MAX_PAGES; page += 1) {
      const search = new URLSearchParams({ ...query, per_page: String(PER_PAGE), page: String(page) });
      const found = await request<T[]>('GET', `${path}?${search}`);
      all.push(...found);
      if (found.length < PER_PAGE) break;
    }
    return all;
  }

  return { repository, request, list };
}

/** Returns a variable of the job. Throws an Error if it is not set. */
export function required(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set`);
  return value;
}

/** Shows a line in the log, in which a line break could not begin a workflow command of its own. */
export function say(text: string): void {
  process.stdout.write(`${text.replaceAll(/[\r\n]+/g, ' ')}\n`);
}

/** Runs a step to its end. What goes wrong is an annotation of the run, and the exit status 1. */
export async function runStep(step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    say(`::error::${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

function messageOf(text: string): string {
  try {
    const { message, errors } = JSON.parse(text) as {
      message?: unknown;
      errors?: readonly { message?: unknown }[];
    };
    return [message, ...(errors ?? []).map(error => error.message)]
      .filter(part => typeof part === 'string')
      .join(': ');
  } catch {
    return '';
  }
}
