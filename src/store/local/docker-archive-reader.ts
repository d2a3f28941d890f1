import { type FileHandle, open } from 'node:fs/promises';
import type { ByteSource } from '../../core/byte-source.ts';
import { type Digest, digestOf, isDigest } from '../../core/digest.ts';
import { RegistryError } from '../../core/errors.ts';
import { isRecord, parseJson } from '../../core/json-shape.ts';
import { paddingFor, readTarHeader, TAR_BLOCK_BYTES } from '../../oci/tar-header.ts';
import type { Descriptor } from '../../oci/types.ts';
import type { BlobUpload, ImageStore, StoredManifest } from '../image-store.ts';
import { guardIo, readRange } from '../store-io.ts';
import { manifestType } from '../stored-manifest.ts';
import { type ArchivedNames, configEntryName, layerEntryName } from './docker-archive-file.ts';
import { presentBlob } from './present-blob.ts';

const MAX_JSON_BYTES = 4 * 1024 * 1024;

/** Where an entry's bytes are in the file. */
interface Span {
  readonly start: number;
  readonly sizeBytes: number;
}

/** A record of an archive, whose fields may be anything. */
type Unchecked<T> = { readonly [Key in keyof T]?: unknown };

interface Contents {
  readonly entries: ReadonlyMap<string, Span>;
  readonly manifests: ReadonlyMap<Digest, StoredManifest>;
  /** By name as it is loaded, which may be `hf-x:v1` or have a registry in front. */
  readonly tags: ReadonlyMap<string, Digest>;
}

/**
 * Returns the images of an archive that `build` has written, to be read and not written to; its tags are the names that
 * images are loaded under (`hf-x:v0.6.0-fat`). Reads the headers of its entries and no layer. Throws RegistryError
 * STORE_IO if the file is not such an archive.
 */
export async function readDockerArchive(file: string): Promise<ImageStore> {
  const name = `docker-archive:${file}`;
  const contents = await guardIo(name, 'reading the archive', async () => {
    await using handle = await open(file);
    return await readContents(name, handle);
  });
  return new DockerArchiveReader(name, file, contents);
}

async function readContents(name: string, handle: FileHandle): Promise<Contents> {
  const entries = await readEntries(name, handle);
  const list = await readJson(handle, entries.get('manifest.json'));
  if (!Array.isArray(list)) throw notOurs(name, 'it has no manifest.json');
  const manifests = new Map<Digest, StoredManifest>();
  const tags = new Map<string, Digest>();
  for (const item of list) {
    const { Manifest, RepoTags }: Unchecked<ArchivedNames> = isRecord(item) ? item : {};
    const file = typeof Manifest === 'string' ? entries.get(Manifest) : undefined;
    const bytes = await readEntry(handle, file);
    const mediaType = bytes && manifestType(bytes);
    if (bytes === undefined || mediaType === undefined)
      throw notOurs(name, 'it has images without their OCI manifests');
    const digest = digestOf(bytes);
    manifests.set(digest, { mediaType, digest, bytes });
    const names = Array.isArray(RepoTags) ? RepoTags.filter(name => typeof name === 'string') : [];
    for (const tag of names) tags.set(tag, digest);
  }
  return { entries, manifests, tags };
}

/** Goes from header to header: a layer of many gigabytes is passed over. */
async function readEntries(name: string, handle: FileHandle): Promise<Map<string, Span>> {
  const entries = new Map<string, Span>();
  const { size } = await handle.stat();
  const block = Buffer.alloc(TAR_BLOCK_BYTES);
  let largeSizeBytes: number | undefined;
  for (let position = 0; position + TAR_BLOCK_BYTES <= size; ) {
    await handle.read(block, 0, block.length, position);
    if (block.every(byte => byte === 0)) return entries;
    const header = readTarHeader(block);
    if (header === undefined) throw notOurs(name, `it is not a tar at byte ${position}`);
    const sizeBytes = largeSizeBytes ?? header.sizeBytes;
    const start = position + TAR_BLOCK_BYTES;
    if (start + sizeBytes > size) throw notOurs(name, `it ends before ${header.path} does`);
    largeSizeBytes =
      header.typeFlag === 'x' ? sizeIn(await readEntry(handle, { start, sizeBytes })) : undefined;
    if (header.typeFlag === '0') entries.set(header.path, { start, sizeBytes });
    position = start + sizeBytes + paddingFor(sizeBytes);
  }
  return entries;
}

