import type { ByteSource, OpenOptions } from '../../core/byte-source.ts';
import { type Digest, digestOf, isDigest } from '../../core/digest.ts';
import { IntegrityError, RegistryError } from '../../core/errors.ts';
import { networkError } from '../../http/client.ts';
import { nextLink } from '../../http/link-header.ts';
import type { HttpResponse } from '../../http/types.ts';
import { parseManifest } from '../../oci/parse.ts';
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
import type { RegistryClient } from './registry-client.ts';
import { RegistryUpload } from './registry-upload.ts';
import { parseTagList } from './tag-list.ts';
import { UploadSession } from './upload/upload-session.ts';
import type { UploadTarget } from './upload/upload-way.ts';

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
const MAX_READ_ATTEMPTS = 4;
const MAX_DOCUMENT_ATTEMPTS = 3;
const MAX_REFERRER_PAGES = 100;

/** One repository of a registry. */
export class RegistryStore implements ImageStore {
  readonly name: string;
  readonly remote: RemoteRepository;
  readonly #client: RegistryClient;
  readonly #repository: string;
  readonly #scope: string;
  /** Where an upload is open that a refused mount has left behind; the next blob takes it. */
  #openedAt: string | undefined;

  constructor(client: RegistryClient, repository: string, access: Access) {
    this.name = `${client.registry}/${repository}`;
    this.remote = { name: this.name, access };
    this.#client = client;
    this.#repository = repository;
    this.#scope = `repository:${repository}:${ACTIONS[access]}`;
  }

  async statBlob(digest: Digest, signal?: AbortSignal): Promise<number | undefined> {
    const purpose = `looking for ${digest} in ${this.name}`;
    const response = await this.#request('HEAD', `blobs/${digest}`, { purpose, signal });
    response.discard();
    if (response.status === 404) return undefined;
    if (response.status !== 200) throw await this.#client.failure(response, purpose);
    const length = Number(response.headers['content-length'] ?? Number.NaN);
    if (!Number.isSafeInteger(length)) {
      throw new RegistryError(`${purpose}: the answer has no Content-Length`, {
        code: 'REGISTRY_BAD_ANSWER',
        subject: this.name,
      });
    }
    return length;
  }

