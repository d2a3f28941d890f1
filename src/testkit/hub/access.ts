import { type Exchange, type Headers, Refusal } from '../server/exchange.ts';
import type { Repository } from './repository.ts';

/** The owner of a token. */
export interface HubUser {
  readonly name: string;
  /** Gated and private repositories that this user may read. */
  readonly repositories: 'all' | readonly string[];
}

/**
 * Returns who asks; undefined for a request without a token. A token that is not known is refused, even for what
 * everybody may read. Throws HubError.
 */
export function userOf(exchange: Exchange, tokens: ReadonlyMap<string, HubUser>): HubUser | undefined {
  const header = exchange.header('authorization');
  if (header === undefined) return undefined;
  const user = tokens.get(/^Bearer (.+)$/i.exec(header)?.[1] ?? '');
  if (user === undefined) throw hubError(401, undefined, 'Invalid credentials in Authorization header');
  return user;
}

/** Returns whether a user may read the files of a repository. */
export function mayRead(user: HubUser | undefined, repository: Repository): boolean {
  return user?.repositories === 'all' || (user?.repositories.includes(repository.id) ?? false);
}

/**
 * Returns one answer for what does not exist and what must not be seen. Without a login that is a 401 without a code:
 * only a known user learns that the repository is missing.
 */
export function repoNotFound(user: HubUser | undefined): Refusal {
  return user === undefined
    ? hubError(401, undefined, 'Invalid username or password.', {
        'www-authenticate': 'Bearer realm="Authentication required", charset="UTF-8"',
      })
    : hubError(404, 'RepoNotFound', 'Repository not found');
}

/** The metadata of a gated repository is for everybody; this stands before its files. Throws HubError. */
export function checkGate(user: HubUser | undefined, repository: Repository): void {
  if (repository.gated === false || mayRead(user, repository)) return;
  const { id } = repository;
  throw user === undefined
    ? hubError(
        401,
        'GatedRepo',
        `Access to model ${id} is restricted. You must have access to it and be authenticated to access it. Please log in.`,
      )
    : hubError(
        403,
        'GatedRepo',
        `Access to model ${id} is restricted and you are not in the authorized list. Visit https://huggingface.co/${id} to ask for access.`,
      );
}

/** Returns an error as the Hub answers it. */
export function hubError(
  status: number,
  code: string | undefined,
  message: string,
  headers: Headers = {},
): Refusal {
  return new Refusal(
    status,
    {
      'content-type': 'application/json; charset=utf-8',
      'x-error-code': code,
      'x-error-message': message,
      ...headers,
    },
    JSON.stringify({ error: message }),
  );
}
