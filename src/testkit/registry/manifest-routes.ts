import { type Digest, digestOf, isDigest } from '../../core/digest.ts';
import { isTag } from '../../oci/reference.ts';
import { MediaType } from '../../oci/types.ts';
import type { Exchange, Headers } from '../server/exchange.ts';
import { checkManifest } from './manifest-checks.ts';
import { problem } from './problem.ts';
import type { RegistryQuirks } from './quirks.ts';
import { findManifest, type RegistryRepository, type StoredManifest } from './repository.ts';
import { type RegistryState, repositoryFor } from './state.ts';

/** What Docker's registry takes at most. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/**
 * Answers `/v2/<name>/manifests/<reference>`. Throws the registry's refusal: TAG_INVALID, UNSUPPORTED, and those of a
 * manifest that is invalid or unknown.
 */
export async function answerManifest(
  state: RegistryState,
  exchange: Exchange,
  name: string,
  reference: string,
): Promise<void> {
  if (!isDigest(reference) && !isTag(reference))
    throw problem(400, 'TAG_INVALID', `invalid tag ${reference}`);
  switch (exchange.method) {
    case 'PUT':
      return await putManifest(state, exchange, name, reference);
    case 'GET':
    case 'HEAD':
      return await sendManifest(state, exchange, name, reference);
    case 'DELETE':
      return await deleteManifest(state, exchange, name, reference);
    default:
      throw problem(405, 'UNSUPPORTED', 'method not allowed');
  }
}

/** Answers `/v2/<name>/referrers/<digest>`. Throws the registry's refusal: DIGEST_INVALID, UNSUPPORTED. */
export async function answerReferrers(
  state: RegistryState,
  exchange: Exchange,
  name: string,
  digest: string,
): Promise<void> {
  if (state.quirks.referrers === false) throw problem(404, 'UNSUPPORTED', '404 page not found');
  if (!isDigest(digest)) throw problem(400, 'DIGEST_INVALID', 'invalid digest');
  const wanted = exchange.url.searchParams.get('artifactType');
  const manifests = [...(state.repositories.get(name)?.manifests.values() ?? [])]
    .map(stored => referrer(stored, digest))
    .filter(one => one !== undefined)
    .filter(one => wanted === null || one.artifactType === wanted);
  const headers: Headers = {
    'content-type': MediaType.ociIndex,
    ...(wanted === null ? {} : { 'oci-filters-applied': 'artifactType' }),
  };
  await exchange.sendJson(200, { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests }, headers);
}

async function putManifest(
  state: RegistryState,
  exchange: Exchange,
  name: string,
  reference: string,
): Promise<void> {
  const repository = repositoryFor(state, name);
  const mediaType = (exchange.header('content-type') ?? '').split(';')[0]?.trim() ?? '';
  const bytes = await exchange.bytes(MAX_MANIFEST_BYTES);
  const digest = digestOf(bytes);
  if (isDigest(reference) && reference !== digest) {
    throw problem(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
  }
  const { subject } = checkManifest(state, name, mediaType, bytes);
  const { quirks } = state;
  const named = repository.tags.get(reference);
  if (quirks.immutableTags && named !== undefined && named !== digest) {
    const words = `The image tag '${reference}' already exists in the '${name}' repository and cannot be overwritten because the tag is immutable.`;
    throw problem(400, 'TAG_INVALID', words);
  }
  if (!quirks.forgetsManifests) {
    repository.manifests.set(digest, { digest, mediaType, bytes });
    if (!isDigest(reference)) repository.tags.set(reference, digest);
  }
  state.counters.manifestsPut += 1;
  const path = `/v2/${name}/manifests/${digest}`;
  await exchange.send(quirks.manifestStatus ?? 201, {
    location: quirks.relativeLocations ? path : `${exchange.url.origin}${path}`,
    'docker-content-digest': digestHeader(quirks, digest, reference),
    ...(subject === undefined || quirks.referrers === false ? {} : { 'oci-subject': subject.digest }),
  });
}

async function sendManifest(
  state: RegistryState,
  exchange: Exchange,
  name: string,
  reference: string,
): Promise<void> {
  const manifest = findManifest(state.repositories.get(name), reference);
  if (manifest === undefined) throw unknown(reference);
  const { mediaType, digest, bytes } = manifest;
  // Docker's registry does not show an OCI manifest to those who did not say that they can read it.
  if (!accepts(exchange.header('accept'), mediaType)) {
    throw problem(404, 'MANIFEST_UNKNOWN', `${mediaType} found, but accept header does not support it`);
  }
  const said = digestHeader(state.quirks, digest, reference);
  const headers = { 'content-type': mediaType, 'docker-content-digest': said, etag: said && `"${said}"` };
  await exchange.send(200, headers, bytes);
}

function digestHeader(quirks: RegistryQuirks, digest: Digest, reference: string): string | undefined {
  if (quirks.hidesDigests) return undefined;
  return quirks.wrongDigests && !isDigest(reference) ? digest.slice('sha256:'.length) : digest;
}

async function deleteManifest(
  state: RegistryState,
  exchange: Exchange,
  name: string,
  reference: string,
): Promise<void> {
  if (state.quirks.deleteManifests === false)
    throw problem(405, 'UNSUPPORTED', 'The operation is unsupported.');
  const repository = state.repositories.get(name);
  const manifest = findManifest(repository, reference);
  if (repository === undefined || manifest === undefined) throw unknown(reference);
  if (isDigest(reference)) removeManifest(repository, reference);
  else repository.tags.delete(reference);
  await exchange.send(202, {});
}

function removeManifest(repository: RegistryRepository, digest: Digest): void {
  repository.manifests.delete(digest);
  for (const [tag, named] of repository.tags) if (named === digest) repository.tags.delete(tag);
}

function referrer({ digest, mediaType, bytes }: StoredManifest, subject: Digest) {
  const json = JSON.parse(bytes.toString('utf8'));
  if (json.subject?.digest !== subject) return undefined;
  const artifactType: string | undefined = json.artifactType ?? json.config?.mediaType;
  return {
    mediaType,
    digest,
    size: bytes.length,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(json.annotations === undefined ? {} : { annotations: json.annotations }),
  };
}

function accepts(header: string | undefined, mediaType: string): boolean {
  const types = (header ?? '').split(',').map(part => part.split(';')[0]?.trim());
  return types.includes(mediaType) || types.includes('*/*');
}

function unknown(reference: string) {
  return problem(404, 'MANIFEST_UNKNOWN', 'manifest unknown', { detail: { Tag: reference } });
}
