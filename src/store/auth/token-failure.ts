import { RegistryError, WeighbridgeError } from '../../core/errors.ts';
import { isRecord, parseJson } from '../../core/json-shape.ts';
import type { HttpResponse } from '../../http/types.ts';
import { loginRemedy } from '../remedies.ts';

/** Whose login failed, and with what. */
export interface FailedLogin {
  readonly registry: string;
  readonly hasCredential: boolean;
  /** Appended if no login was found. */
  readonly trouble: string;
}

const MAX_ANSWER_BYTES = 64 * 1024;
const UNCHECKED = 'The login itself was not checked.';

/**
 * Returns the error for a token service that gave no token. Only an answer about the login is a refused login: a service
 * that is busy or broken has not looked at it.
 */
export async function tokenFailure(
  response: HttpResponse,
  { registry, hasCredential, trouble }: FailedLogin,
): Promise<RegistryError> {
  const { status } = response;
  const { host } = new URL(response.url);
  const common = { subject: registry, status };
  if (await isRefusedLogin(response)) {
    return new RegistryError(
      hasCredential
        ? `${registry} refused the login (status ${status})`
        : `${registry} wants a login and none was found (status ${status})${trouble}`,
      { code: 'REGISTRY_UNAUTHORIZED', subject: registry, remedy: loginRemedy(registry) },
    );
  }
  const attempt = `logging in to ${registry}: its token service ${host}`;
  if (status === 429) {
    return new RegistryError(`${attempt} is busy (status 429)`, {
      ...common,
      code: 'REGISTRY_RATE_LIMITED',
      remedy: `${UNCHECKED} Wait, then run the command again.`,
    });
  }
  return new RegistryError(`${attempt} answered ${status}`, {
    ...common,
    code: 'REGISTRY_LOGIN_SERVICE',
    remedy:
      status >= 500
        ? `${UNCHECKED} The token service has a problem of its own: run the command again later.`
        : `${UNCHECKED} Check that ${registry} is the registry that is meant, and how it is set up.`,
  });
}

async function isRefusedLogin(response: HttpResponse): Promise<boolean> {
  const { status } = response;
  // Nothing of the answer is quoted: it may repeat the token that was sent.
  if (status === 400) return (await errorCodes(response)).some(code => REFUSALS.has(code.toLowerCase()));
  response.discard();
  return status === 401 || status === 403;
}

/**
 * OAuth says with status 400 that a token is not valid (any more); others have a registry's errors there.
 * https://www.rfc-editor.org/rfc/rfc6749#section-5.2
 */
const REFUSALS: ReadonlySet<string> = new Set([
  ...['invalid_grant', 'invalid_client', 'unauthorized_client', 'access_denied'],
  ...['unauthorized', 'denied'],
]);

async function errorCodes(response: HttpResponse): Promise<string[]> {
  try {
    const answer: unknown = parseJson((await response.bytes(MAX_ANSWER_BYTES)).toString('utf8'));
    if (!isRecord(answer)) return [];
    const { error, errors } = answer;
    const codes = Array.isArray(errors) ? errors.map(one => (isRecord(one) ? one.code : undefined)) : [];
    return [error, ...codes].filter(code => typeof code === 'string');
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof WeighbridgeError) return [];
    throw thrown;
  }
}
