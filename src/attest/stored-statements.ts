import { readAll } from '../core/byte-source.ts';
import { compareBytes } from '../core/bytes-order.ts';
import { type Digest, digestOf, isDigest } from '../core/digest.ts';
import { RegistryError } from '../core/errors.ts';
import { parseManifest } from '../oci/parse.ts';
import type { Annotations, Descriptor } from '../oci/types.ts';
import { artifactManifest, putArtifact } from '../store/attach-artifact.ts';
import type { ImageStore } from '../store/image-store.ts';
import { listReferrers } from '../store/referrers.ts';
import { BUNDLE_TYPE, isBundleType } from './bundle.ts';
import { kindOf, PredicateType, type StatementKind } from './statement.ts';

// How statements are kept: a referrer for each, whose one layer is the bundle. Its annotations tell what it is without
// another request, and prove nothing: only the signature does.

const CONTENT = 'dev.sigstore.bundle.content';
const PREDICATE_TYPE = 'dev.sigstore.bundle.predicateType';
/** The same for Trivy, which looks for VEX by it. */
const IN_TOTO_TYPE = 'in-toto.io/predicate-type';
/** On those that Weighbridge has made, so that it replaces its own and nothing else: the sha256 of the statement. */
const OURS = 'io.weighbridge.statement';
/** Which key or authority those were signed with. */
const SIGNER = 'io.weighbridge.signer';

/** Where the bundle of those is, as `<digest> <bytes>`: with it the manifest is known, and need not be read. */
const BUNDLE = 'io.weighbridge.bundle';

const MAX_BUNDLE_BYTES = 32 * 1024 * 1024;
/** More than this many are somebody's mistake, or an attack. */
const MAX_STATEMENTS = 200;

/** A statement in a registry, by what its manifest tells. */
export interface StoredStatement {
  readonly descriptor: Descriptor;
  /** As the annotation claims. */
  readonly kind: StatementKind | undefined;
  readonly predicateType: string | undefined;
  /** The sha256 of the statement, if Weighbridge has made it. */
  readonly payloadDigest: string | undefined;
  readonly signer: string | undefined;
}

/** What our own statement is stored with, but for its bundle. */
export interface OwnStatement {
  readonly predicateType: string;
  readonly payload: Buffer;
  /** The `id` of the signer. */
  readonly signer: string;
}

/** Uploads a statement's bundle and returns its descriptor for `addReferrers`. Throws RegistryError. */
export async function putStatement(
  store: ImageStore,
  subject: Descriptor,
  own: OwnStatement,
  { bundle, signal }: { readonly bundle: Buffer; readonly signal?: AbortSignal | undefined },
): Promise<Descriptor> {
  const annotations = statementAnnotations(own, { digest: digestOf(bundle), size: bundle.length });
  const files = [{ mediaType: BUNDLE_TYPE, bytes: bundle, ...titleOf(own) }];
  return await putArtifact(store, subject, { artifactType: BUNDLE_TYPE, annotations, files }, signal);
}

/** Where OpenSSF's `model_signing` looks for it, in the file that `oras pull` writes. */
function titleOf({ predicateType }: OwnStatement): { readonly title?: string } {
  return kindOf(predicateType) === 'model' ? { title: 'model.sig' } : {};
}

/** Returns the annotations of the manifest that our own statement is stored with. */
export function statementAnnotations(
  { predicateType, payload, signer }: OwnStatement,
  bundle: Pick<Descriptor, 'digest' | 'size'>,
): Annotations {
  return {
    [CONTENT]: 'dsse-envelope',
    [PREDICATE_TYPE]: predicateType,
    [IN_TOTO_TYPE]: predicateType,
    [OURS]: digestOf(payload),
    [SIGNER]: signer,
    [BUNDLE]: `${bundle.digest} ${bundle.size}`,
  };
}

/**
 * Returns where the bundle of our own statement is, if its annotations say so and it is the manifest that such a
 * statement is stored with; undefined if only the manifest tells.
 */
