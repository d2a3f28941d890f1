import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { toDSSEBundle } from '@sigstore/bundle';
import { bundleBytes, preAuthEncoding, readBundle } from '../bundle.ts';
import { PAYLOAD_TYPE } from '../statement.ts';
import { cosignHint, modelSigningHint } from './key-material.ts';
import type { StatementSigner } from './signer.ts';

/** Returns a signer with a private key. It needs no network: what it signs is verified with the public key alone. */
export function keySigner(key: KeyObject, digest = 'sha256'): StatementSigner {
  const publicKey = createPublicKey(key);
  // Ed25519 hashes on its own.
  const hash = key.asymmetricKeyType === 'ed25519' ? null : digest;
  const hints = { cosign: cosignHint(key), 'model-signing': modelSigningHint(key) };
  const signModel = (payload: Buffer): Buffer => {
    const signature = signDeterministically(preAuthEncoding(PAYLOAD_TYPE, payload), key);
    return bundleOf(payload, signature, hints['model-signing']);
  };
  return {
    name: `key ${hints.cosign.slice(0, 12)}…`,
    id: hints.cosign,
    trusted: { kind: 'key', key: publicKey, name: `key ${hints.cosign.slice(0, 12)}…` },
    async sign(payload, { hint = 'cosign' } = {}) {
      return bundleOf(payload, sign(hash, preAuthEncoding(PAYLOAD_TYPE, payload), key), hints[hint]);
    },
    ...(isP256(key) && { signModel }),
    isOwn(bytes) {
      const { bundle, payload, payloadType } = readBundle(bytes, 'the bundle');
      if (bundle.content.$case !== 'dsseEnvelope') return false;
      const [first] = bundle.content.dsseEnvelope.signatures;
      return first !== undefined && verify(hash, preAuthEncoding(payloadType, payload), publicKey, first.sig);
    },
  };
}

function bundleOf(payload: Buffer, signature: Buffer, keyHint: string): Buffer {
  const bundle = toDSSEBundle({
    artifact: payload,
    artifactType: PAYLOAD_TYPE,
    signature,
    keyHint,
    certificateChain: false,
  });
  // The library names the key in the envelope too, and cosign passes over a signature by a key of another name.
  const { dsseEnvelope } = bundle.content;
  const signatures = dsseEnvelope.signatures.map(one => ({ ...one, keyid: '' }));
  return bundleBytes({
    ...bundle,
    content: { ...bundle.content, dsseEnvelope: { ...dsseEnvelope, signatures } },
  });
}

function isP256({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean {
  return type === 'ec' && details?.namedCurve === 'prime256v1';
}

/**
 * Returns a signature by ECDSA P-256 and SHA-256, in DER: the same for the same message, by RFC 6979. OpenSSL can do that,
 * and Node has no option for it.
 */
export function signDeterministically(message: Buffer, key: KeyObject): Buffer {
  const { d = '' } = key.export({ format: 'jwk' });
  const secret = Buffer.from(d, 'base64url');
  try {
    return Buffer.from(p256.sign(message, secret, { format: 'der', lowS: false }));
  } finally {
    secret.fill(0);
  }
}
