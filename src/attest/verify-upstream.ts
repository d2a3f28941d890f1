import path from 'node:path';
import picomatch from 'picomatch';
import type { UpstreamTrust } from '../config/types.ts';
import { readAll } from '../core/byte-source.ts';
import { SigningError } from '../core/errors.ts';
import { matched } from '../core/glob.ts';
import { describeJson, isRecord } from '../core/json-shape.ts';
import { quoted } from '../core/safe-text.ts';
import type { Hub } from '../hub/types.ts';
import { MODEL_SIGNATURE } from '../image/format/model-signature.ts';
import type { PlannedModel } from '../plan/types.ts';
import { hashedFiles, type SmallFileHashes } from './hashed-files.ts';
import { readPublicKey } from './signers/key-material.ts';
import { PredicateType, type Statement } from './statement.ts';
import { isUnsigned } from './statements/model-signature.ts';
import { readTrustedIdentity } from './trusted-identity.ts';
import { type TrustedSigner, verifyBundle } from './verify-bundle.ts';

const OLD_PREDICATE_TYPE = 'https://model_signing/Digests/v0.1';
const MAX_SIGNATURE_BYTES = 32 * 1024 * 1024;

/** An entry of `signing.upstream`, and the key or certificates that it names. */
export interface UpstreamSigner {
  readonly trust: UpstreamTrust;
  readonly signer: TrustedSigner;
}

/** Where the keys of `signing.upstream` come from. */
export interface UpstreamPlace {
  /** The file that they are from; keys are relative to its folder. */
  readonly configFile: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Whose signature a model's `model.sig` has to be. */
export interface UpstreamOptions {
  readonly upstream: readonly UpstreamSigner[];
  readonly hub: Hub;
  readonly hashes: SmallFileHashes;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns the signers that `upstream` names, read before any work. Throws SigningError SIGNING_KEY, or ConfigError USAGE
 * for a file that cannot be read.
 */
export async function readUpstream(
  upstream: readonly UpstreamTrust[],
  place: UpstreamPlace,
): Promise<readonly UpstreamSigner[]> {
  return await Promise.all(
    upstream.map(async trust => ({ trust, signer: await trustedSigner(trust, place) })),
  );
}

/**
 * Verifies the signature that a model's makers gave it, if models.yaml names whose it has to be: every file that goes
 * into an image is signed as it is, and no signed file is missing. Weights are known by the Hub's hashes, small files
 * are read. Returns who signed it, or undefined if nothing had to be verified. Throws SigningError, SIGNATURE_MISSING
 * if the repository has none; HubError.
 */
export async function verifyUpstream(
  planned: PlannedModel,
  options: UpstreamOptions,
): Promise<string | undefined> {
  const { snapshot } = planned;
  const upstream = options.upstream.find(({ trust }) => isNamed(trust, snapshot.id));
  if (upstream === undefined) return undefined;
  const name = `${MODEL_SIGNATURE} of ${snapshot.id}`;
  const file = snapshot.files.find(one => one.path === MODEL_SIGNATURE);
  if (file === undefined) {
    if (!upstream.trust.isRequired) return undefined;
    throw new SigningError(`${snapshot.id} has no ${MODEL_SIGNATURE} at ${snapshot.revision}`, {
      code: 'SIGNATURE_MISSING',
      subject: snapshot.id,
      remedy: 'Remove `require: true` from `signing.upstream` to publish it unsigned by its makers.',
    });
  }
  const bytes = await readAll(options.hub.openFile(snapshot, file), MAX_SIGNATURE_BYTES, options.signal);
  const { statement, signer } = verifyBundle(bytes, upstream.signer, name);
  const signed = signedFiles(statement, name);
  await compare(planned, signed, name, options);
  return signer;
}

function isNamed({ models }: UpstreamTrust, id: string): boolean {
  const globs = models.map(glob => ({ glob, isMatch: picomatch(glob, { nocase: true }) }));
  return matched(globs, [id]).has(id);
}

async function trustedSigner(
  { signer }: UpstreamTrust,
  { configFile, env }: UpstreamPlace,
): Promise<TrustedSigner> {
  const folder = path.dirname(configFile);
  if (signer.kind === 'key') {
    const key = await readPublicKey({ reference: signer.key, folder, env });
    return { kind: 'key', key, name: `key ${signer.key}` };
  }
  const { identity, issuer, trustedRoot } = signer;
  if (trustedRoot === null) {
    throw new SigningError('an identity in `signing.upstream` needs `trusted_root`', {
      code: 'SIGNING_KEY',
      subject: configFile,
      remedy: 'For the public sigstore: cosign trusted-root create --with-default-services --out root.json',
    });
  }
  return await readTrustedIdentity({ identity, issuer, trustedRoot }, configFile);
}

/** The sha256 of what is signed, by path. */
function signedFiles({ predicateType, predicate, subject }: Statement, name: string): Map<string, string> {
  if (predicateType === OLD_PREDICATE_TYPE)
    return new Map(subject.map(one => [one.name ?? '', one.digest.sha256 ?? '']));
  if (predicateType !== PredicateType.model)
    throw wrong(name, `is about something else: ${quoted(predicateType)}`);
  const { serialization, resources } = isRecord(predicate) ? predicate : {};
  const { method } = isRecord(serialization) ? serialization : {};
  if (method !== 'files' || !Array.isArray(resources))
    throw wrong(
      name,
      `was made in a way that cannot be verified without reading all files: ${describeJson(method)}`,
    );
  return new Map(
    resources.filter(isRecord).map(({ name: path_, algorithm, digest }) => {
      if (algorithm !== 'sha256' || typeof path_ !== 'string' || typeof digest !== 'string')
        throw wrong(name, 'has hashes other than sha256, which the Hub does not tell');
      return [path_, digest];
    }),
  );
}

async function compare(
  { snapshot, files }: PlannedModel,
  signed: ReadonlyMap<string, string>,
  name: string,
  { hub, hashes: known, signal }: UpstreamOptions,
): Promise<void> {
  const paths = new Set(snapshot.files.map(file => file.path));
  const missing = [...signed.keys()].find(one => !paths.has(one));
  if (missing !== undefined)
    throw wrong(name, `signs ${quoted(missing)}, which the repository does not have`);
  const needed = files.filter(file => !isUnsigned(file.path));
  const unsigned = needed.find(file => !signed.has(file.path));
  if (unsigned !== undefined) throw wrong(name, `does not sign ${quoted(unsigned.path)}`);
  // Weights that the image leaves out cost nothing to compare.
  const others = snapshot.files.filter(file => file.sha256 !== undefined && signed.has(file.path));
  const listed = [...new Set([...needed, ...others])].map(({ path: at, sizeBytes, sha256, gitOid }) =>
    sha256 === undefined ? { path: at, sizeBytes, gitOid } : { path: at, sizeBytes, sha256 },
  );
  const model = { id: snapshot.id, revision: snapshot.revision };
  for (const { path: at, sha256 } of await hashedFiles(listed, model, { hub, known, signal })) {
    if (sha256 === undefined || sha256 !== signed.get(at)) throw wrong(name, `signs another ${quoted(at)}`);
  }
}

function wrong(name: string, what: string): SigningError {
  return new SigningError(`${name} ${what}`, {
    code: 'SIGNATURE_INVALID',
    subject: name,
    remedy: 'The model is not what its makers signed: ask them, or pin an older `revision`.',
  });
}
