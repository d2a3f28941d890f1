import { SigningError } from '../../core/errors.ts';
import { parseJson } from '../../core/json-shape.ts';
import { plainLine } from '../../core/safe-text.ts';
import type { HttpClient } from '../../http/client.ts';

/** Fulcio takes tokens that were made for it. */
const AUDIENCE = 'sigstore';
/** Clocks may differ by this much. */
const TOLERANCE_MS = 60_000;
const MAX_TOKEN_BYTES = 64 * 1024;

/**
 * Returns the OIDC token of this CI job: GitHub Actions gives one on request, GitLab and others put it into
 * `SIGSTORE_ID_TOKEN`. Throws SigningError SIGNING_IDENTITY, or SIGNING_SERVICE if GitHub is busy.
 */
export async function identityToken(
  env: NodeJS.ProcessEnv,
  http: HttpClient,
  signal?: AbortSignal,
): Promise<string> {
  const token = env.SIGSTORE_ID_TOKEN || (await githubToken(env, http, signal));
  checkTimes(token);
  return token;
}

/** https://docs.github.com/en/actions/security-for-github-actions/security-hardening-your-deployments */
async function githubToken(
  env: NodeJS.ProcessEnv,
  http: HttpClient,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: address, ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret } = env;
  if (!address || !secret) {
    const isGithub = env.GITHUB_ACTIONS === 'true';
    throw identityError('there is no identity token to sign with', {
      remedy: isGithub
        ? 'Give the job `permissions: id-token: write`.'
        : 'Keyless signing works in GitHub Actions with `id-token: write`, and in GitLab with `id_tokens: SIGSTORE_ID_TOKEN: {aud: sigstore}`; elsewhere use a key.',
    });
  }
  const url = new URL(address);
  url.searchParams.set('audience', AUDIENCE);
  const { response, bytes } = await http.requestBytes(
    {
      method: 'GET',
      url: url.href,
      headers: { authorization: `Bearer ${secret}`, accept: 'application/json' },
      purpose: 'asking GitHub Actions for an identity token',
      signal,
    },
    MAX_TOKEN_BYTES,
  );
  const token = bytes && tokenIn(bytes);
  if (token !== undefined) return token;
  const { status } = response;
  response.discard();
  const message = `GitHub Actions gave no identity token (status ${status})`;
  // A service that is busy or broken says nothing of the job's permissions.
  if (status === 429 || status >= 500) {
    const remedy = 'GitHub has a problem of its own: run the job again later.';
    throw new SigningError(message, { code: 'SIGNING_SERVICE', remedy });
  }
  throw identityError(message, { remedy: 'Give the job `permissions: id-token: write`.' });
}

function tokenIn(bytes: Buffer): string | undefined {
  try {
    const { value } = parseJson(bytes.toString('utf8')) as { value?: unknown };
    return typeof value === 'string' && value !== '' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A clock that is wrong shows here first, and with a clearer message than the certificate authority has. */
function checkTimes(token: string): void {
  const { iat, exp, aud } = claimsOf(token);
  const now = Date.now();
  if (typeof exp === 'number' && exp * 1000 + TOLERANCE_MS < now) {
    throw identityError(
      `the identity token expired ${minutes(now - exp * 1000)} ago by the clock of this machine`,
      {
        remedy: 'Sign earlier in the job, or check the clock.',
      },
    );
  }
  if (typeof iat === 'number' && iat * 1000 - TOLERANCE_MS > now) {
    throw identityError(`the identity token was made ${minutes(iat * 1000 - now)} in the future`, {
      remedy: 'The clock of this machine is slow: set it.',
    });
  }
  const audiences = (Array.isArray(aud) ? aud : [aud]).filter(one => typeof one === 'string');
  if (aud !== undefined && !audiences.includes(AUDIENCE)) {
    throw identityError(
      `the identity token is for ${plainLine(audiences.join(', '), 60)}, not for sigstore`,
      {
        remedy: 'Set the audience of SIGSTORE_ID_TOKEN to sigstore.',
      },
    );
  }
}

function claimsOf(token: string): { iat?: unknown; exp?: unknown; aud?: unknown } {
  const [, middle = ''] = token.split('.');
  try {
    const claims: unknown = parseJson(Buffer.from(middle, 'base64url').toString('utf8'));
    if (typeof claims === 'object' && claims !== null) return claims;
  } catch {}
  // Without the token: it is a secret, even one that is broken.
  throw identityError('the identity token is not a JSON web token', {
    remedy: 'Check the variable SIGSTORE_ID_TOKEN.',
  });
}

function minutes(milliseconds: number): string {
  const count = Math.max(1, Math.round(milliseconds / 60_000));
  return count === 1 ? '1 minute' : `${count} minutes`;
}

function identityError(message: string, { remedy }: { readonly remedy: string }): SigningError {
  return new SigningError(message, { code: 'SIGNING_IDENTITY', remedy });
}
