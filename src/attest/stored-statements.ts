import { readAll } from '../core/byte-source.ts';
import { compareBytes } from '../core/bytes-order.ts';
import { type Digest, digestOf } from '../core/digest.ts';
import { RegistryError } from '../core/errors.ts';
import { parseManifest } from '../oci/parse.ts';
import type { Annotations, Descriptor } from '../oci/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import { listReferrers } from '../store/referrers.ts';
import { isBundleType } from './bundle.ts';
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

/** Returns the annotations of the manifest that a statement is stored with. */
export function statementAnnotations(predicateType: string, payload: Buffer, signer: string): Annotations {
  return {
    [CONTENT]: 'dsse-envelope',
    [PREDICATE_TYPE]: predicateType,
    [IN_TOTO_TYPE]: predicateType,
    [OURS]: digestOf(payload),
    [SIGNER]: signer,
  };
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

/** Returns a bundle's bytes, at most `maxBytes`. Throws RegistryError. */
export async function readStoredBundle(
  store: ImageStore,
  { descriptor }: StoredStatement,
  options: { readonly maxBytes?: number; readonly signal?: AbortSignal | undefined } = {},
): Promise<Buffer> {
  const { maxBytes = MAX_BUNDLE_BYTES, signal } = options;
  const name = `${store.name}@${descriptor.digest}`;
  const stored = await store.getManifest(descriptor.digest, signal);
  const parsed = stored && parseManifest(stored.bytes, stored.mediaType, name);
  const layers = parsed?.kind === 'manifest' ? parsed.manifest.layers : [];
  const layer = layers.find(({ mediaType }) => isBundleType(mediaType));
  if (layer === undefined) throw unreadable(store, name, 'has no bundle in it');
  if (layer.size > maxBytes) throw unreadable(store, name, `has a bundle of ${layer.size} bytes`);
  const bytes = await readAll(store.openBlob(layer), maxBytes, signal);
  if (digestOf(bytes) !== layer.digest) throw unreadable(store, name, 'has a bundle of another digest');
  return bytes;
}

/** Older cosign writes a wrong artifact type into a list under a tag, and its annotations tell all the same. */
function isBundle({ artifactType, annotations }: Descriptor): boolean {
  return isBundleType(artifactType) || annotations?.[CONTENT] !== undefined;
}

function unreadable(store: ImageStore, name: string, what: string): RegistryError {
  return new RegistryError(`${name} ${what}`, { code: 'REGISTRY_BAD_ANSWER', subject: store.name });
}
