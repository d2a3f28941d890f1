import type { ByteSource } from '../../core/byte-source.ts';
import { type Digest, isDigest } from '../../core/digest.ts';
import { ConfigError, throwIfAborted } from '../../core/errors.ts';
import type { ParsedManifest } from '../../oci/parse.ts';
import { type Descriptor, type Manifest, MediaType } from '../../oci/types.ts';
import type { BlobUpload, ImageStore, StoredManifest, UploadOptions } from '../image-store.ts';
import { checkArrival } from '../stored-manifest.ts';
import {
  configEntryName,
  DockerArchiveFile,
  layerEntryName,
  manifestEntryName,
} from './docker-archive-file.ts';
import { presentBlob } from './present-blob.ts';

/** What the images of an archive are called. */
export interface DockerArchiveOptions {
  /** What the images are called when they are loaded: `hf-x`, or with a registry in front. */
  readonly repository: string;
}

/**
 * Starts an archive for `docker load`, `podman load` and `skopeo copy docker-archive:…` and returns its store. The file
 * appears with `finish`; until then all goes into a temporary file in the same folder, which `abandon` removes.
 */
export async function openDockerArchive(
  file: string,
  options: DockerArchiveOptions,
): Promise<DockerArchiveStore> {
  const archive = await DockerArchiveFile.create(file);
  return new DockerArchiveStore(archive, options.repository, { manifests: new Map(), images: [] });
}

/** An image of the archive, by all the names it is loaded under. */
interface ArchivedImage {
  readonly manifest: Manifest;
  readonly digest: Digest;
  readonly names: Set<string>;
}

interface Contents {
  readonly manifests: Map<Digest, StoredManifest>;
  /** In the order of their first tag, which is the order of `manifest.json`. */
  readonly images: ArchivedImage[];
}

/**
 * One repository's images in an archive. Blobs are written one at a time: an upload waits until the one before has
 * been committed or aborted.
 */
export class DockerArchiveStore implements ImageStore {
  readonly name: string;
  readonly #archive: DockerArchiveFile;
  readonly #repository: string;
  readonly #contents: Contents;

  constructor(archive: DockerArchiveFile, repository: string, contents: Contents) {
    // With the repository, `<name>:<tag>` is what `inspect`, `verify` and skopeo take.
    this.name = `${archive.name}:${repository}`;
    this.#archive = archive;
    this.#repository = repository;
    this.#contents = contents;
  }

  /** Another repository in the same archive; blobs are shared. */
  forRepository(repository: string): DockerArchiveStore {
    return new DockerArchiveStore(this.#archive, repository, this.#contents);
  }

  /** Completes the file, for all repositories in it. Throws RangeError if no image has a tag, RegistryError STORE_IO. */
  async finish(): Promise<void> {
    const { images } = this.#contents;
    if (images.length === 0) throw new RangeError(`expected an image in ${this.name}, got none`);
    const entries = images.map(({ manifest, digest, names }) => ({
      Config: configEntryName(manifest.config.digest),
      RepoTags: [...names],
      Layers: manifest.layers.map(layer => layerEntryName(layer.digest)),
      Manifest: manifestEntryName(digest),
    }));
    await this.#archive.finish(
      entries,
      images.map(({ digest }) => (this.#contents.manifests.get(digest) as StoredManifest).bytes),
    );
  }

  /** Abandons the archive and removes what was written; never throws. After `finish` it does nothing. */
  async abandon(): Promise<void> {
    await this.#archive.abandon();
  }

  async statBlob(digest: Digest): Promise<number | undefined> {
    return this.#archive.entries.get(digest)?.sizeBytes;
  }

  async mountBlob(): Promise<boolean> {
    return false;
  }

  openBlob(descriptor: Descriptor): ByteSource {
    return presentBlob(this, descriptor, (start, signal) =>
      this.#archive.read(descriptor.digest, start, signal),
    );
  }

  async startUpload(options: UploadOptions): Promise<BlobUpload> {
    return await this.#archive.startUpload(options);
  }

  async getManifest(reference: string): Promise<StoredManifest | undefined> {
    const digest = isDigest(reference) ? reference : await this.resolveTag(reference);
    return digest === undefined ? undefined : this.#contents.manifests.get(digest);
  }

  async resolveTag(tag: string): Promise<Digest | undefined> {
    return this.#contents.images.find(({ names }) => names.has(this.#named(tag)))?.digest;
  }

  /** Throws ConfigError USAGE for what such an archive cannot hold: an index of platforms, or what is not an image. */
  async putManifest(reference: string, stored: StoredManifest, signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    const has = async (digest: Digest): Promise<boolean> =>
      this.#archive.entries.has(digest) || this.#contents.manifests.has(digest);
    const parsed = await checkArrival(this.name, reference, stored, has);
    if (!isDigest(reference)) await this.#tag(this.#named(reference), stored.digest, parsed);
    this.#contents.manifests.set(stored.digest, stored);
  }

  async listTags(limit: number): Promise<string[]> {
    const prefix = this.#named('');
    const names = this.#contents.images.flatMap(image => [...image.names]);
    const own = names.filter(name => name.startsWith(prefix)).map(name => name.slice(prefix.length));
    return own.slice(0, limit);
  }

  async fetchReferrers(): Promise<undefined> {
    return undefined;
  }

  async #tag(name: string, digest: Digest, parsed: ParsedManifest): Promise<void> {
    if (parsed.kind === 'index' || !CONFIG_TYPES.has(parsed.manifest.config.mediaType))
      throw this.#unfit(name);
    const { manifest } = parsed;
    await this.#archive.markConfig(manifest.config.digest);
    const { images } = this.#contents;
    for (const image of images) image.names.delete(name);
    const known = images.find(image => image.digest === digest);
    if (known !== undefined) known.names.add(name);
    else images.push({ manifest, digest, names: new Set([name]) });
    // An image whose last name went to another would be loaded as a nameless one.
    images.splice(0, images.length, ...images.filter(({ names }) => names.size > 0));
  }

  #named(tag: string): string {
    return `${this.#repository}:${tag}`;
  }

  #unfit(name: string): ConfigError {
    const archive = this.#archive.name;
    return new ConfigError(`${archive} cannot hold ${name}: only images of one platform can be loaded`, {
      code: 'USAGE',
      subject: archive,
      remedy: 'Build one platform only, or into an image layout with --output oci:<dir>.',
    });
  }
}

const CONFIG_TYPES: ReadonlySet<string> = new Set([MediaType.ociConfig, MediaType.dockerConfig]);
