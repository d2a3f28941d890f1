import { HubError } from '../core/errors.ts';
import { isRecord, parseJson } from '../core/json-shape.ts';
import { plainLine } from '../core/safe-text.ts';
import type { HttpClient } from '../http/client.ts';
import { badAnswer, explainHubError, type HubQuestion, hubFailure } from './hub-failure.ts';
import type { HubAccount } from './types.ts';

const MAX_BODY_BYTES = 1024 * 1024;

/**
 * Returns whose token the Hub was sent, undefined if there is none; the Hub was reached in either case.
 * Throws HubError, HUB_UNAUTHORIZED for a token that it does not accept.
 */
export async function whoAmI(
  http: HttpClient,
  endpoint: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<HubAccount | undefined> {
  const hasToken = headers.authorization !== undefined;
  const question: HubQuestion = { endpoint, model: 'the token', revision: 'main', hasToken };
  const url = `${endpoint}/api/whoami-v2`;
  const asked = {
    method: 'GET' as const,
    url,
    headers,
    purpose: 'asking the Hub whose token this is',
    signal,
  };
  try {
    const { response, bytes } = await http.requestBytes(asked, MAX_BODY_BYTES);
    if (bytes !== undefined) return parseAccount(bytes);
    if (response.status !== 401 && response.status !== 403) throw hubFailure(response, question);
    response.discard();
    if (!hasToken) return undefined;
  } catch (error) {
    throw explainHubError(error, question);
  }
  throw new HubError(`${endpoint} does not accept the token`, {
    code: 'HUB_UNAUTHORIZED',
    subject: endpoint,
    remedy: `Make one with the right to read at ${endpoint}/settings/tokens, and set HF_TOKEN to it.`,
  });
}

function parseAccount(bytes: Buffer): HubAccount {
  let value: unknown;
  try {
    value = parseJson(bytes.toString('utf8'));
  } catch {
    // As wrong as one without a name.
  }
  if (!isRecord(value) || typeof value.name !== 'string')
    throw badAnswer('the token', 'the answer names no account');
  const { auth } = value;
  const token = isRecord(auth) && isRecord(auth.accessToken) ? auth.accessToken : {};
  return {
    name: plainLine(value.name),
    ...(typeof token.role === 'string' && { role: plainLine(token.role) }),
  };
}
