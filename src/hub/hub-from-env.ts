import { ConfigError } from '../core/errors.ts';
import type { HttpClient } from '../http/client.ts';
import { createHub } from './create-hub.ts';
import type { Hub } from './types.ts';

const PUBLIC_HUB = 'https://huggingface.co';

/** The Hub as the environment names it: `HF_ENDPOINT`, and the token of `HF_TOKEN` or `HUGGING_FACE_HUB_TOKEN`. */
export function hubFromEnv(env: Readonly<Record<string, string | undefined>>, http: HttpClient): Hub {
  const endpoint = readEndpoint(env.HF_ENDPOINT);
  const token = readToken(env);
  return createHub({ endpoint, http, ...(token === undefined ? {} : { token }) });
}

function readEndpoint(text: string | undefined): string {
  if (!text) return PUBLIC_HUB;
  const isUrl = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  if (isUrl) return text.replace(/\/+$/, '');
  throw new ConfigError('HF_ENDPOINT is not an HTTP address', {
    code: 'USAGE',
    subject: 'HF_ENDPOINT',
    remedy: `Set it to something like ${PUBLIC_HUB}, or unset it.`,
  });
}

function readToken(env: Readonly<Record<string, string | undefined>>): string | undefined {
  for (const name of ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN']) {
    const token = env[name]?.trim();
    if (!token) continue;
    // The value itself is not shown: it may be most of a real token.
    if (/^[\x21-\x7e]+$/.test(token)) return token;
    throw new ConfigError(`${name} has characters that no token has`, {
      code: 'USAGE',
      subject: name,
      remedy: 'Set it again, without quotes, spaces and line ends.',
    });
  }
  return undefined;
}
