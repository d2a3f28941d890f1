import { setTimeout as sleep } from 'node:timers/promises';
import { type Digest, digestOf, hexOf, isDigest } from '../core/digest.ts';
import { isOddAnswer, RegistryError } from '../core/errors.ts';
import { Mutex, mapPool } from '../core/pool.ts';
import { parseManifest } from '../oci/parse.ts';
import { type Descriptor, type Index, MediaType } from '../oci/types.ts';
import type { ImageStore } from './image-store.ts';

// Artifacts that refer to an image: scans, signatures, attestations. Where a store keeps no list of them, the list is
// an index under a tag that clients write, read-modify-write:
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema

const TAG = /^sha256-[0-9a-f]{64}$/;
const MAX_ATTEMPTS = 6;
const RETRY_MS = 200;
const LOOKUPS_AT_ONCE = 4;

/** Writers of one list in this process take turns. */
const turns = new Map<string, Mutex>();

/** Whether a tag is such a list, and so no image. */
export function isReferrersTag(tag: string): boolean {
  return TAG.test(tag);
}

/** Returns what refers to `subject`, of one artifact type where that is given, in no particular order. */
export async function listReferrers(
  store: ImageStore,
  subject: Digest,
  options: { readonly artifactType?: string; readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly Descriptor[]> {
  const { artifactType, signal } = options;
  const found =
    (await store.fetchReferrers(subject, signal)) ?? (await readTag(store, subject, signal)).manifests;
  const listed = await mapPool(found, LOOKUPS_AT_ONCE, one => described(store, one, signal));
  return artifactType === undefined ? listed : listed.filter(one => one.artifactType === artifactType);
}

/**
 * go-containerregistry's registry, and older versions of cosign in a list under a tag, take the type of the config for
 * that of the artifact and leave annotations out: the manifest has both.
 */
async function described(
  store: ImageStore,
  listed: Descriptor,
  signal: AbortSignal | undefined,
): Promise<Descriptor> {
  if (listed.artifactType !== undefined && listed.artifactType !== MediaType.ociEmpty) return listed;
  try {
    const stored = await store.getManifest(listed.digest, signal);
    const parsed = stored && parseManifest(stored.bytes, stored.mediaType, `${store.name}@${listed.digest}`);
    if (parsed?.kind !== 'manifest') return listed;
    const { artifactType, annotations } = parsed.manifest;
    return { ...listed, ...(artifactType && { artifactType }), ...(annotations && { annotations }) };
  } catch (error) {
    // Anyone who may push can attach something that is not a manifest; it says nothing of the others.
    if (isOddAnswer(error)) return listed;
    throw error;
  }
}

/**
 * Makes manifests that are there, and whose `subject` is `subject`, findable by `listReferrers`. The descriptors carry
 * their artifact types and annotations. `replaces` are older ones that leave a list which is a tag's.
 */
export async function addReferrers(
  store: ImageStore,
  subject: Digest,
  descriptors: readonly Descriptor[],
  options: { readonly replaces?: readonly Digest[]; readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { replaces = [], signal } = options;
  const missingIn = (listed: readonly Descriptor[]): Descriptor[] =>
    descriptors.filter(one => !listed.some(({ digest }) => digest === one.digest));
  const listed = await store.fetchReferrers(subject, signal);
  // A store that lists others but not these does not keep the list on its own.
  if (listed !== undefined && missingIn(listed).length === 0) return;
  const key = `${store.name} ${subject}`;
  const turn = turns.get(key) ?? new Mutex();
  turns.set(key, turn);
  await turn.run(async () => {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const index = await readTag(store, subject, signal);
      const missing = missingIn(index.manifests);
      if (missing.length === 0) return;
      const others = index.manifests.filter(({ digest }) => !replaces.includes(digest));
      await writeTag(store, subject, { ...index, manifests: [...others, ...missing] }, signal);
      // Another machine may have read the same list and written its own: only looking again tells.
      await sleep(RETRY_MS * (attempt - 1 + Math.random()), undefined, { signal });
    }
    const { manifests } = await readTag(store, subject, signal);
    if (missingIn(manifests).length === 0) return;
    throw new RegistryError(`the list of referrers of ${subject} in ${store.name} keeps changing`, {
      code: 'REGISTRY_BAD_ANSWER',
      subject: store.name,
      remedy: 'Another process writes it too: run the command again when that has ended.',
    });
  });
}

async function readTag(store: ImageStore, subject: Digest, signal: AbortSignal | undefined): Promise<Index> {
  const stored = await store.getManifest(tagOf(subject), signal);
  // GitLab resolves the tag to the image itself: https://github.com/oras-project/oras-go/issues/1396
  const isList = stored !== undefined && stored.digest !== subject;
  const parsed = isList && parseManifest(stored.bytes, stored.mediaType, `${store.name}:${tagOf(subject)}`);
  if (parsed && parsed.kind === 'index' && isReferrersList(parsed.index)) return parsed.index;
  return { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] };
}

/** An index over platforms is not a list of referrers: what refers to an image names its type, and has no platform. */
function isReferrersList({ manifests }: Index): boolean {
  return manifests.length === 0 || manifests.some(({ artifactType }) => artifactType !== undefined);
}

async function writeTag(
  store: ImageStore,
  subject: Digest,
  index: Index,
  signal: AbortSignal | undefined,
): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(index));
  const manifest = { mediaType: MediaType.ociIndex, digest: digestOf(bytes), bytes };
  await store.putManifest(tagOf(subject), manifest, signal);
}

function tagOf(subject: Digest): string {
  if (!isDigest(subject)) throw new RangeError(`expected a digest, got ${subject}`);
  return `sha256-${hexOf(subject)}`;
}
