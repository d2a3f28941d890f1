import { mkdir, open, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ByteSource } from '../../core/byte-source.ts';
import { type Digest, digestOf, hexOf, isDigest } from '../../core/digest.ts';
import { IntegrityError, RegistryError, throwIfAborted } from '../../core/errors.ts';
import { readSmallFile } from '../../core/small-file.ts';
import { isSystemError } from '../../core/system-error.ts';
import { type Descriptor, MediaType } from '../../oci/types.ts';
import type { BlobUpload, ImageStore, StoredManifest, UploadOptions } from '../image-store.ts';
import { guardIo, readRange } from '../store-io.ts';
import { checkArrival, manifestType } from '../stored-manifest.ts';
import { FileUpload } from './file-upload.ts';
import { LOCK_NAME, withFolderLock } from './folder-lock.ts';
import { LayoutIndex } from './layout-index.ts';
import { removeLeftovers, temporaryName } from './leftovers.ts';
import { presentBlob } from './present-blob.ts';

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MARKER = 'oci-layout';
const INDEX = 'index.json';
const EMPTY_INDEX = JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] });

/** What an image layout is opened with. */
export interface LayoutOptions {
  /**
   * Put before every tag (`hf-x:v1-fat`), so that images of several models can share the folder; without it a tag is
   * kept as it is.
   */
  readonly repository?: string;
}

/**
 * Returns the store of an OCI image layout in a folder, which is made if it does not exist; images that are in it stay.
 * https://github.com/opencontainers/image-spec/blob/main/image-layout.md Throws RegistryError STORE_IO if the folder
 * cannot be used.
 */
