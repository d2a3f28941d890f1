import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { SigningError } from '../core/errors.ts';
import { reasonOf } from '../core/system-error.ts';
import { parseTrustedRoot, type TrustedSigner } from './verify-bundle.ts';

/** An identity as models.yaml names it; the root is a file relative to it. */
export interface NamedIdentity {
  readonly identity: string;
  readonly issuer: string;
  readonly trustedRoot: string;
}

/** Returns the signer that an identity is. Throws SigningError SIGNING_KEY. */
export async function readTrustedIdentity(
  { identity, issuer, trustedRoot }: NamedIdentity,
  configFile: string,
): Promise<TrustedSigner> {
  let json: string;
  try {
    json = await readFile(path.resolve(path.dirname(configFile), trustedRoot), 'utf8');
  } catch (cause) {
    throw new SigningError(`${trustedRoot} cannot be read: ${reasonOf(cause)}`, {
      code: 'SIGNING_KEY',
      subject: trustedRoot,
      cause,
    });
  }
  return { kind: 'identity', identity, issuer, root: parseTrustedRoot(json, trustedRoot) };
}
