import path from 'node:path';
import { ConfigError } from '../core/errors.ts';
import { readSmallFile } from '../core/small-file.ts';
import { reasonOf } from '../core/system-error.ts';
import { MAX_ROOT_BYTES, parseTrustedRoot, type TrustedSigner } from './verify-bundle.ts';

/** An identity as models.yaml names it; the root is a file relative to it. */
export interface NamedIdentity {
  readonly identity: string;
  readonly issuer: string;
  readonly trustedRoot: string;
}

/**
 * Returns the signer that an identity is. Throws SigningError SIGNING_KEY, or ConfigError USAGE for a file that cannot be
 * read.
 */
export async function readTrustedIdentity(
  { identity, issuer, trustedRoot }: NamedIdentity,
  configFile: string,
): Promise<TrustedSigner> {
  let json: string;
  try {
    const file = path.resolve(path.dirname(configFile), trustedRoot);
    json = (await readSmallFile(file, { maxBytes: MAX_ROOT_BYTES, isPipeAllowed: true })).toString('utf8');
  } catch (cause) {
    throw new ConfigError(`${trustedRoot} cannot be read: ${reasonOf(cause)}`, {
      code: 'USAGE',
      subject: trustedRoot,
      remedy: 'Check the path.',
      cause,
    });
  }
  return { kind: 'identity', identity, issuer, root: parseTrustedRoot(json, trustedRoot) };
}
