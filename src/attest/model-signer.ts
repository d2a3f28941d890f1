import { SigningError } from '../core/errors.ts';
import type { ModelSigner } from '../image/types.ts';
import { hashedFiles } from './hashed-files.ts';
import type { SigningContext } from './sign-image.ts';
import { statementBytes } from './statement.ts';
import { modelSignature } from './statements/model-signature.ts';

/**
 * Returns what makes the model signature that images have as a file. Throws SigningError SIGNING_KEY for a signer whose
 * signatures are not the same each time, or that `model_signing` does not know.
 */
export function modelSigner({
  signer,
  hub,
  hashes,
  signal,
}: Pick<SigningContext, 'signer' | 'hub' | 'hashes' | 'signal'>): ModelSigner {
  const { name, signModel } = signer;
  if (signModel === undefined) {
    throw new SigningError(`the ${name} cannot make model signatures that are files of images`, {
      code: 'SIGNING_KEY',
      subject: 'signing.model_signature_file',
      remedy: "Use an ECDSA P-256 key: OpenSSF's model_signing does not verify Ed25519. Or turn it off.",
    });
  }
  return {
    async hashes({ files, snapshot }) {
      const found = await hashedFiles(files, snapshot, { hub, known: hashes, signal });
      return new Map(found.map(({ path, sha256 = '' }) => [path, sha256]));
    },
    sign: (short, files) => signModel(statementBytes(modelSignature(short, files))).toString('utf8'),
  };
}
