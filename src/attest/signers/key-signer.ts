import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
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
  return {
    name: `key ${hints.cosign.slice(0, 12)}…`,
    id: hints.cosign,
    trusted: { kind: 'key', key: publicKey, name: `key ${hints.cosign.slice(0, 12)}…` },
    async sign(payload, { hint = 'cosign' } = {}) {
      const signature = sign(hash, preAuthEncoding(PAYLOAD_TYPE, payload), key);
      const bundle = toDSSEBundle({
        artifact: payload,
        artifactType: PAYLOAD_TYPE,
        signature,
        keyHint: hints[hint],
        certificateChain: false,
      });
      // The library names the key in the envelope too, and cosign passes over a signature by a key of another name.
      const { dsseEnvelope } = bundle.content;
      const signatures = dsseEnvelope.signatures.map(one => ({ ...one, keyid: '' }));
      return bundleBytes({
        ...bundle,
        content: { ...bundle.content, dsseEnvelope: { ...dsseEnvelope, signatures } },
      });
    },
    isOwn(bytes) {
      const { bundle, payload, payloadType } = readBundle(bytes, 'the bundle');
      if (bundle.content.$case !== 'dsseEnvelope') return false;
      const [first] = bundle.content.dsseEnvelope.signatures;
      return first !== undefined && verify(hash, preAuthEncoding(payloadType, payload), publicKey, first.sig);
    },
  };
}