  async mountBlob(descriptor: Descriptor, from: string, signal?: AbortSignal): Promise<boolean> {
    const prefix = `${this.#client.registry}/`;
    const { traits } = this.#client;
    if (!from.startsWith(prefix) || !traits.mounts) return false;
    const source = from.slice(prefix.length);
    const purpose = `mounting ${descriptor.digest} from ${from} in ${this.name}`;
    const response = await this.#client.request({
      method: 'POST',
      url: `/v2/${this.#repository}/blobs/uploads/?mount=${descriptor.digest}&from=${encodeURIComponent(source)}`,
      // A token for both: where the source may not be read, the registry just does not mount.
      scope: `${this.#scope} repository:${source}:pull`,
      purpose,
      signal,
    });
    response.discard();
    traits.noteMount(response.status === 201);
    if (response.status === 201) return true;
    // Some registries answer a mount they cannot do with an error instead of an upload (Quay without `from`).
    const { location } = response.headers;
    if (response.status !== 202 || location === undefined) return false;
    const openedAt = this.#client.resolve(location, response.url);
    if (this.#openedAt === undefined) this.#openedAt = openedAt;
    else await new UploadSession(this.#uploadTarget({ sizeBytes: 0, signal }), openedAt).cancel();
    return false;
  }

  openBlob(descriptor: Descriptor): ByteSource {
    return blobSource(this.name, descriptor, options => this.#read(descriptor, options));
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
      traits: this.#client.traits,
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
    const response = await this.#request('HEAD', `manifests/${tag}`, {
      purpose,
      signal,
      headers: { accept: MANIFEST_TYPES.join(', ') },
    });
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
    const purpose = `listing the tags of ${this.name}`;
    const tags: string[] = [];
    let path = `/v2/${this.#repository}/tags/list?n=${limit}`;
    while (tags.length < limit) {
      const request = { method: 'GET', url: path, scope: this.#scope, purpose, signal } as const;
      const { response, bytes } = await this.#client.requestBytes(request);
      if (response.status === 404) {
        response.discard();
        break;
      }
      if (bytes === undefined) throw await this.#client.failure(response, purpose);
      const page = parseTagList(bytes, this.name);
      tags.push(...page);
      const next = nextLink(response.headers);
      if (next === undefined || page.length === 0) break;
      path = this.#client.resolve(next, response.url);
    }
    return tags.slice(0, limit);
  }

  /** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers */
  async fetchReferrers(subject: Digest, signal?: AbortSignal): Promise<Descriptor[] | undefined> {
    const purpose = `listing what refers to ${subject} in ${this.name}`;
    const found: Descriptor[] = [];
    let url = `/v2/${this.#repository}/referrers/${subject}`;
    for (let page = 0; page < MAX_REFERRER_PAGES; page++) {
      const request = { method: 'GET', url, scope: this.#scope, purpose, signal } as const;
      // GHCR sends those who ask to a page of its own; that is no list.
      const response = await this.#client.request({ ...request, followRedirects: false });
      if (response.status !== 200) {
        if (response.status >= 500 || response.status === 429)
          throw await this.#client.failure(response, purpose);
        response.discard();
        return undefined;
      }
      const bytes = await response.bytes(MAX_MANIFEST_BYTES);
      if (!String(response.headers['content-type']).startsWith(MediaType.ociIndex)) return undefined;
      const parsed = parseManifest(bytes, MediaType.ociIndex, purpose);
      if (parsed.kind !== 'index') return undefined;
      found.push(...parsed.index.manifests);
      const next = nextLink(response.headers);
      if (next === undefined) break;
      url = this.#client.resolve(next, response.url);
    }
    return found;
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
    if (expected !== undefined && expected !== digest)
      throw this.#wrongBytes(`${purpose}: expected ${String(expected)}, got bytes of ${digest}`);
    const mediaType = (response.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
    return { mediaType, digest, bytes };
  }

  async #sendManifest(reference: string, manifest: StoredManifest, signal?: AbortSignal): Promise<void> {
    const purpose = `putting the manifest ${reference} to ${this.name}`;
    const response = await this.#request('PUT', `manifests/${reference}`, {
      purpose,
      signal,
      headers: { 'content-type': manifest.mediaType },
      body: manifest.bytes,
    });
    if (response.status !== 201) {
      const failure = await this.#client.failure(response, purpose);
      const isOfBytes = response.status === 400 && failure.code !== 'REGISTRY_BLOB_UNKNOWN';
      throw isOfBytes ? this.#wrongBytes(failure.message) : failure;
    }
    response.discard();
    const confirmed = response.headers['docker-content-digest'];
    if (confirmed !== undefined && confirmed !== manifest.digest)
      throw this.#wrongBytes(`${purpose}: sent ${manifest.digest}, it stored ${String(confirmed)}`);
  }

  /** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#deleting-manifests */
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
    method: 'GET' | 'HEAD' | 'PUT' | 'DELETE',
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

  async *#read(descriptor: Descriptor, { start, signal, buffers }: OpenOptions): AsyncGenerator<Uint8Array> {
    const purpose = `reading ${descriptor.digest} from ${this.name}`;
    let position = start;
    for (let attempt = 1; position < descriptor.size; attempt++) {
      const before = position;
      const response = await this.#request('GET', `blobs/${descriptor.digest}`, {
        purpose,
        signal,
        headers: position > 0 ? { range: `bytes=${position}-` } : {},
      });
      if (response.status !== 200 && response.status !== 206)
        throw await this.#client.failure(response, purpose);
      // A registry may ignore the range and start over.
      let skip = response.status === 206 ? 0 : position;
      try {
        for await (const chunk of response.chunks(buffers)) {
          const part = skip > 0 ? chunk.subarray(skip) : chunk;
          skip = Math.max(0, skip - chunk.length);
          position += part.length;
          if (part.length > 0) yield part;
        }
        if (position < descriptor.size) throw new Error('the answer ended too early');
      } catch (error) {
        if (position > before) attempt = 0;
        if (signal?.aborted || attempt >= MAX_READ_ATTEMPTS) {
          throw new RegistryError(networkError(error, { url: response.url, purpose, signal }).message, {
            code: 'REGISTRY_UNREACHABLE',
            subject: this.name,
            cause: error,
          });
        }
      }
    }
  }
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
