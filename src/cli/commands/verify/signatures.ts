import { readPublicKey } from '../../../attest/signers/key-material.ts';
import { MAX_ROOT_BYTES, parseTrustedRoot, type TrustedSigner } from '../../../attest/verify-bundle.ts';
import { type SignaturePolicy, verifySigned } from '../../../attest/verify-signed.ts';
import { ConfigError, SigningError } from '../../../core/errors.ts';
import { readSmallFile } from '../../../core/small-file.ts';
import { reasonOf } from '../../../core/system-error.ts';
import {
  type CheckedImage,
  signaturesTable,
  signaturesToJson,
} from '../../../report/text/signatures-report.ts';
import { prepareOutput, writeOutput } from '../../output-file.ts';
import { ExitStatus, type Session } from '../../session.ts';
import { checkEachImage } from './each-image.ts';

/** The options of `verify --signed`. */
export interface SignatureOptions {
  readonly key?: string;
  readonly identity?: string;
  readonly issuer?: string;
  readonly trustedRoot?: string;
  readonly policy?: SignaturePolicy;
  readonly saveModelSignature?: string;
}

/** Checks who signed images, prints it and returns the exit status. Asks the registry and nothing else. */
export async function verifySignatures(
  session: Session,
  references: readonly string[],
  options: SignatureOptions,
): Promise<number> {
  const trusted = await trustedSigner(session, options);
  if (options.saveModelSignature !== undefined) await prepareOutput(options.saveModelSignature);
  const { policy = 'present' } = options;
  const verified = await checkEachImage(session, references, ({ store, reference }) =>
    verifySigned(store, reference, { trusted, policy, signal: session.signal }),
  );
  session.progress.stop();
  if (options.saveModelSignature !== undefined)
    await saveModelSignature(options.saveModelSignature, verified);
  if (session.isJson) session.print(JSON.stringify(signaturesToJson(verified, policy), null, 2));
  else session.print(signaturesTable(verified, session.stdout));
  const isSigned = verified.every(({ checks }) => checks?.every(one => one.problems.length === 0) ?? false);
  return isSigned ? ExitStatus.done : ExitStatus.failed;
}

/** For `model_signing verify`, wherever the files have gone. */
async function saveModelSignature(file: string, images: readonly CheckedImage[]): Promise<void> {
  const statements = images.flatMap(({ checks = [] }) => checks.flatMap(check => check.statements));
  const bundle = statements.find(one => one.bundle !== undefined)?.bundle;
  if (bundle !== undefined) return await writeOutput(file, bundle.toString('utf8'));
  throw new SigningError('there is no model signature of this signer to save', {
    code: 'SIGNATURE_MISSING',
    remedy: 'Sign the image with `weighbridge sign`.',
  });
}

async function trustedSigner(session: Session, options: SignatureOptions): Promise<TrustedSigner> {
  const { key, identity, issuer, trustedRoot } = options;
  if (key !== undefined && identity === undefined && issuer === undefined) {
    const place = { reference: key, folder: '.', env: session.env };
    return { kind: 'key', key: await readPublicKey(place), name: `key ${key}` };
  }
  if (key !== undefined || identity === undefined || issuer === undefined) {
    throw new ConfigError('--signed needs --key, or both --identity and --issuer', {
      code: 'USAGE',
      remedy: 'Anybody can sign an image: say whose signature counts.',
    });
  }
  if (trustedRoot === undefined) {
    throw new ConfigError('--identity needs --trusted-root <file>', {
      code: 'USAGE',
      remedy:
        "For sigstore's public services: cosign trusted-root create --with-default-services --out root.json",
    });
  }
  return {
    kind: 'identity',
    identity,
    issuer,
    root: parseTrustedRoot(await readText(trustedRoot), trustedRoot),
  };
}

async function readText(file: string): Promise<string> {
  try {
    const bytes = await readSmallFile(file, { maxBytes: MAX_ROOT_BYTES, isPipeAllowed: true });
    return bytes.toString('utf8');
  } catch (cause) {
    throw new ConfigError(`${file} cannot be read: ${reasonOf(cause)}`, {
      code: 'USAGE',
      subject: file,
      cause,
    });
  }
}
