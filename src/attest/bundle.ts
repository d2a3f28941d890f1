import { type Bundle, bundleFromJSON, bundleToJSON, isBundleWithDsseEnvelope } from '@sigstore/bundle';
import { SigningError } from '../core/errors.ts';
import { parseJson } from '../core/json-shape.ts';

/** The media type of a bundle, which is the artifact type of the referrer that it is in. */
export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const ANY_BUNDLE_TYPE = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v|\+json;version=)/;

/** A parsed bundle and the statement in it, not verified yet. */
export interface ReadBundle {
  readonly bundle: Bundle;
  readonly payload: Buffer;
  readonly payloadType: string;
}

/** Returns whether an artifact is a Sigstore bundle, of whatever version. */
export function isBundleType(artifactType: string | undefined): boolean {
  return artifactType !== undefined && ANY_BUNDLE_TYPE.test(artifactType);
}

/** Returns the bundle in `bytes`; `name` is for the error. Throws SigningError SIGNATURE_INVALID. */
export function readBundle(bytes: Buffer, name: string): ReadBundle {
  try {
    const bundle = bundleFromJSON(parseJson(bytes.toString('utf8')));
    if (!isBundleWithDsseEnvelope(bundle)) throw new TypeError('it has no statement');
    const { payload, payloadType } = bundle.content.dsseEnvelope;
    return { bundle, payload: Buffer.from(payload), payloadType };
  } catch (cause) {
    throw new SigningError(`${name} is not a sigstore bundle with a statement`, {
      code: 'SIGNATURE_INVALID',
      subject: name,
      cause,
    });
  }
}

/** Returns a bundle as JSON, as registries keep it. */
export function bundleBytes(bundle: Bundle): Buffer {
  return Buffer.from(JSON.stringify(bundleToJSON(bundle)), 'utf8');
}

/** Returns what a DSSE signature is made over; https://github.com/secure-systems-lab/dsse/blob/master/protocol.md */
export function preAuthEncoding(payloadType: string, payload: Buffer): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head, 'utf8'), payload]);
}
