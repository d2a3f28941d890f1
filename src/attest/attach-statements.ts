import { type Digest, digestOf } from '../core/digest.ts';
import { isAbort, SigningError, WeighbridgeError } from '../core/errors.ts';
import { mapPool } from '../core/pool.ts';
import type { Descriptor } from '../oci/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import { addReferrers } from '../store/referrers.ts';
import { readBundle } from './bundle.ts';
import type { StatementSigner } from './signers/signer.ts';
import { kindOf, type Statement, type StatementKind, statementBytes } from './statement.ts';
import {
  bundleOfOwn,
  listStatements,
  type OwnStatement,
  putStatement,
  readStoredBundle,
  type StoredStatement,
} from './stored-statements.ts';

/** What became of one statement. */
export interface AttachedStatement {
  readonly kind: StatementKind | undefined;
  readonly predicateType: string;
  /** Of the referrer. */
  readonly digest: Digest;
  readonly status: 'signed' | 'unchanged';
}

const AT_ONCE = 4;

/**
 * Signs statements and attaches them to `subject`. One that is there already, signed by the same signer, stays; an
 * older edition that Weighbridge has made is replaced. Returns what became of each statement, in their order. Throws
 * SigningError, also if the registry does not keep them.
 */
export async function attachStatements(
  store: ImageStore,
  subject: Descriptor,
  statements: readonly Statement[],
  options: {
    readonly signer: StatementSigner;
    /** Signs anew what is there already. */
    readonly isForced?: boolean;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<AttachedStatement[]> {
  const { signer, signal } = options;
  const before = await listStatements(store, subject.digest, signal);
  const added: Descriptor[] = [];
  const replaced: Digest[] = [];
  const attached = await mapPool(statements, AT_ONCE, async (statement): Promise<AttachedStatement> => {
    const { predicateType } = statement;
    const kind = kindOf(predicateType);
    const payload = statementBytes(statement);
    const older = before.filter(
      one => one.payloadDigest !== undefined && one.predicateType === predicateType,
    );
    const own = { predicateType, payload, signer: signer.id };
    const same = options.isForced ? undefined : await findSame(store, subject, older, { own, ...options });
    if (same !== undefined)
      return { kind, predicateType, digest: same.descriptor.digest, status: 'unchanged' };
    const isModel = kind === 'model';
    const hint = isModel ? 'model-signing' : 'cosign';
    // Byte for byte what images have as a file.
    const bundle =
      (isModel ? signer.signModel?.(payload) : undefined) ??
      (await signer.sign(payload, { hint, repository: store.name, signal }));
    const descriptor = await putStatement(store, subject, own, { bundle, signal });
    added.push(descriptor);
    replaced.push(...older.map(one => one.descriptor.digest));
    return { kind, predicateType, digest: descriptor.digest, status: 'signed' };
  });
  if (added.length === 0) return attached;
  await addReferrers(store, subject.digest, added.toSorted(byDigest), { replaces: replaced, signal });
  await checkKept(store, subject.digest, added, signal);
  await deleteAll(store, replaced, signal);
  return attached;
}

/** Statements that are read to find our own: strangers can attach as many with our annotations as they like. */
const MAX_READ = 8;
/** What a bundle has beside its statement, which is in it as base64: signatures, a certificate, entries of logs. */
const MAX_ENVELOPE_BYTES = 256 * 1024;

/**
 * The annotations say which statement may be ours, and anyone who can write to the repository can write them: one is
 * taken for ours if it has our signature and says what would be stated now.
 */
async function findSame(
  store: ImageStore,
  subject: Descriptor,
  older: readonly StoredStatement[],
  options: {
    readonly own: OwnStatement;
    readonly signer: StatementSigner;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<StoredStatement | undefined> {
  const { own, signer, signal } = options;
  const { payload } = own;
  const digest = digestOf(payload);
  const maxBytes = payload.length * 2 + MAX_ENVELOPE_BYTES;
  const claimed = older.filter(one => one.payloadDigest === digest && one.signer === signer.id);
  for (const one of claimed.slice(0, MAX_READ)) {
    // Whether its manifest is there is looked at for the image's signature alone, without which it is not signed at all.
    const bundle = one.kind === 'image' ? undefined : bundleOfOwn(one, subject, own);
    try {
      const bytes = await readStoredBundle(store, one, { bundle, maxBytes, signal });
      if (readBundle(bytes, store.name).payload.equals(payload) && signer.isOwn(bytes)) return one;
    } catch (error) {
      // What cannot be read or verified is made again.
      if (!(error instanceof WeighbridgeError) || isAbort(error) || signal?.aborted) throw error;
    }
  }
  return undefined;
}

/** Checks the list: a registry may accept the manifests and not list them, so that no signature would be found. */
async function checkKept(
  store: ImageStore,
  subject: Digest,
  added: readonly Descriptor[],
  signal: AbortSignal | undefined,
): Promise<void> {
  // A list under a tag has been read again when it was written.
  const listed = await store.fetchReferrers(subject, signal);
  if (listed === undefined) return;
  if (added.every(({ digest }) => listed.some(one => one.digest === digest))) return;
  throw new SigningError(`${store.name} took the signatures of ${subject} and does not list them`, {
    code: 'SIGNING_NOT_KEPT',
    subject: store.name,
    remedy: 'The registry answers for referrers and keeps none: turn its referrers API off, or update it.',
  });
}

/** Best effort: they are in no list any more, or superseded by one that is newer. */
async function deleteAll(
  store: ImageStore,
  digests: readonly Digest[],
  signal: AbortSignal | undefined,
): Promise<void> {
  await mapPool(digests, AT_ONCE, async digest => {
    try {
      await store.deleteManifest?.(digest, signal);
    } catch (error) {
      if (!(error instanceof WeighbridgeError) || signal?.aborted) throw error;
    }
  });
}

function byDigest(a: Descriptor, b: Descriptor): number {
  return a.digest < b.digest ? -1 : 1;
}
