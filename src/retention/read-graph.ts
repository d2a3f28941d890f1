import { type Digest, isDigest } from '../core/digest.ts';
import { RegistryError } from '../core/errors.ts';
import { mapPool } from '../core/pool.ts';
import { parseManifest } from '../oci/parse.ts';
import { type ImageStore, MAX_REFERRERS, type StoredManifest } from '../store/image-store.ts';
import { isReferrersTag } from '../store/referrers.ts';
import type { GraphNode, RepositoryGraph } from './types.ts';

const REQUESTS_AT_ONCE = 6;
/** A repository with more cannot be looked through whole, so nothing of it is deleted. */
const MAX_TAGS = 20_000;
const MAX_MANIFESTS = 100_000;
/** cosign before version 3: `sha256-<hex>.sig`, `.att`, `.sbom`. */
const OWNED_TAG = /^sha256-([0-9a-f]{64})(?:\.[a-z]+)?$/;

/**
 * Returns all that the tags of a repository reach. It fails closed: a manifest that is missing, unreadable or invalid
 * is a RegistryError, since what it would have reached cannot be known. Throws RegistryError REGISTRY_BAD_ANSWER.
 */
export async function readGraph(store: ImageStore, signal?: AbortSignal): Promise<RepositoryGraph> {
  const names = await store.listTags(MAX_TAGS + 1, signal);
  if (names.length > MAX_TAGS) throw tooMany(store, `more than ${MAX_TAGS} tags`);
  const tags = new Map<string, Digest>();
  await mapPool(names, REQUESTS_AT_ONCE, async tag => {
    const digest = await store.resolveTag(tag, signal);
    // Deleted by somebody else in the meantime.
    if (digest !== undefined) tags.set(tag, digest);
  });

  const nodes = new Map<Digest, GraphNode>();
  const referrers = new Map<Digest, readonly Digest[]>();
  const isList = ([tag, digest]: readonly [string, Digest]): boolean => {
    const subject = subjectOf(tag);
    return subject !== undefined && subject !== digest;
  };
  const lists = new Set([...tags].filter(isList).map(([, digest]) => digest));
  /** Manifests that may be gone: a list of referrers is not always brought up to date. */
  const optional = new Set<Digest>();
  const asked = new Set<Digest>();
  let open = [...new Set(tags.values())];
  while (open.length > 0) {
    for (const digest of open) asked.add(digest);
    const found = await mapPool(open, REQUESTS_AT_ONCE, async digest => {
      const manifest = await store.getManifest(digest, signal);
      if (manifest === undefined && optional.has(digest)) return [];
      if (manifest === undefined) throw unreadable(store, digest, 'is named and is not there');
      const { node, isReferrer } = toNode(store, manifest);
      // A list, or what refers to something itself, ends the chain: what hangs on it is in no plan, and so never deleted.
      const isEnd = isReferrer || lists.has(digest);
      const listed = isEnd ? [] : ((await store.fetchReferrers(digest, signal)) ?? []);
      if (listed.length >= MAX_REFERRERS)
        throw tooMany(store, `${MAX_REFERRERS} or more manifests that refer to ${digest}`);
      return [{ node, listed: listed.map(one => one.digest) }];
    });
    const next = new Set<Digest>();
    for (const { node, listed } of found.flat()) {
      nodes.set(node.digest, node);
      referrers.set(node.digest, listed);
      for (const digest of [...node.children, ...listed]) next.add(digest);
      for (const digest of lists.has(node.digest) ? node.children : listed) optional.add(digest);
    }
    open = [...next].filter(digest => !asked.has(digest));
    if (nodes.size + open.length > MAX_MANIFESTS)
      throw tooMany(store, `more than ${MAX_MANIFESTS} manifests`);
  }
  const owned = ownedTags(tags, nodes);
  // Where the registry keeps no list, the tag has been read with all others.
  for (const [tag, subject] of owned) {
    const list = tags.get(tag);
    const named = isReferrersTag(tag) && list !== undefined ? (nodes.get(list)?.children ?? []) : [];
    referrers.set(subject, [...new Set([...(referrers.get(subject) ?? []), ...named])]);
  }
  return { repository: store.name, tags, nodes, referrers, ownedTags: owned };
}

/** A tag of such a name that leads to the very manifest is GitLab's other way to name it, and an image's like any other. */
function ownedTags(
  tags: ReadonlyMap<string, Digest>,
  nodes: ReadonlyMap<Digest, GraphNode>,
): ReadonlyMap<string, Digest> {
  const owned = new Map<string, Digest>();
  for (const [tag, digest] of tags) {
    const subject = subjectOf(tag);
    if (subject === undefined || subject === digest) continue;
    if (nodes.has(subject) || isReferrersTag(tag)) owned.set(tag, subject);
  }
  return owned;
}

/** What a tag belongs to by its name. */
function subjectOf(tag: string): Digest | undefined {
  const hex = OWNED_TAG.exec(tag)?.[1];
  const subject = hex === undefined ? undefined : `sha256:${hex}`;
  return isDigest(subject) ? subject : undefined;
}

function toNode(
  store: ImageStore,
  { digest, mediaType, bytes }: StoredManifest,
): { readonly node: GraphNode; readonly isReferrer: boolean } {
  let parsed: ReturnType<typeof parseManifest>;
  try {
    parsed = parseManifest(bytes, mediaType, `${store.name}@${digest}`);
  } catch (cause) {
    throw unreadable(store, digest, 'cannot be read', cause);
  }
  if (parsed.kind === 'index') {
    const { manifests, artifactType, annotations = {}, subject } = parsed.index;
    const children = manifests.map(one => one.digest);
    const node = { digest, sizeBytes: bytes.length, children, blobs: new Map(), artifactType, annotations };
    return { node, isReferrer: subject !== undefined };
  }
  const { config, layers, artifactType, annotations = {}, subject } = parsed.manifest;
  const blobs = new Map([config, ...layers].map(one => [one.digest, one.size]));
  const node = { digest, sizeBytes: bytes.length, children: [], blobs, artifactType, annotations };
  return { node, isReferrer: subject !== undefined };
}

function unreadable(store: ImageStore, digest: Digest, what: string, cause?: unknown): RegistryError {
  return new RegistryError(`the manifest ${digest} of ${store.name} ${what}`, {
    code: 'REGISTRY_BAD_ANSWER',
    subject: store.name,
    remedy: 'Nothing of this repository is deleted. Repair or delete that image by hand, and prune again.',
    cause,
  });
}

function tooMany(store: ImageStore, what: string): RegistryError {
  return new RegistryError(`${store.name} has ${what}`, {
    code: 'REGISTRY_BAD_ANSWER',
    subject: store.name,
    remedy: 'Nothing of this repository is deleted.',
  });
}
