import type { ByteSource } from '../../core/byte-source.ts';
import { type Digest, digestOf, isDigest } from '../../core/digest.ts';
import { IntegrityError, isAbort, RegistryError } from '../../core/errors.ts';
import { quoted } from '../../core/safe-text.ts';
import type { RetryPolicy } from '../../http/retry.ts';
import type { HttpResponse } from '../../http/types.ts';
import { type Descriptor, MediaType } from '../../oci/types.ts';
import type { Access } from '../auth/registry-auth.ts';
import { blobSource } from '../blob-source.ts';
import type {
  BlobUpload,
  ImageStore,
  RemoteRepository,
  StoredManifest,
  UploadOptions,
} from '../image-store.ts';
import { blobSize } from './blob-size.ts';
import { readBlob } from './read-blob.ts';
import { readReferrers } from './referrer-list.ts';
import { type RegistryClient, unlessUnauthorized } from './registry-client.ts';
import { RegistryUpload } from './registry-upload.ts';
import { readTagList } from './tag-list.ts';
import { UploadSession } from './upload/upload-session.ts';
import type { UploadTarget } from './upload/upload-strategy.ts';

const ACTIONS: Readonly<Record<Access, string>> = {
  pull: 'pull',
  push: 'pull,push',
  delete: 'pull,delete',
};
const MANIFEST_TYPES = [
  MediaType.ociManifest,
  MediaType.ociIndex,
  MediaType.dockerManifest,
  MediaType.dockerIndex,
];
/** Registries take manifests up to 4 MiB; https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_DOCUMENT_ATTEMPTS = 3;

/** One repository of a registry. */
export class RegistryStore implements ImageStore {
  readonly name: string;
  readonly remote: RemoteRepository;
  readonly retry: RetryPolicy;
  readonly #client: RegistryClient;
  readonly #repository: string;
  readonly #scope: string;
  /** Where an upload is open that a refused mount has left behind; the next blob takes it. */
  #openedAt: string | undefined;

  constructor(client: RegistryClient, repository: string, access: Access) {
    this.name = `${client.registry}/${repository}`;
    const { connection } = client;
    this.remote = { name: this.name, access, ...(connection === undefined ? {} : { connection }) };
    this.retry = client.retry;
    this.#client = client;
    this.#repository = repository;
    this.#scope = `repository:${repository}:${ACTIONS[access]}`;
  }

  async statBlob(digest: Digest, signal?: AbortSignal): Promise<number | undefined> {
    return await blobSize({
      client: this.#client,
      store: this.name,
      url: `/v2/${this.#repository}/blobs/${digest}`,
      scope: this.#scope,
      purpose: `looking for ${digest} in ${this.name}`,
      signal,
    });
  }

