import path from 'node:path';
import { plainValue } from '../core/env-text.ts';
import { ConfigError } from '../core/errors.ts';
import { quoted } from '../core/safe-text.ts';
import { readSmallFileSync } from '../core/small-file.ts';
import { reasonOf } from '../core/system-error.ts';
import type { HttpClient } from '../http/client.ts';
import { isLoopbackHost } from '../http/hosts.ts';
import { createHub } from './create-hub.ts';
import { rangeOptions } from './download/open-file.ts';
import type { Hub } from './types.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const MAX_TOKEN_BYTES = 16 * 1024;
const PUBLIC_HUB = 'https://huggingface.co';

/**
 * Returns the Hub as the environment names it: `HF_ENDPOINT`, and the first token of `HF_TOKEN`,
 * `HUGGING_FACE_HUB_TOKEN`, the file `HF_TOKEN_PATH` and the file `token` in `HF_HOME`. `WEIGHBRIDGE_HUB_STREAMS`
 * bounds how many ranges of a file are read at once.
 */
export function hubFromEnv(env: Environment, http: HttpClient): Hub {
  const endpoint = readEndpoint(env.HF_ENDPOINT);
  const token = readToken(env);
  if (token !== undefined) checkTransport(endpoint, env);
  const ranges = rangeOptions(readStreams(env.WEIGHBRIDGE_HUB_STREAMS));
  return createHub({ endpoint, http, ranges, ...(token === undefined ? {} : { token }) });
}

/** Returns the name of the variable that the token comes from; undefined without a token. Throws ConfigError USAGE. */
export function tokenSource(env: Environment): string | undefined {
  for (const [name, text] of tokenPlaces(env)) if (plainValue(text)) return name;
  return undefined;
}

function readStreams(text: string | undefined): number | undefined {
  if (!text) return undefined;
  if (/^[1-8]$/.test(text)) return Number(text);
  throw new ConfigError(`WEIGHBRIDGE_HUB_STREAMS must be a number from 1 to 8, not ${quoted(text)}`, {
    code: 'USAGE',
    subject: 'WEIGHBRIDGE_HUB_STREAMS',
    remedy:
      'Unset it, or set it to how many ranges of one file may be read at once (1: never more than one).',
  });
}

function readEndpoint(text: string | undefined): string {
  if (!text) return PUBLIC_HUB;
  const url = URL.parse(text.trim());
  const isPlain =
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    [url.username, url.password, url.search, url.hash].every(part => part === '');
  if (isPlain) return url.href.replace(/\/+$/, '');
  // Not shown: it may have a password in it, and it would be in every error and label.
  throw new ConfigError('HF_ENDPOINT is not a plain HTTP address', {
    code: 'USAGE',
    subject: 'HF_ENDPOINT',
    remedy: `Set it to something like ${PUBLIC_HUB}, or unset it; a login goes into HF_TOKEN.`,
  });
}

/** A token in the clear is anybody's who sees it pass. Throws ConfigError USAGE. */
function checkTransport(endpoint: string, env: Environment): void {
  const { protocol, hostname } = new URL(endpoint);
  if (protocol === 'https:' || isLoopbackHost(hostname) || env.WEIGHBRIDGE_PLAIN_HTTP_TOKEN === '1') return;
  throw new ConfigError(
    `HF_ENDPOINT is ${endpoint}: a token would go there over plain HTTP, for anyone to read`,
    {
      code: 'USAGE',
      subject: 'HF_ENDPOINT',
      remedy:
        'Use https://, unset HF_TOKEN, or set WEIGHBRIDGE_PLAIN_HTTP_TOKEN=1 in a network that you trust.',
    },
  );
}

function readToken(env: Environment): string | undefined {
  for (const [name, text] of tokenPlaces(env)) {
    const token = plainValue(text);
    if (!token) continue;
    // The value itself is not shown: it may be most of a real token.
    if (/^[\x21\x23-\x26\x28-\x7e]+$/.test(token)) return token;
    throw new ConfigError(`${name} has characters that no token has`, {
      code: 'USAGE',
      subject: name,
      remedy: 'Set it again, without quotes, spaces and line ends.',
    });
  }
  return undefined;
}

function* tokenPlaces(env: Environment): Generator<[name: string, text: string | undefined]> {
  for (const name of ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN']) yield [name, env[name]];
  if (env.HF_TOKEN_PATH) yield ['HF_TOKEN_PATH', readTokenFile('HF_TOKEN_PATH', env.HF_TOKEN_PATH)];
  else if (env.HF_HOME) yield ['HF_HOME', readTokenFile('HF_HOME', path.join(env.HF_HOME, 'token'))];
}

function readTokenFile(name: string, file: string): string | undefined {
  try {
    return readSmallFileSync(file, { maxBytes: MAX_TOKEN_BYTES }).toString('utf8');
  } catch (cause) {
    // There is no login on this machine, which is fine.
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError(`the token file that ${name} names cannot be read: ${reasonOf(cause)}`, {
      code: 'USAGE',
      subject: name,
      remedy: `Make ${file} a file that can be read, or unset ${name}.`,
      cause,
    });
  }
}
