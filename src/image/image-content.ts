import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import type { ByteSource } from '../core/byte-source.ts';
import { type Digest, digestFromHex } from '../core/digest.ts';
import { IntegrityError, isAbort, RegistryError, WeighbridgeError } from '../core/errors.ts';
import { plainLine } from '../core/safe-text.ts';
import type { Descriptor } from '../oci/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import { readLayerDescriptor } from './format/layer-annotations.ts';

/** What a regular file in a layer really is, whatever the manifest says of it. */
export interface FoundFile {
  /** Path in the image without leading slash. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** What git would call the content; https://git-scm.com/book/en/v2/Git-Internals-Git-Objects */
  readonly gitOid: string;
}

/** What has been found in layers, by path. */
export interface FoundEntries {
  readonly files: FoundFile[];
  /** Links, devices, whiteouts: everything that is neither a file nor a folder, and files that hide one below. */
  readonly others: readonly { readonly path: string; readonly type: string }[];
  readonly kept: Map<string, Buffer>;
}

/** What of an image is read, and what is told meanwhile. */
export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: (count: number) => void;
}

/**
 * Reads an uncompressed layer to its end and returns its regular files. The tar is read by a library and not by our own
 * writer's code, so that a mistake in the one does not hide in the other. `keep` names files whose bytes are wanted.
 * Throws IntegrityError if the blob does not match its digest.
 */
export async function readLayer(
  store: ImageStore,
  descriptor: Descriptor,
  options: ReadOptions & {
    readonly keep?: (path: string) => boolean;
    /** A file's bytes as they come. */
    readonly onContent?: (path: string, bytes: Uint8Array) => void;
  } = {},
): Promise<FoundEntries> {
  if (descriptor.mediaType.endsWith(RAW_TYPE)) return await readRaw(store, descriptor, options);
  const files: FoundFile[] = [];
  const others: { path: string; type: string }[] = [];
  const kept = new Map<string, Buffer>();
  const reader = extract();
  const source = Readable.from(hashed(store.openBlob(descriptor), descriptor, options));
  // A broken source ends the reader too; its error is the one to tell of.
  const fed = pipeline(source, reader, { end: true });
  fed.catch(() => undefined);
  try {
    for await (const entry of reader) {
      const { name, size = 0, type } = entry.header;
      const sha256 = createHash('sha256');
      const git = createHash('sha1').update(`blob ${size}\0`);
      const parts: Buffer[] = [];
      for await (const chunk of entry as AsyncIterable<Buffer>) {
        sha256.update(chunk);
        git.update(chunk);
        options.onContent?.(name, chunk);
        if (options.keep?.(name) !== true) continue;
        if (size > MAX_KEPT_BYTES) throw tooLarge(store, descriptor, name);
        parts.push(chunk);
      }
      const isHiding = name.split('/').at(-1)?.startsWith('.wh.') === true;
      if (isHiding || (type !== 'file' && type !== 'directory'))
        others.push({ path: name, type: type ?? 'unknown' });
      if (type !== 'file') continue;
      files.push({ path: name, sizeBytes: size, sha256: sha256.digest('hex'), gitOid: git.digest('hex') });
      if (options.keep?.(name)) kept.set(name, Buffer.concat(parts));
    }
    await fed;
  } catch (error) {
    if (error instanceof WeighbridgeError) throw error;
    const cause = await fed.then(
      () => error,
      (first: unknown) => first,
    );
    throw cause instanceof WeighbridgeError || isAbort(cause) ? cause : notATar(store, descriptor, cause);
  }
  return { files, others, kept };
}

/** A list of 25,000 files, with their hashes, is a tenth of it. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024;

function tooLarge({ name }: ImageStore, { digest }: Descriptor, path: string): RegistryError {
  return new RegistryError(`${name}@${digest} has ${plainLine(path)} larger than ${MAX_KEPT_BYTES} bytes`, {
    code: 'REGISTRY_BAD_ANSWER',
    subject: name,
  });
}

function notATar({ name }: ImageStore, { digest }: Descriptor, cause: unknown): RegistryError {
  const why = cause instanceof Error ? plainLine(cause.message) : '';
  return new RegistryError(`${name}@${digest} is not a tar archive that can be read: ${why}`, {
    code: 'REGISTRY_BAD_ANSWER',
    subject: name,
    cause,
  });
}

/** A blob that is a file as it is: of a ModelPack artifact. */
const RAW_TYPE = '.v1.raw';

async function readRaw(
  store: ImageStore,
  descriptor: Descriptor,
  options: ReadOptions & { readonly onContent?: (path: string, bytes: Uint8Array) => void },
): Promise<FoundEntries> {
  const path = readLayerDescriptor(descriptor)?.files[0]?.path ?? '';
  const sha256 = createHash('sha256');
  const git = createHash('sha1').update(`blob ${descriptor.size}\0`);
  for await (const chunk of hashed(store.openBlob(descriptor), descriptor, options)) {
    sha256.update(chunk);
    git.update(chunk);
    options.onContent?.(path, chunk);
  }
  const hashes = { sha256: sha256.digest('hex'), gitOid: git.digest('hex') };
  return { files: [{ path, sizeBytes: descriptor.size, ...hashes }], others: [], kept: new Map() };
}

/** Reads a blob to its end for its digest alone. Throws IntegrityError if it is another. */
export async function readForDigest(
  store: ImageStore,
  descriptor: Descriptor,
  options: ReadOptions = {},
): Promise<void> {
  for await (const _ of hashed(store.openBlob(descriptor), descriptor, options));
}

async function* hashed(
  source: ByteSource,
  { digest, size }: Descriptor,
  { signal, onBytes }: ReadOptions,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let count = 0;
  for await (const chunk of source.open({ start: 0, signal })) {
    hash.update(chunk);
    count += chunk.length;
    onBytes?.(chunk.length);
    yield chunk;
  }
  checkBlob(source.name, digest, size, digestFromHex(hash.digest('hex')), count);
}

function checkBlob(name: string, digest: Digest, size: number, actual: Digest, count: number): void {
  if (actual === digest && count === size) return;
  throw new IntegrityError(`${name}: expected ${digest} (${size} bytes), got ${actual} (${count} bytes)`, {
    code: 'INTEGRITY_HASH',
    subject: name,
    remedy: 'The registry holds other bytes than it says; `weighbridge publish --force` replaces them.',
  });
}