  async mountBlob(descriptor: Descriptor, from: string, signal?: AbortSignal): Promise<boolean> {
    const prefix = `${this.#client.registry}/`;
    const { capabilities } = this.#client;
    if (!from.startsWith(prefix) || !capabilities.mounts) return false;
    const source = from.slice(prefix.length);
    if ((await this.#sizeIn(source, descriptor.digest, signal)) !== descriptor.size) return false;
    const purpose = `mounting ${descriptor.digest} from ${from} in ${this.name}`;
    const request = {
      method: 'POST',
      url: `/v2/${this.#repository}/blobs/uploads/?mount=${descriptor.digest}&from=${encodeURIComponent(source)}`,
      scope: mountScope(this.#scope, source),
      purpose,
      signal,
    } as const;
    // A repository that may not be mounted from: https://github.com/containerd/containerd/issues/14086
    const response = await this.#client.request(request).catch(unlessUnauthorized);
    if (response === undefined) {
      capabilities.noteMount(false);
      return false;
    }
    response.discard();
    capabilities.noteMount(response.status === 201);
    if (response.status === 201) return true;
    // Some registries answer a mount they cannot do with an error instead of an upload (Quay without `from`).
    const { location } = response.headers;
    if (response.status !== 202 || location === undefined) return false;
    const openedAt = this.#client.resolve(location, response.url);
    if (this.#openedAt === undefined) this.#openedAt = openedAt;
    else await new UploadSession(this.#uploadTarget({ sizeBytes: 0, signal }), openedAt).cancel();
    return false;
  }

  /**
   * A blob's size in another repository of this registry: one of another size than a manifest says is not mounted. It is
   * asked once a run for each digest. Undefined if it cannot be read there.
   */
  async #sizeIn(repository: string, digest: Digest, signal?: AbortSignal): Promise<number | undefined> {
    const { mountSizes } = this.#client.capabilities;
    const known = mountSizes.get(digest);
    if (known !== undefined) return known;
    const store = `${this.#client.registry}/${repository}`;
    const size = await blobSize({
      client: this.#client,
      store,
      url: `/v2/${repository}/blobs/${digest}`,
      // As for the mount: one token serves both.
      scope: mountScope(this.#scope, repository),
      purpose: `looking for ${digest} in ${store}`,
      signal,
    }).catch((error: unknown) => {
      if (isAbort(error)) throw error;
      return undefined;
    });
    if (size !== undefined) mountSizes.set(digest, size);
    return size;
  }

  openBlob(descriptor: Descriptor): ByteSource {
    const { digest, size } = descriptor;
    return blobSource(this.name, descriptor, options =>
      readBlob({
        store: this.name,
        digest,
        sizeBytes: size,
        client: this.#client,
        url: `/v2/${this.#repository}/blobs/${digest}`,
        scope: this.#scope,
        options,
      }),
    );
  }

  async startUpload(options: UploadOptions): Promise<BlobUpload> {
    const openedAt = this.#openedAt;
    this.#openedAt = undefined;
    return await RegistryUpload.start({
      ...options,
      ...this.#uploadTarget(options),
      openedAt,
      stat: digest => this.statBlob(digest, options.signal),
    });
  }

  #uploadTarget({ sizeBytes, signal }: UploadOptions): UploadTarget {
    return {
      client: this.#client,
      capabilities: this.#client.capabilities,
      name: this.name,
      repository: this.#repository,
      scope: this.#scope,
      sizeBytes,
      signal,
    };
  }

  async getManifest(reference: string, signal?: AbortSignal): Promise<StoredManifest | undefined> {
    return await oftenEnough(() => this.#fetchManifest(reference, signal));
  }

  async resolveTag(tag: string, signal?: AbortSignal): Promise<Digest | undefined> {
    const purpose = `resolving the tag ${tag} of ${this.name}`;
    const response = await this.#client.head({
      url: `/v2/${this.#repository}/manifests/${tag}`,
      scope: this.#scope,
      purpose,
      signal,
      headers: { accept: MANIFEST_TYPES.join(', ') },
    });
    if (response === undefined) return (await this.getManifest(tag, signal))?.digest;
    response.discard();
    if (response.status === 404) return undefined;
    if (response.status !== 200) throw await this.#client.failure(response, purpose);
    const digest = response.headers['docker-content-digest'];
    // Optional in the specification; without it the manifest itself tells.
    if (!isDigest(digest)) return (await this.getManifest(tag, signal))?.digest;
    return digest;
  }

  async putManifest(reference: string, manifest: StoredManifest, signal?: AbortSignal): Promise<void> {
    await oftenEnough(() => this.#sendManifest(reference, manifest, signal));
  }

  async listTags(limit: number, signal?: AbortSignal): Promise<string[]> {
    const place = { client: this.#client, store: this.name, scope: this.#scope, signal };
    return await readTagList(place, `/v2/${this.#repository}/tags/list`, limit);
  }

  /** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers */
  async fetchReferrers(subject: Digest, signal?: AbortSignal): Promise<Descriptor[] | undefined> {
    const place = { client: this.#client, store: this.name, scope: this.#scope, signal };
    return await readReferrers(place, `/v2/${this.#repository}/referrers/${subject}`, subject);
  }

  async #fetchManifest(reference: string, signal?: AbortSignal): Promise<StoredManifest | undefined> {
    const purpose = `reading the manifest ${reference} of ${this.name}`;
    const request = {
      method: 'GET',
      url: `/v2/${this.#repository}/manifests/${reference}`,
      headers: { accept: MANIFEST_TYPES.join(', ') },
      scope: this.#scope,
      purpose,
      signal,
    } as const;
    const { response, bytes } = await this.#client.requestBytes(request, MAX_MANIFEST_BYTES);
    if (response.status === 404) {
      response.discard();
      return undefined;
    }
    if (bytes === undefined) throw await this.#client.failure(response, purpose);
    const digest = digestOf(bytes);
    const expected = isDigest(reference) ? reference : response.headers['docker-content-digest'];
    if (expected !== undefined && expected !== digest) {
      const isOther = isDigest(reference) || !(await this.#holds(digest, signal));
      if (isOther)
        throw this.#wrongBytes(`${purpose}: expected ${quoted(String(expected))}, got bytes of ${digest}`);
    }
    const mediaType = (response.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
    return { mediaType, digest, bytes };
  }

  /**
   * Whether the registry gives these bytes for their digest. Some name another one in the header of a tag
   * (https://github.com/GoogleContainerTools/kaniko/issues/298); bytes that were changed on the way are not there.
   */
  async #holds(digest: Digest, signal?: AbortSignal): Promise<boolean> {
    try {
      return (await this.#fetchManifest(digest, signal)) !== undefined;
    } catch (error) {
      if (error instanceof IntegrityError) return false;
      throw error;
    }
  }

  async #sendManifest(reference: string, manifest: StoredManifest, signal?: AbortSignal): Promise<void> {
    const purpose = `putting the manifest ${reference} to ${this.name}`;
    const response = await this.#request('PUT', `manifests/${reference}`, {
      purpose,
      signal,
      headers: { 'content-type': manifest.mediaType },
      body: manifest.bytes,
    });
    if (response.status < 200 || response.status > 204) {
      const failure = await this.#client.failure(response, purpose);
      if (KEEPS_TAGS.test(failure.message)) throw keptTag(`${this.name}:${reference}`, failure);
      const isOfBytes = response.status === 400 && failure.code !== 'REGISTRY_BLOB_UNKNOWN';
      throw isOfBytes ? this.#wrongBytes(failure.message) : failure;
    }
    response.discard();
    const confirmed = response.headers['docker-content-digest'];
    if (confirmed === manifest.digest) return;
    // Some registries say 201 and store nothing: without its digest in the answer it is looked for.
    const stored = await this.#fetchManifest(reference, signal);
    if (stored?.digest === manifest.digest) return;
    const holds = stored === undefined ? 'nothing is there' : `${stored.digest} is there`;
    const said = confirmed === undefined ? '' : ` of ${quoted(String(confirmed))}`;
    throw this.#wrongBytes(`${purpose}: it said ${response.status}${said}, and ${holds}`);
  }

  /**
   * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#deleting-manifests
   * Throws RegistryError, REGISTRY_NO_DELETE if the registry's settings forbid it.
   */
  async deleteManifest(digest: Digest, signal?: AbortSignal): Promise<boolean> {
    const purpose = `deleting the manifest ${digest} of ${this.name}`;
    const response = await this.#request('DELETE', `manifests/${digest}`, { purpose, signal });
    const { status } = response;
    if (status === 404 || (status >= 200 && status < 300)) {
      response.discard();
      return status !== 404;
    }
    const failure = await this.#client.failure(response, purpose);
    if (status !== 405) throw failure;
    throw new RegistryError(failure.message, {
      code: 'REGISTRY_NO_DELETE',
      subject: this.name,
      remedy:
        'Allow deleting in the settings of the registry (for distribution: `storage.delete.enabled: true`).',
    });
  }

  #wrongBytes(message: string): IntegrityError {
    return new IntegrityError(message, { code: 'INTEGRITY_HASH', subject: this.name });
  }

  #request(
    method: 'PUT' | 'DELETE',
    path: string,
    options: {
      purpose: string;
      signal?: AbortSignal | undefined;
      headers?: Record<string, string>;
      body?: Buffer;
    },
  ): Promise<HttpResponse> {
    return this.#client.request({
      ...options,
      method,
      url: `/v2/${this.#repository}/${path}`,
      scope: this.#scope,
    });
  }
}

/** What ECR, Harbor, Google and Nexus say of a tag that names another image; some with the status of bytes that are wrong. */
const KEEPS_TAGS = /\bimmutab|cannot be overwritten|does not allow updating|cannot be updated/i;

function keptTag(reference: string, { message, status }: RegistryError): RegistryError {
  return new RegistryError(message, {
    code: 'TAG_IMMUTABLE',
    subject: reference,
    ...(status === undefined ? {} : { status }),
    remedy:
      'The registry does not move tags. Allow it in its settings, or leave tags that move with revision or base out of `tags`.',
  });
}

/** A token for both: where the source may not be read, the registry just does not mount. */
function mountScope(own: string, source: string): string {
  return `${own} repository:${source}:pull`;
}

/** Documents are small: one that arrived wrong is simply asked for, or sent, again. */
async function oftenEnough<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof IntegrityError) || attempt >= MAX_DOCUMENT_ATTEMPTS) throw error;
    }
  }
}
