import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import path from 'node:path';
import { ConfigError, SigningError } from '../../core/errors.ts';
import { readSmallFile } from '../../core/small-file.ts';
import { reasonOf } from '../../core/system-error.ts';

/** Where keys come from: `env://NAME`, or a file relative to `folder`. */
export interface KeyPlace {
  readonly reference: string;
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Makers of models sign with larger ones too. */
const VERIFIED_CURVES = ['prime256v1', 'secp384r1', 'secp521r1'];

const MAX_KEY_BYTES = 1024 ** 2;
const MAKE_ONE =
  'Make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -out key.pem';

/**
 * Returns a private key, ECDSA P-256 or Ed25519, whose password is in `COSIGN_PASSWORD`. Throws SigningError SIGNING_KEY,
 * or ConfigError USAGE for a file that cannot be read.
 */
export async function readPrivateKey(place: KeyPlace): Promise<KeyObject> {
  const name = place.reference;
  const pem = await readPem(place);
  if (/-----BEGIN ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY-----/.test(pem))
    throw keyError(name, "is in cosign's own format", `Use PKCS#8 in PEM. ${MAKE_ONE}`);
  if (/-----BEGIN (?:PUBLIC KEY|CERTIFICATE)-----/.test(pem))
    throw keyError(name, 'is a public key or certificate', 'Name the private key.');
  const password = place.env.COSIGN_PASSWORD;
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, format: 'pem', ...(password && { passphrase: password }) });
  } catch (error) {
    // The cause may quote the key, so it stays here.
    throw unreadable(name, pem, password, error);
  }
  checkType(key, name);
  return key;
}

/**
 * Returns a public key of a type that signatures are verified with. Throws SigningError SIGNING_KEY, or ConfigError USAGE
 * for a file that cannot be read.
 */
export async function readPublicKey(place: KeyPlace): Promise<KeyObject> {
  const name = place.reference;
  const pem = await readPem(place);
  if (pem.includes('PRIVATE KEY-----'))
    throw keyError(name, 'is a private key', 'Name the public key: openssl pkey -in key.pem -pubout');
  let key: KeyObject;
  try {
    key = createPublicKey({ key: pem, format: 'pem' });
  } catch {
    throw keyError(name, 'is not a public key in PEM', 'Make one with: openssl pkey -in key.pem -pubout');
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const isKnown =
    type === 'ed25519' || (type === 'ec' && VERIFIED_CURVES.includes(details?.namedCurve ?? ''));
  if (!isKnown)
    throw keyError(name, `is a key of type ${typeName(key)}; expected ECDSA or Ed25519`, 'Check the file.');
  return key;
}

/** Returns the hint that cosign writes into a bundle: which key it takes to verify it. */
export function cosignHint(key: KeyObject): string {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('base64');
}

/** Returns the hint that OpenSSF's model_signing insists on. */
export function modelSigningHint(key: KeyObject): string {
  const pem = createPublicKey(key).export({ type: 'spki', format: 'pem' });
  return createHash('sha256').update(pem).digest('hex');
}

async function readPem({ reference, folder, env }: KeyPlace): Promise<string> {
  const variable = /^env:\/\/(.+)$/.exec(reference)?.[1];
  if (variable !== undefined) {
    const value = env[variable];
    if (value) return value;
    throw keyError(reference, 'is not set', `Set ${variable} to the key in PEM.`);
  }
  try {
    const file = path.resolve(folder, reference);
    return (await readSmallFile(file, { maxBytes: MAX_KEY_BYTES, isPipeAllowed: true })).toString('utf8');
  } catch (cause) {
    throw new ConfigError(`the key ${reference} cannot be read: ${reasonOf(cause)}`, {
      code: 'USAGE',
      subject: reference,
      remedy: 'Check the path.',
    });
  }
}

function unreadable(name: string, pem: string, password: string | undefined, error: unknown): SigningError {
  const isEncrypted = pem.includes('ENCRYPTED');
  if (isEncrypted && !password)
    return keyError(name, 'needs a password', 'Put it into the environment variable COSIGN_PASSWORD.');
  const { code = '' } = error as { code?: string };
  const isWrong = isEncrypted && /BAD_DECRYPT|CIPHER|PASSPHRASE/i.test(code);
  if (isWrong) return keyError(name, 'cannot be read with this password', 'Check COSIGN_PASSWORD.');
  return keyError(name, 'is not a private key in PEM', MAKE_ONE);
}

function checkType(key: KeyObject, name: string): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519' || (type === 'ec' && details?.namedCurve === 'prime256v1')) return;
  throw keyError(name, `is a key of type ${typeName(key)}; expected ECDSA P-256 or Ed25519`, MAKE_ONE);
}

function typeName({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string {
  return type === 'ec' ? `ECDSA on ${details?.namedCurve}` : (type ?? 'unknown').toUpperCase();
}

function keyError(name: string, what: string, remedy: string): SigningError {
  return new SigningError(`the key ${name} ${what}`, { code: 'SIGNING_KEY', subject: name, remedy });
}
