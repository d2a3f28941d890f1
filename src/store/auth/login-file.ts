import { isUtf8 } from 'node:buffer';
import { decodeText } from '../../core/decode-text.ts';
import { ConfigError } from '../../core/errors.ts';
import { quoted } from '../../core/safe-text.ts';
import { readSmallFile } from '../../core/small-file.ts';
import { reasonOf } from '../../core/system-error.ts';
import { normalizeRegistry } from '../../oci/reference.ts';
import type { Credential } from './types.ts';

// Docker's config.json and the auth.json of Podman and skopeo, which differ in that the latter's keys may name a part
// of a registry: https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md

/** What a login file says. */
export interface LoginFile {
  readonly file: string;
  readonly isMissing: boolean;
  readonly auths: readonly (readonly [Scope, Credential])[];
  /** `''` for a registry whose login is in `auths`, whatever `credsStore` is. */
  readonly helpers: readonly (readonly [Scope, string])[];
  /** The helper for everything else. */
  readonly credsStore: string | undefined;
  /** Entries that cannot be read; each is about its own registry alone. */
  readonly troubles: readonly (readonly [Scope, string])[];
}

const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** What a key stands for: a registry, or what lies under `path` in it. */
interface Scope {
  readonly registry: string;
  readonly path: string;
  /** Whether the key is a URL whose path Docker ignores: it counts for its host if no other key does. */
  readonly isLoose?: boolean;
}

/**
 * Returns the logins of a file; none if it does not exist. Throws ConfigError CONFIG_UNREADABLE or CONFIG_INVALID,
 * never with content, for a file that is invalid as a whole; an entry that is invalid is one of its `troubles`.
 */
export async function readLoginFile(file: string): Promise<LoginFile> {
  const content = await readText(file);
  return { ...parseLogins(content ?? '', file), isMissing: content === undefined };
}

/** Returns the logins of a text that is like such a file; `file` names it in errors. Throws as `readLoginFile` does. */
export function parseLogins(content: string, file: string): LoginFile {
  const json = record(parse(file, content), file, 'the file');
  const troubles: (readonly [Scope, string])[] = [];
  const read = <T>(map: unknown, what: string, entryOf: (key: string, value: unknown) => T | undefined) =>
    Object.entries(record(map ?? {}, file, what)).flatMap(([key, value]) => {
      try {
        return scoped(key, entryOf(key, value));
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        troubles.push(...scoped(key, error.message));
        return [];
      }
    });
  return {
    file,
    isMissing: false,
    auths: read(json.auths, '"auths"', (key, value) => credentialOf(value, key, file)),
    helpers: read(json.credHelpers, '"credHelpers"', (key, value) =>
      value === '' ? '' : text(value, file, `"credHelpers" for ${quoted(key)}`),
    ),
    credsStore: text(json.credsStore, file, '"credsStore"'),
    troubles,
  };
}

/** Returns the login whose key is the nearest to the repository. */
export function findAuth(logins: LoginFile, registry: string, repository: string): Credential | undefined {
  let best: readonly [Scope, Credential] | undefined;
  for (const entry of logins.auths) {
    const [scope] = entry;
    const isUnder = scope.path === '' || `${repository}/`.startsWith(`${scope.path}/`);
    if (scope.registry !== registry || !isUnder) continue;
    if (best === undefined || nearness(scope) > nearness(best[0])) best = entry;
  }
  return best?.[1];
}

function nearness({ path, isLoose }: Scope): number {
  return isLoose ? -1 : path.length;
}

/** Returns the credential helper of a registry; undefined if none is configured. */
export function findHelper(logins: LoginFile, registry: string): string | undefined {
  return logins.helpers.find(([scope]) => scope.registry === registry)?.[1];
}

/** Returns why logins of a registry could not be read, a sentence each. */
export function findTroubles(logins: LoginFile, registry: string): string[] {
  return logins.troubles.filter(([scope]) => scope.registry === registry).map(([, trouble]) => trouble);
}

/** Undefined if there is no such file. */
async function readText(file: string): Promise<string | undefined> {
  try {
    // PowerShell writes UTF-16.
    return decodeText(await readSmallFile(file, { maxBytes: MAX_FILE_BYTES }));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new ConfigError(`cannot read the registry logins in ${file}: ${reasonOf(cause)}`, {
      code: 'CONFIG_UNREADABLE',
      subject: file,
      remedy: 'Make the file readable for this user, or point DOCKER_CONFIG elsewhere.',
      cause,
    });
  }
}

