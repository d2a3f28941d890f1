import { createHash, generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fulcioHandler, initializeCA, initializeCTLog, initializeTLog, rekorHandler } from '@sigstore/mock';
import { HashAlgorithm, PublicKeyDetails, TrustedRoot } from '@sigstore/protobuf-specs';
import type { KeyPair } from '../../src/testkit/authority.ts';

export const ISSUER = 'https://gitlab.example';

export interface SigstoreOptions {
  /** When the authority's certificates are made; ten minutes old ones have expired. */
  readonly clock?: Date;
  readonly isRekorDown?: boolean;
  readonly isFulcioDown?: boolean;
  /** HTTPS in place of HTTP, for `localhost`. */
  readonly tls?: KeyPair;
}

/** Fulcio and Rekor on loopback, with a trusted root of their own. */
export interface LocalSigstore {
  readonly url: string;
  readonly root: TrustedRoot;
  readonly rootJson: string;
  /** How many requests each has had. */
  readonly counts: { fulcio: number; rekor: number };
  close(): Promise<void>;
}

export async function startSigstore(options: SigstoreOptions = {}): Promise<LocalSigstore> {
  const { clock, tls } = options;
  const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ctLog = await initializeCTLog(pair());
  const ca = await initializeCA(pair(), ctLog, clock);
  const counts = { fulcio: 0, rekor: 0 };
  const handlers = new Map<string, (body: string) => Promise<Answer>>();
  const listener: RequestListener = async (request, response) => {
    const { statusCode, response: body, contentType } = await answer(request);
    response.writeHead(statusCode, { 'content-type': contentType ?? 'text/plain' }).end(body);
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const path = request.url ?? '';
    const isFulcio = path.includes('signingCert');
    counts[isFulcio ? 'fulcio' : 'rekor'] += 1;
    if (isFulcio ? options.isFulcioDown : options.isRekorDown)
      return { statusCode: 400, response: 'down for the night' };
    const body = Buffer.concat(await Array.fromAsync(request)).toString('utf8');
    return (
      (await handlers.get(path)?.(isFulcio ? body : loggedEntry(body))) ?? { statusCode: 404, response: '' }
    );
  };
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const origin = tls === undefined ? 'http://127.0.0.1' : 'https://localhost';
  const url = `${origin}:${(server.address() as AddressInfo).port}`;
  const tlog = await initializeTLog(url, pair());
  for (const { path, fn } of [fulcioHandler(ca), rekorHandler(tlog)]) handlers.set(path, fn);

  const validFor = { start: new Date('2020-01-01T00:00:00Z') };
  const log = (publicKey: Buffer) => ({
    baseUrl: url,
    logId: { keyId: createHash('sha256').update(publicKey).digest() },
    hashAlgorithm: HashAlgorithm.SHA2_256,
    publicKey: { rawBytes: publicKey, keyDetails: PublicKeyDetails.PKIX_ECDSA_P256_SHA_256, validFor },
    checkpointKeyId: undefined,
    operator: 'example',
  });
  const { buffer, byteOffset, byteLength } = ca.rootCertificate;
  const root: TrustedRoot = {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    certificateAuthorities: [
      {
        subject: { commonName: 'example', organization: 'example' },
        uri: url,
        certChain: { certificates: [{ rawBytes: Buffer.from(buffer, byteOffset, byteLength) }] },
        validFor,
        operator: 'example',
      },
    ],
    timestampAuthorities: [],
    tlogs: [log(tlog.publicKey)],
    ctlogs: [log(ctLog.publicKey)],
  };
  return {
    url,
    root,
    rootJson: JSON.stringify(TrustedRoot.toJSON(root)),
    counts,
    close: () => new Promise(resolve => server.close(() => resolve())),
  };
}

/** The mock logs what it is given; Rekor logs the hashes of a statement and the signature, and not the statement. */
function loggedEntry(body: string): string {
  const proposed = JSON.parse(body) as {
    spec: { proposedContent: { envelope: string; verifiers: readonly string[] } };
  };
  const { envelope, verifiers } = proposed.spec.proposedContent;
  const { payload, signatures } = JSON.parse(envelope) as {
    payload: string;
    signatures: readonly { readonly sig: string }[];
  };
  const sha256 = (bytes: Buffer | string) => ({
    algorithm: 'sha256',
    value: createHash('sha256').update(bytes).digest('hex'),
  });
  const spec = {
    envelopeHash: sha256(envelope),
    payloadHash: sha256(Buffer.from(payload, 'base64')),
    signatures: signatures.map(({ sig }, index) => ({ signature: sig, verifier: verifiers[index] })),
  };
  return JSON.stringify({ ...proposed, spec });
}

interface Answer {
  readonly statusCode: number;
  readonly response: string | ArrayBufferView<ArrayBuffer>;
  readonly contentType?: string;
}

/** An identity token as a CI job has it; nobody checks its signature here. */
export function identityTokenOf(claims: Readonly<Record<string, unknown>> = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const all = {
    iss: ISSUER,
    aud: 'sigstore',
    sub: 'project_path:acme/models',
    iat: now,
    exp: now + 600,
    ...claims,
  };
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(all)}.c2lnbmF0dXJl`;
}
