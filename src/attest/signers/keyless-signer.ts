import { generateKeyPairSync, sign, verify, X509Certificate } from 'node:crypto';
import type { Signer } from '@sigstore/sign';
import type { KeylessConfig } from '../../config/types.ts';
import { SigningError, WeighbridgeError } from '../../core/errors.ts';
import { Mutex } from '../../core/pool.ts';
import { plainLine } from '../../core/safe-text.ts';
import { bundleBytes, preAuthEncoding, readBundle } from '../bundle.ts';
import { PAYLOAD_TYPE } from '../statement.ts';
import { type TrustedSigner, verifyBundle } from '../verify-bundle.ts';
import type { StatementSigner } from './signer.ts';

const PUBLIC = { fulcio: 'https://fulcio.sigstore.dev', rekor: 'https://rekor.sigstore.dev' } as const;
/** Certificates live ten minutes; a new one is fetched well before. */
const CERTIFICATE_MS = 5 * 60_000;
const REQUEST = { timeout: 15_000, retry: 2 } as const;

/**
 * Returns a signer with the identity of this CI job: a key that lives for this run, a certificate by Fulcio, an entry in
 * Rekor's log for each statement.
 */
export function keylessSigner(
  config: KeylessConfig,
  token: () => Promise<string>,
  trusted?: TrustedSigner,
): StatementSigner {
  const fulcio = config.fulcio ?? PUBLIC.fulcio;
  const rekor = config.rekor ?? PUBLIC.rekor;
  const signer = certifiedSigner(fulcio, token);
  return {
    name: `the identity of this job, by ${fulcio}`,
    id: fulcio,
    ...(trusted && { trusted }),
    async assertReady() {
      await token();
    },
    async sign(payload) {
      const { DSSEBundleBuilder, RekorWitness, TSAWitness } = await import('./sigstore.ts');
      const { timestampAuthority } = config;
      const builder = new DSSEBundleBuilder({
        signer,
        witnesses: [
          new RekorWitness({ rekorBaseURL: rekor, entryType: 'dsse', ...REQUEST }),
          ...(timestampAuthority === null
            ? []
            : [new TSAWitness({ tsaBaseURL: timestampAuthority, ...REQUEST })]),
        ],
      });
      try {
        return bundleBytes(await builder.create({ data: payload, type: PAYLOAD_TYPE }));
      } catch (error) {
        throw explained(error, { fulcio, rekor, timestampAuthority: timestampAuthority ?? '' });
      }
    },
    isOwn(bytes) {
      if (trusted === undefined) return isCertified(bytes);
      verifyBundle(bytes, trusted, 'the bundle');
      return true;
    },
  };
}

/**
 * Whether the signature is that of the certificate beside it. If nothing says which authority and identity can be
 * trusted, a stranger's certificate is as good as ours: signing all of it again would fill Rekor's log with each run.
 */
function isCertified(bytes: Buffer): boolean {
  const { bundle, payload, payloadType } = readBundle(bytes, 'the bundle');
  const { content } = bundle.verificationMaterial;
  if (content.$case !== 'certificate' || bundle.content.$case !== 'dsseEnvelope') return false;
  const [first] = bundle.content.dsseEnvelope.signatures;
  if (first === undefined) return false;
  try {
    const { publicKey } = new X509Certificate(Buffer.from(content.certificate.rawBytes));
    return verify('sha256', preAuthEncoding(payloadType, payload), publicKey, first.sig);
  } catch {
    // OpenSSL throws for what is not a certificate, and for a key that does not go with the hash.
    return false;
  }
}

/** One certificate for many signatures: an authority counts certificates. */
function certifiedSigner(fulcioBaseURL: string, token: () => Promise<string>): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const holder: Signer = {
    sign: async data => ({
      signature: sign('sha256', data, privateKey),
      key: { $case: 'publicKey', publicKey: pem },
    }),
  };
  const turn = new Mutex();
  let certificate: { readonly pem: string; readonly untilMs: number } | undefined;
  const certified = async (): Promise<string> => {
    if (certificate !== undefined && performance.now() < certificate.untilMs) return certificate.pem;
    const { FulcioSigner } = await import('./sigstore.ts');
    const untilMs = performance.now() + CERTIFICATE_MS;
    const authority = new FulcioSigner({
      fulcioBaseURL,
      identityProvider: { getToken: token },
      keyHolder: holder,
      ...REQUEST,
    });
    const { key } = await authority.sign(Buffer.from('the certificate is what this is for'));
    if (key.$case !== 'x509Certificate') throw new TypeError('expected a certificate');
    certificate = { pem: key.certificate, untilMs };
    return key.certificate;
  };
  return {
    async sign(data) {
      const pemOfCertificate = await turn.run(certified);
      const { signature } = await holder.sign(data);
      return { signature, key: { $case: 'x509Certificate', certificate: pemOfCertificate } };
    },
  };
}

/** Messages of the library are replaced: one of them quotes the identity token. */
function explained(
  error: unknown,
  services: Readonly<Record<'fulcio' | 'rekor' | 'timestampAuthority', string>>,
): unknown {
  if (!(error instanceof Error)) return error;
  const { code = '', cause } = error as { code?: string; cause?: unknown };
  if (cause instanceof WeighbridgeError) return cause;
  const failed = (what: string, address: string): SigningError =>
    new SigningError(`${what} ${new URL(address).host} did not sign: ${reasonOf(cause)}`, {
      code: 'SIGNING_SERVICE',
      subject: new URL(address).host,
      remedy: 'Run the command again when it is reachable: what is published stays as it is.',
    });
  if (code.startsWith('CA_')) return failed('the certificate authority', services.fulcio);
  if (code.startsWith('TLOG_')) return failed('the transparency log', services.rekor);
  if (code.startsWith('TSA_')) return failed('the timestamp authority', services.timestampAuthority);
  if (!code.startsWith('IDENTITY_')) return error;
  return new SigningError('the identity token cannot be used', {
    code: 'SIGNING_IDENTITY',
    remedy: 'Check that it is a JSON web token with a subject or an email address.',
  });
}

function reasonOf(cause: unknown): string {
  const {
    statusCode,
    message = 'no answer',
    code,
  } = (cause ?? {}) as {
    statusCode?: number;
    message?: string;
    code?: string;
  };
  if (statusCode !== undefined) return `status ${statusCode}`;
  return plainLine(code ?? message, 100);
}