function parse(file: string, content: string): unknown {
  if (content.trim() === '') return {};
  try {
    return JSON.parse(content);
  } catch (error) {
    // The parser's own message quotes the text around the fault, which may be a password; so it is not a cause either.
    const before = content.slice(0, faultOffset(content, error)).split('\n');
    const position = `${file}:${before.length}:${(before.at(-1) ?? '').length + 1}`;
    throw new ConfigError(`${position}: the registry logins are not valid JSON`, {
      code: 'CONFIG_INVALID',
      subject: position,
      remedy: 'Correct the file, or remove it and log in again.',
    });
  }
}

/** V8 gives the position of most faults, but not of an unexpected token: that is the end of the first prefix to fail so. */
function faultOffset(content: string, error: unknown): number {
  const position = / at position (\d+)/.exec(messageOf(error))?.[1];
  if (position !== undefined) return Number(position);
  let low = 1;
  let high = content.length + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (hasUnexpectedToken(content.slice(0, middle))) high = middle;
    else low = middle + 1;
  }
  return low - 1;
}

function hasUnexpectedToken(content: string): boolean {
  try {
    JSON.parse(content);
    return false;
  } catch (error) {
    return messageOf(error).startsWith('Unexpected token');
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}

/** Keys are hosts, addresses (`https://index.docker.io/v1/`) or, in auth.json, hosts with a path. Others are not ours. */
function scoped<T>(key: string, value: T | undefined): (readonly [Scope, T])[] {
  const bare = key.replace(/^https?:\/\//, '');
  const slash = bare.indexOf('/');
  const registry = normalizeRegistry(slash === -1 ? bare : bare.slice(0, slash));
  if (registry === undefined || value === undefined) return [];
  const rest = slash === -1 ? '' : bare.slice(slash + 1).replace(/\/+$/, '');
  const path = /^v[12]$/.test(rest) ? '' : rest;
  if (bare === key || path === '') return [[{ registry, path }, value]];
  // Docker keeps its own tokens under https://index.docker.io/v1/access-token and the like.
  return registry === 'docker.io' ? [] : [[{ registry, path: '', isLoose: true }, value]];
}

/** Undefined for an entry without a login, as Docker leaves it where a helper has it. */
function credentialOf(value: unknown, key: string, file: string): Credential | undefined {
  // Tools that have logged out leave `null`.
  if (value === null) return undefined;
  const what = `the login for ${quoted(key)}`;
  const entry = record(value, file, what);
  const auth = decode(text(entry.auth, file, what), file, what);
  const username = auth?.username ?? text(entry.username, file, what);
  const password = auth?.password ?? text(entry.password, file, what);
  const account = username === undefined ? {} : { username };
  const bearer = text(entry.registrytoken, file, what);
  if (bearer !== undefined) return { kind: 'bearer', token: bearer, ...account };
  const token = text(entry.identitytoken, file, what);
  if (token !== undefined) return { kind: 'identity', token, ...account };
  // As in Docker, an entry without a password is not a login: public images can be read without one.
  if (username === undefined || !password) return undefined;
  const encoded = auth?.encoded;
  return { kind: 'basic', username, password, ...(encoded === undefined ? {} : { encoded }) };
}

function decode(auth: string | undefined, file: string, what: string) {
  if (auth === undefined) return undefined;
  const bytes = Buffer.from(auth, 'base64');
  const decoded = bytes.toString('utf8');
  const colon = decoded.indexOf(':');
  if (decoded === ':') return undefined;
  if (colon < 1) throw invalid(file, `${what}: "auth" is not base64 of user:password`);
  // An identity token comes with an empty password.
  return {
    username: decoded.slice(0, colon),
    // `echo user:password | base64` takes the line end in, too.
    password: decoded.slice(colon + 1).replace(/[\0\r\n]+$/, ''),
    // A password in another encoding has to arrive as it is.
    ...(isUtf8(bytes) ? {} : { encoded: bytes.toString('base64') }),
  };
}

function record(value: unknown, file: string, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw invalid(file, `${what} is not an object`);
}

function text(value: unknown, file: string, what: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw invalid(file, `${what} is not text`);
}

function invalid(file: string, what: string): ConfigError {
  return new ConfigError(`${file}: ${what}`, {
    code: 'CONFIG_INVALID',
    subject: file,
    remedy: 'Correct the file, or log in again with docker or podman.',
  });
}
