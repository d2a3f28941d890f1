import path from 'node:path';
import type { SigningConfig } from '../config/types.ts';
import { ConfigError } from '../core/errors.ts';
import type { HttpClient } from '../http/client.ts';
import { withGithubStore } from './signers/github-attestations.ts';
import { identityToken } from './signers/identity-token.ts';
import { readPrivateKey } from './signers/key-material.ts';
import { keySigner } from './signers/key-signer.ts';
import { keylessSigner } from './signers/keyless-signer.ts';
import type { StatementSigner } from './signers/signer.ts';
import { readTrustedIdentity } from './trusted-identity.ts';

/** What a signer is made of: the settings of models.yaml and the surroundings that they name. */
export interface SignerOptions {
  /** The file that the configuration is from; keys are relative to its folder. */
  readonly configFile: string;
  readonly env: NodeJS.ProcessEnv;
  readonly http: HttpClient;
  readonly signal?: AbortSignal;
}

/**
 * Returns the signer that `signing:` describes. Throws ConfigError USAGE if it describes none or the file of its key cannot
 * be read, SigningError for a bad key.
 */
export async function createSigner(
  { key, keyless, githubAttestations }: Pick<SigningConfig, 'key' | 'keyless' | 'githubAttestations'>,
  { configFile, env, http, signal }: SignerOptions,
): Promise<StatementSigner> {
  if (key !== null)
    return keySigner(await readPrivateKey({ reference: key, folder: path.dirname(configFile), env }));
  if (keyless !== null) {
    // The library that speaks to Fulcio and Rekor makes its own connections.
    http.trustInProcess();
    const trusted = keyless.trust && (await readTrustedIdentity(keyless.trust, configFile));
    const signer = keylessSigner(keyless, () => identityToken(env, http, signal), trusted ?? undefined);
    return githubAttestations ? withGithubStore(signer, { env, http, signal }) : signer;
  }
  throw new ConfigError('there is nothing to sign with', {
    code: 'USAGE',
    subject: configFile,
    remedy:
      'Write `signing: {key: …}` or `signing: {keyless: true}` into models.yaml; `weighbridge sign` takes --key and --keyless too.',
  });
}
