import { type KeyObject, verify } from 'node:crypto';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { SigningError } from '../core/errors.ts';
import { parseJson } from '../core/json-shape.ts';
import { plainLine } from '../core/safe-text.ts';
import { table } from '../core/table.ts';
import { preAuthEncoding, type ReadBundle, readBundle } from './bundle.ts';
import { PAYLOAD_TYPE, STATEMENT_TYPE, type Statement } from './statement.ts';

/** Whose signatures count. */
export type TrustedSigner =
  | { readonly kind: 'key'; readonly key: KeyObject; readonly name: string }
  | {
      readonly kind: 'identity';
      /** The whole name in the certificate; `*` stands for any characters. */
      readonly identity: string;
      readonly issuer: string;
      readonly root: TrustedRoot;
    };

/** A statement whose signature is good. */
export interface VerifiedStatement {
  readonly statement: Statement;
  /** Who signed it, for people. */
  readonly signer: string;
}

/** Returns sigstore's trusted root from its JSON; `name` is for the error. Throws SigningError SIGNING_KEY. */
export function parseTrustedRoot(json: string, name: string): TrustedRoot {
  try {
    const root = TrustedRoot.fromJSON(parseJson(json));
    // Certificates and keys are read only here, and each verification does it again.
    toTrustMaterial(root);
    if (root.certificateAuthorities.length > 0) return root;
  } catch {}
  throw new SigningError(`${name} is not a trusted root of sigstore in JSON`, {
    code: 'SIGNING_KEY',
    subject: name,
    remedy: 'Make one with: cosign trusted-root create',
  });
}

/**
 * Returns the statement in a bundle after its signature has been verified; `name` is for the error. Needs no network.
 * Throws SigningError SIGNATURE_INVALID.
 */
export function verifyBundle(bytes: Buffer, trusted: TrustedSigner, name: string): VerifiedStatement {
  const read = readBundle(bytes, name);
  const signer =
    trusted.kind === 'key' ? verifyKey(read, trusted, name) : verifyIdentity(read, trusted, name);
  return { statement: readStatement(read, name), signer };
}

/** The hint in the bundle only helps to find a key, and tools disagree about it. A key needs no log and no time. */
function verifyKey(
  { bundle, payload, payloadType }: ReadBundle,
  { key, name: keyName }: Extract<TrustedSigner, { kind: 'key' }>,
  name: string,
): string {
  if (bundle.verificationMaterial.content.$case !== 'publicKey')
    throw invalid(name, 'was signed with a certificate and not with a key');
  const signatures = bundle.content.$case === 'dsseEnvelope' ? bundle.content.dsseEnvelope.signatures : [];
  const data = preAuthEncoding(payloadType, payload);
  const isSigned = signatures.some(({ sig }) => isSignature(data, key, sig));
  if (!isSigned) throw invalid(name, 'is not signed by this key: the signature does not match');
  return keyName;
}

/** Those of sigstore's public services are some kilobytes. */
export const MAX_ROOT_BYTES = 16 * 1024 ** 2;

/** As sigstore pairs them: https://github.com/sigstore/protobuf-specs (PublicKeyDetails). */
const HASHES = table<string>({
  prime256v1: 'sha256',
  secp384r1: 'sha384',
  secp521r1: 'sha512',
});

function isSignature(data: Buffer, key: KeyObject, signature: Buffer): boolean {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const hash = type === 'ed25519' ? null : HASHES[details?.namedCurve ?? ''];
  return hash !== undefined && verify(hash, data, key, signature);
}

function verifyIdentity(
  { bundle }: ReadBundle,
  { identity, issuer, root }: Extract<TrustedSigner, { kind: 'identity' }>,
  name: string,
): string {
  if (bundle.verificationMaterial.content.$case === 'publicKey')
    throw invalid(name, 'was signed with a key and not with an identity');
  // A log that no root names cannot be asked for: some private instances have no certificate transparency.
  const verifier = new Verifier(toTrustMaterial(root), { ctlogThreshold: root.ctlogs.length === 0 ? 0 : 1 });
  const policy = { subjectAlternativeName: patternOf(identity), extensions: { issuer } };
  const { identity: found } = guarded(name, () => verifier.verify(toSignedEntity(bundle), policy));
  return plainLine(`${found?.subjectAlternativeName ?? identity} (${issuer})`, 200);
}

/** The library takes a regular expression, and not the whole name has to match it. */
function patternOf(identity: string): string {
  const parts = identity.split('*').map(part => part.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&'));
  return `^${parts.join('.*')}$`;
}

/** Returns the statement in a bundle, not verified; `name` is for the error. Throws SigningError SIGNATURE_INVALID. */
export function readStatement({ payload, payloadType }: ReadBundle, name: string): Statement {
  if (payloadType !== PAYLOAD_TYPE)
    throw invalid(name, `has a payload of type ${plainLine(payloadType, 60)}`);
  let value: Partial<Statement> | null;
  try {
    value = parseJson(payload.toString('utf8')) as typeof value;
  } catch {
    throw invalid(name, 'has a payload that is not JSON');
  }
  const { _type, subject, predicateType } = value ?? {};
  const isStatement =
    _type === STATEMENT_TYPE &&
    typeof predicateType === 'string' &&
    Array.isArray(subject) &&
    subject.every(one => typeof one?.digest === 'object' && one.digest !== null);
  if (!isStatement) throw invalid(name, 'has a payload that is not an in-toto statement');
  return value as Statement;
}

/** The library's codes, for people. */
const REASONS = table<string>({
  SIGNATURE_ERROR: 'has a signature that does not match',
  CERTIFICATE_ERROR:
    'has a certificate that was not valid when it was signed, or of an authority that is not trusted',
  TIMESTAMP_ERROR: 'has no time of signing that can be trusted',
  TLOG_ERROR: 'has no valid entry in a transparency log that is trusted',
  TLOG_INCLUSION_PROOF_ERROR: 'has an entry in a transparency log that does not verify',
  TLOG_INCLUSION_PROMISE_ERROR: 'has an entry in a transparency log that does not verify',
  TLOG_MISSING_INCLUSION_ERROR: 'has an entry in a transparency log without a proof',
  TLOG_BODY_ERROR: 'has an entry in a transparency log that is about something else',
});

function guarded<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code = '', message = '' } = error as { code?: string; message?: string };
    if (code === 'UNTRUSTED_SIGNER_ERROR')
      throw invalid(name, `is signed by somebody else: ${plainLine(message, 300)}`);
    throw invalid(name, REASONS[code] ?? `cannot be verified: ${plainLine(message, 200)}`);
  }
}

function invalid(name: string, what: string): SigningError {
  return new SigningError(`${name} ${what}`, { code: 'SIGNATURE_INVALID', subject: name });
}