/** The size in PAX records, for an entry of 8 GiB or more. */
function sizeIn(records: Buffer | undefined): number | undefined {
  const [, digits] = /(?:^|\n)\d+ size=(\d{1,15})\n/.exec(records?.toString('latin1') ?? '') ?? [];
  return digits === undefined ? undefined : Number(digits);
}

async function readEntry(handle: FileHandle, span: Span | undefined): Promise<Buffer | undefined> {
  if (span === undefined || span.sizeBytes > MAX_JSON_BYTES) return undefined;
  const bytes = Buffer.alloc(span.sizeBytes);
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, span.start);
  return bytesRead === bytes.length ? bytes : undefined;
}

async function readJson(handle: FileHandle, span: Span | undefined): Promise<unknown> {
  try {
    return parseJson((await readEntry(handle, span))?.toString('utf8') ?? '');
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function notOurs(name: string, why: string): RegistryError {
  return new RegistryError(`${name} is not an archive of Weighbridge: ${why}`, {
    code: 'STORE_IO',
    subject: name,
    remedy: 'Build it with this version: weighbridge build --output docker-archive:<file>.',
  });
}

class DockerArchiveReader implements ImageStore {
  readonly name: string;
  readonly #file: string;
  readonly #contents: Contents;

  constructor(name: string, file: string, contents: Contents) {
    this.name = name;
    this.#file = file;
    this.#contents = contents;
  }

  async statBlob(digest: Digest): Promise<number | undefined> {
    return this.#spanOf(digest)?.sizeBytes;
  }

  openBlob(descriptor: Descriptor): ByteSource {
    return presentBlob(this, descriptor, (start, signal) => this.#read(descriptor, start, signal));
  }

  async getManifest(reference: string): Promise<StoredManifest | undefined> {
    const digest = isDigest(reference) ? reference : await this.resolveTag(reference);
    return digest === undefined ? undefined : this.#contents.manifests.get(digest);
  }

  async resolveTag(tag: string): Promise<Digest | undefined> {
    return this.#contents.tags.get(tag);
  }

  async listTags(limit: number): Promise<string[]> {
    return [...this.#contents.tags.keys()].slice(0, limit);
  }

  async fetchReferrers(): Promise<undefined> {
    return undefined;
  }

  async mountBlob(): Promise<boolean> {
    return false;
  }

  async startUpload(): Promise<BlobUpload> {
    throw this.#readOnly();
  }

  async putManifest(): Promise<void> {
    throw this.#readOnly();
  }

  async *#read(
    { digest }: Descriptor,
    start: number,
    signal: AbortSignal | undefined,
  ): AsyncIterable<Buffer> {
    const span = this.#spanOf(digest) as Span;
    const doing = `reading ${digest}`;
    await using handle = await guardIo(this.name, doing, () => open(this.#file));
    const range = { start: span.start + start, end: span.start + span.sizeBytes, store: this.name, doing };
    yield* readRange(handle, range, signal);
  }

  #spanOf(digest: Digest): Span | undefined {
    const { entries } = this.#contents;
    return entries.get(layerEntryName(digest)) ?? entries.get(configEntryName(digest));
  }

  #readOnly(): RegistryError {
    return new RegistryError(`${this.name} is read only`, {
      code: 'STORE_IO',
      subject: this.name,
      remedy: 'Publish the image, or build it into a folder with --output oci:<dir>.',
    });
  }
}