export async function openLayout(folder: string, { repository }: LayoutOptions = {}): Promise<ImageStore> {
  const name = `oci:${folder}`;
  return await guardIo(name, 'making an image layout', async () => {
    await mkdir(folder, { recursive: true });
    await removeLeftovers(folder, '.upload-');
    await removeLeftovers(folder, `${LOCK_NAME}-`);
    await removeLeftovers(folder, `.${INDEX}-`, '.part');
    // Of two who open one new folder at once neither sees the other's half; one that is there may be read-only.
    if (!(await isWhole(folder)))
      await withFolderLock(await realpath(folder), () => makeLayout(name, folder));
    const marker = await readSmallFile(path.join(folder, MARKER), { maxBytes: 4096 });
    if (!/"imageLayoutVersion"\s*:\s*"1\./.test(marker.toString('utf8')))
      throw notALayout(name, 'its oci-layout is of no known version');
    const prefix = repository === undefined ? '' : `${repository}:`;
    return new LayoutStore(name, await realpath(folder), prefix);
  });
}

async function isWhole(folder: string): Promise<boolean> {
  const parts = [MARKER, INDEX, path.join('blobs', 'sha256')];
  const found = await Promise.all(parts.map(part => stat(path.join(folder, part)).catch(() => undefined)));
  return found.every(info => info !== undefined);
}

async function makeLayout(name: string, folder: string): Promise<void> {
  const present = (await readdir(folder)).filter(file => !file.startsWith(LOCK_NAME));
  if (!present.includes(MARKER)) {
    if (present.length > 0) throw notALayout(name, 'it has other files and no oci-layout');
    await writeFile(path.join(folder, MARKER), '{"imageLayoutVersion":"1.0.0"}');
  }
  await mkdir(path.join(folder, 'blobs', 'sha256'), { recursive: true });
  if (!present.includes(INDEX)) await writeFile(path.join(folder, INDEX), EMPTY_INDEX);
}

function notALayout(name: string, why: string): RegistryError {
  return new RegistryError(`${name} is not an image layout: ${why}`, {
    code: 'STORE_IO',
    subject: name,
    remedy: 'Choose a new or empty folder, or an existing image layout.',
  });
}

class LayoutStore implements ImageStore {
  readonly name: string;
  readonly #folder: string;
  readonly #index: LayoutIndex;

  constructor(name: string, realFolder: string, tagPrefix: string) {
    this.name = name;
    this.#folder = realFolder;
    this.#index = new LayoutIndex(name, realFolder, tagPrefix);
  }

  async statBlob(digest: Digest): Promise<number | undefined> {
    return await guardIo(this.name, `looking for ${digest}`, async () => {
      const found = await stat(this.#blobPath(digest)).catch(undefinedIfMissing);
      return found?.isFile() ? found.size : undefined;
    });
  }

  async mountBlob(): Promise<boolean> {
    return false;
  }

  openBlob(descriptor: Descriptor): ByteSource {
    return presentBlob(this, descriptor, (start, signal) => this.#read(descriptor, start, signal));
  }

  async startUpload({ sizeBytes, signal }: UploadOptions): Promise<BlobUpload> {
    throwIfAborted(signal);
    const temporary = path.join(this.#folder, temporaryName('.upload-'));
    const handle = await guardIo(this.name, 'starting a blob', () => open(temporary, 'wx'));
    return new FileUpload({
      store: this.name,
      handle,
      position: 0,
      sizeBytes,
      signal,
      keep: async digest => {
        await rename(temporary, this.#blobPath(digest));
        await handle.close();
      },
      discard: async () => {
        await handle.close();
        await rm(temporary, { force: true });
      },
    });
  }

  async getManifest(reference: string): Promise<StoredManifest | undefined> {
    const doing = `reading the manifest ${reference}`;
    return await guardIo(this.name, doing, async () => {
      const digest = isDigest(reference) ? reference : await this.resolveTag(reference);
      const bytes = digest === undefined ? undefined : await this.#readSmall(digest);
      if (digest === undefined || bytes === undefined) return undefined;
      if (digestOf(bytes) !== digest) throw damaged(this.name, digest);
      const mediaType = manifestType(bytes);
      return mediaType === undefined ? undefined : { mediaType, digest, bytes };
    });
  }

  async resolveTag(tag: string): Promise<Digest | undefined> {
    const tags = await guardIo(this.name, 'reading the tags', () => this.#index.tags());
    return tags.get(tag)?.digest;
  }

  async putManifest(reference: string, manifest: StoredManifest, signal?: AbortSignal): Promise<void> {
    const { digest, bytes, mediaType } = manifest;
    await checkArrival(
      this.name,
      reference,
      manifest,
      async blob => (await this.statBlob(blob)) !== undefined,
    );
    const upload = await this.startUpload({ sizeBytes: bytes.length, digest, signal });
    try {
      await upload.write(bytes);
      await upload.commit(digest);
    } finally {
      await upload.abort();
    }
    if (isDigest(reference)) return;
    const descriptor = { mediaType, digest, size: bytes.length };
    await guardIo(this.name, `setting the tag ${reference}`, () => this.#index.setTag(reference, descriptor));
  }

  async listTags(limit: number): Promise<string[]> {
    const tags = await guardIo(this.name, 'reading the tags', () => this.#index.tags());
    return [...tags.keys()].slice(0, limit);
  }

  async fetchReferrers(): Promise<undefined> {
    return undefined;
  }

  async #readSmall(digest: Digest): Promise<Buffer | undefined> {
    const size = await this.statBlob(digest);
    if (size === undefined || size > MAX_MANIFEST_BYTES) return undefined;
    return await readSmallFile(this.#blobPath(digest), { maxBytes: MAX_MANIFEST_BYTES });
  }

  async *#read(
    { digest, size }: Descriptor,
    start: number,
    signal: AbortSignal | undefined,
  ): AsyncIterable<Buffer> {
    const doing = `reading ${digest}`;
    const handle = await guardIo(this.name, doing, () => open(this.#blobPath(digest)));
    try {
      yield* readRange(handle, { start, end: size, store: this.name, doing }, signal);
    } finally {
      await handle.close();
    }
  }

  #blobPath(digest: Digest): string {
    // A digest becomes a path here, so it has to be one whatever the types say.
    if (!isDigest(digest)) throw new RangeError(`expected a digest, got ${digest}`);
    return path.join(this.#folder, 'blobs', 'sha256', hexOf(digest));
  }
}

function undefinedIfMissing(error: unknown): undefined {
  if (isSystemError(error) && error.code === 'ENOENT') return undefined;
  throw error;
}

function damaged(store: string, digest: Digest): IntegrityError {
  return new IntegrityError(`the blob ${digest} in ${store} is damaged`, {
    code: 'INTEGRITY_HASH',
    subject: store,
    remedy: 'Remove the folder and run the command again.',
  });
}
