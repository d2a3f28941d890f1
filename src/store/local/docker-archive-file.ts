import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Digest, hexOf } from '../../core/digest.ts';
import { InterruptedError, RegistryError, throwIfAborted } from '../../core/errors.ts';
import { Mutex } from '../../core/pool.ts';
import { END_OF_ARCHIVE, padding, paddingFor, tarEntryHeader } from '../../oci/tar-header.ts';
import type { BlobUpload, UploadOptions } from '../image-store.ts';
import { guardIo, readRange } from '../store-io.ts';
import { FileUpload } from './file-upload.ts';
import { removeLeftovers, temporaryName } from './leftovers.ts';

const NO_DIGEST: Digest = `sha256:${'0'.repeat(64)}`;

/** Returns the name of a layer's entry in an archive. */
export function layerEntryName(digest: Digest): string {
  return `${hexOf(digest)}.tar`;
}

/** Returns the name of a config's entry in an archive. */
export function configEntryName(digest: Digest): string {
  return `${hexOf(digest)}.json`;
}

/** Returns the name of the entry with an OCI manifest, which loaders pass over: it says what each layer is. */
export function manifestEntryName(digest: Digest): string {
  return `${hexOf(digest)}.manifest.json`;
}

/** An image in an archive's `manifest.json`: names of entries, and `RepoTags` to load it under. */
export interface ArchivedNames {
  readonly Config: string;
  readonly RepoTags: readonly string[];
  readonly Layers: readonly string[];
  /** Our own key; loaders pass over keys that they do not know. */
  readonly Manifest: string;
}

/** Where a blob is in the archive: its tar header at `headerStart`, its bytes from `start` on. */
export interface ArchiveEntry {
  readonly headerStart: number;
  readonly start: number;
  readonly sizeBytes: number;
}

/**
 * A tar that grows at its end, one blob after the other, beside the file it will become. Blobs are named by their
 * digest, which may be known only when their bytes have been written: so the header is written last, into its place.
 */
export class DockerArchiveFile {
  readonly name: string;
  readonly entries = new Map<Digest, ArchiveEntry>();
  readonly #target: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  readonly #turn = new Mutex();
  #end = 0;

  private constructor(name: string, target: string, temporary: string, handle: FileHandle) {
    this.name = name;
    this.#target = target;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  /** Returns an empty archive beside `target`. Throws RegistryError STORE_IO, also if `target` is there and is not a file. */
  static async create(target: string): Promise<DockerArchiveFile> {
    const name = `docker-archive:${target}`;
    await guardIo(name, 'making an archive', () => checkTarget(name, target));
    const folder = path.dirname(target);
    const prefix = `${path.basename(target)}.`;
    await removeLeftovers(folder, prefix, '.part');
    const temporary = path.join(folder, temporaryName(prefix, '.part'));
    const handle = await guardIo(name, 'making an archive', () => open(temporary, 'wx+'));
    return new DockerArchiveFile(name, target, temporary, handle);
  }

  /** Waits until the upload before has ended: there is one place to write to. */
  async startUpload({ sizeBytes, signal }: UploadOptions): Promise<BlobUpload> {
    const release = await this.#takeTurn(signal);
    const headerStart = this.#end;
    const start = headerStart + headerOf(layerEntryName(NO_DIGEST), sizeBytes).length;
    return new FileUpload({
      store: this.name,
      handle: this.#handle,
      position: start,
      sizeBytes,
      signal,
      keep: async digest => {
        // What is there already is not kept twice: the next blob is written over it.
        if (!this.entries.has(digest)) {
          await this.#writeAt(headerOf(layerEntryName(digest), sizeBytes), headerStart);
          await this.#writeAt(padding(sizeBytes), start + sizeBytes);
          this.entries.set(digest, { headerStart, start, sizeBytes });
          this.#end = start + sizeBytes + paddingFor(sizeBytes);
        }
        release();
      },
      discard: async () => {
        await this.#handle.truncate(headerStart).finally(release);
      },
    });
  }

  /** Yields a blob's bytes from `start` on; none if it is not there. Throws RegistryError STORE_IO. */
  async *read(digest: Digest, start: number, signal: AbortSignal | undefined): AsyncIterable<Buffer> {
    const entry = this.entries.get(digest);
    if (entry === undefined) return;
    const doing = `reading ${digest}`;
    const range = { start: entry.start + start, end: entry.start + entry.sizeBytes, store: this.name, doing };
    yield* readRange(this.#handle, range, signal);
  }

  /** Sets for the blob the name that a config has in an archive. */
  async markConfig(digest: Digest): Promise<void> {
    const entry = this.entries.get(digest);
    if (entry === undefined) return;
    await guardIo(this.name, 'naming a config', () =>
      this.#writeAt(headerOf(configEntryName(digest), entry.sizeBytes), entry.headerStart),
    );
  }

  /** Adds the images' manifests, `manifest.json` and the end of the archive, and puts it in the target's place. */
  async finish(images: readonly ArchivedNames[], manifests: readonly Buffer[]): Promise<void> {
    await guardIo(this.name, 'finishing an archive', () =>
      this.#turn.run(async () => {
        const files = images.map(({ Manifest }, index): [string, Buffer] => [
          Manifest,
          manifests[index] as Buffer,
        ]);
        files.push(['manifest.json', Buffer.from(JSON.stringify(images))]);
        const parts = files.flatMap(([name, bytes]) => [
          headerOf(name, bytes.length),
          bytes,
          padding(bytes.length),
        ]);
        const tail = Buffer.concat([...parts, END_OF_ARCHIVE]);
        await this.#writeAt(tail, this.#end);
        await this.#handle.truncate(this.#end + tail.length);
        await this.#handle.close();
        await rename(this.#temporary, this.#target);
      }),
    );
  }

  /** Removes what was written; never throws. */
  async abandon(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await rm(this.#temporary, { force: true }).catch(() => undefined);
  }

  /** The function it gives ends the turn. */
  async #takeTurn(signal: AbortSignal | undefined): Promise<() => void> {
    throwIfAborted(signal);
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const giveUp = (): void => {
      begun.reject(new InterruptedError());
      ended.resolve();
    };
    signal?.addEventListener('abort', giveUp, { once: true });
    void this.#turn.run(async () => {
      begun.resolve();
      await ended.promise;
    });
    try {
      await begun.promise;
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
    return ended.resolve;
  }

  async #writeAt(bytes: Buffer, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  }
}

/** What is there is replaced once the archive is whole: that has to be a file. */
async function checkTarget(name: string, target: string): Promise<void> {
  const found = await stat(target).catch(() => undefined);
  if (found === undefined || found.isFile()) return;
  throw new RegistryError(
    `${name} cannot be written: ${found.isDirectory() ? 'it is a folder' : 'it is not a file'}`,
    {
      code: 'STORE_IO',
      subject: name,
      remedy: 'Choose the name of a file, such as docker-archive:model.tar.',
    },
  );
}

function headerOf(path: string, sizeBytes: number): Buffer {
  return tarEntryHeader({ path, mode: 0o644, sizeBytes, type: 'file' });
}