export function bundleOfOwn(
  { descriptor }: StoredStatement,
  subject: Descriptor,
  own: OwnStatement,
): Descriptor | undefined {
  const [digest = '', bytes = ''] = descriptor.annotations?.[BUNDLE]?.split(' ') ?? [];
  if (!isDigest(digest) || !/^\d{1,9}$/.test(bytes)) return undefined;
  const bundle = { mediaType: BUNDLE_TYPE, digest, size: Number(bytes) };
  const { descriptor: expected } = artifactManifest(subject, {
    artifactType: BUNDLE_TYPE,
    annotations: statementAnnotations(own, bundle),
    files: [{ ...bundle, ...titleOf(own) }],
  });
  return expected.digest === descriptor.digest ? bundle : undefined;
}

/** Returns the bundles that refer to `subject`, as their annotations describe them. Throws RegistryError. */
export async function listStatements(
  store: ImageStore,
  subject: Digest,
  signal?: AbortSignal,
): Promise<StoredStatement[]> {
  const listed = await listReferrers(store, subject, { signal });
  return describeStatements(listed).slice(0, MAX_STATEMENTS);
}

/**
 * Returns what the manifests of referrers tell of statements, without reading these: by kind, since each registry lists
 * them in an order of its own.
 */
export function describeStatements(referrers: readonly Descriptor[]): StoredStatement[] {
  const statements = referrers.filter(isBundle).map((descriptor): StoredStatement => {
    const predicateType = descriptor.annotations?.[PREDICATE_TYPE];
    return {
      descriptor,
      predicateType,
      kind: kindOf(predicateType),
      payloadDigest: descriptor.annotations?.[OURS],
      signer: descriptor.annotations?.[SIGNER],
    };
  });
  return statements.sort(
    (a, b) =>
      rankOf(a) - rankOf(b) ||
      compareBytes(a.predicateType ?? '', b.predicateType ?? '') ||
      compareBytes(a.descriptor.digest, b.descriptor.digest),
  );
}

const KINDS = Object.keys(PredicateType);

function rankOf({ kind }: StoredStatement): number {
  return kind === undefined ? KINDS.length : KINDS.indexOf(kind);
}

/** Returns a bundle's bytes, at most `maxBytes`; `bundle` is where it is, if that is known. Throws RegistryError. */
export async function readStoredBundle(
  store: ImageStore,
  { descriptor }: StoredStatement,
  options: {
    readonly bundle?: Descriptor | undefined;
    readonly maxBytes?: number;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<Buffer> {
  const { maxBytes = MAX_BUNDLE_BYTES, signal } = options;
  const name = `${store.name}@${descriptor.digest}`;
  const layer = options.bundle ?? (await findBundle(store, descriptor, name, signal));
  if (layer.size > maxBytes) throw unreadable(store, name, `has a bundle of ${layer.size} bytes`);
  const bytes = await readAll(store.openBlob(layer), maxBytes, signal);
  if (digestOf(bytes) !== layer.digest) throw unreadable(store, name, 'has a bundle of another digest');
  return bytes;
}

async function findBundle(
  store: ImageStore,
  { digest }: Descriptor,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Descriptor> {
  const stored = await store.getManifest(digest, signal);
  const parsed = stored && parseManifest(stored.bytes, stored.mediaType, name);
  const layers = parsed?.kind === 'manifest' ? parsed.manifest.layers : [];
  const layer = layers.find(({ mediaType }) => isBundleType(mediaType));
  if (layer === undefined) throw unreadable(store, name, 'has no bundle in it');
  return layer;
}

/** Older cosign writes a wrong artifact type into a list under a tag, and its annotations tell all the same. */
function isBundle({ artifactType, annotations }: Descriptor): boolean {
  return isBundleType(artifactType) || annotations?.[CONTENT] !== undefined;
}

function unreadable(store: ImageStore, name: string, what: string): RegistryError {
  return new RegistryError(`${name} ${what}`, { code: 'REGISTRY_BAD_ANSWER', subject: store.name });
}
