import { type Digest, digestOf } from '../core/digest.ts';
import { AuthDesk, type RegistryAuth } from './registry/auth.ts';
import { BlobStore, type Storage } from './registry/blob-store.ts';
import { problem } from './registry/problem.ts';
import type { RegistryQuirks } from './registry/quirks.ts';
import { findManifest, type RegistryRepository, type StoredManifest } from './registry/repository.ts';
import { RequestWindow } from './registry/request-window.ts';
import { answerRegistry } from './registry/routes.ts';
import { type Counters, type RegistryState, repositoryFor } from './registry/state.ts';
import { bytesContent, readContent } from './server/content.ts';
import { type RunningServer, type ServerTls, startServer } from './server/embedded-server.ts';
import type { Exchange, LogEntry } from './server/exchange.ts';
import { Faults } from './server/faults.ts';
import { SignedOrigin } from './server/signed-origin.ts';

/** What `startRegistry` takes: all of it has a default. */
export interface RegistryOptions {
  /** Default 127.0.0.1 and any free port. */
  readonly host?: string;
  readonly port?: number;
  /** HTTPS in place of HTTP, for its CDN too, which asks no client for a certificate. */
  readonly tls?: ServerTls;
  readonly auth?: RegistryAuth;
  readonly quirks?: RegistryQuirks;
  /** Default 'memory'. A folder has to be empty; it is not read at start and not emptied at the end. */
  readonly storage?: Storage;
  /** For benchmarks: digests are checked, but of a blob above 1 MiB only its size is kept. */
  readonly discardBlobs?: boolean;
  /** How long the link of a redirected blob is good for. Default ten minutes. */
  readonly linkTtlMs?: number;
}

/** An image to put in without going through HTTP. */
export interface ReadyImage {
  readonly blobs: readonly Uint8Array[];
  /** What refers to others comes after them; the last one gets the tag. */
  readonly manifests: readonly { readonly mediaType: string; readonly bytes: Uint8Array }[];
}

/** Starts a registry on this machine and returns it. Rejects if the port is taken. */
export async function startRegistry(options: RegistryOptions = {}): Promise<EmbeddedRegistry> {
  const registry = new EmbeddedRegistry(options);
  await registry.start();
  return registry;
}

/** An OCI registry (distribution specification 1.1) that can be told to behave like others, or badly. */
export class EmbeddedRegistry {
  readonly faults = new Faults();
  /** Every request to the registry, its token service and its CDN, in order of arrival. */
  readonly log: LogEntry[] = [];
  /** May be changed at any time. */
  readonly quirks: RegistryQuirks;
  readonly #options: RegistryOptions;
  readonly #desk: AuthDesk;
  readonly #state: RegistryState;
  readonly #window: RequestWindow;
  #server: RunningServer | undefined;

  constructor(options: RegistryOptions) {
    const { host = '127.0.0.1', auth = { kind: 'none' }, linkTtlMs = 600_000, storage = 'memory' } = options;
    const tls = options.tls && { key: options.tls.key, cert: options.tls.cert };
    this.#options = { ...options, host };
    this.quirks = { ...options.quirks };
    this.#desk = new AuthDesk(auth, this.quirks);
    const { log, faults, quirks } = this;
    const blobs = new BlobStore(storage, options.discardBlobs === true, quirks);
    const find = (path: string) => blobs.get(`sha256:${path.split('/').at(-1)}`)?.content;
    this.#state = {
      quirks,
      blobs,
      repositories: new Map(),
      uploads: new Map(),
      cdn: new SignedOrigin({ host, tls, log, faults, ttlMs: linkTtlMs, find, quirks }),
      counters: { uploadedBytes: 0, uploadsStarted: 0, mounts: 0, manifestsPut: 0, leakedTokens: 0 },
    };
    this.#window = new RequestWindow(quirks);
  }

  /** `http://127.0.0.1:5000`, no trailing slash. */
  get url(): string {
    return this.#server?.url ?? '';
  }

  /** What an image reference begins with: `127.0.0.1:5000`. */
  get host(): string {
    return this.url.replace(/^https?:\/\//, '');
  }

  get counters(): Readonly<Counters> {
    return this.#state.counters;
  }

  get tokensIssued(): number {
    return this.#desk.issued;
  }

  /** What `docker login` would keep in place of the password. */
  get identityToken(): string {
    return this.#desk.identityToken;
  }

  /** Takes another password from now on, as when a login that lives for an hour has ended. */
  changePassword(password: string): void {
    this.#desk.changePassword(password);
  }

  /** Requests that carried a login to another origin: the CDN, or where uploads are. */
  get leakedTokens(): number {
    return this.#state.cdn.leakedTokens + this.#state.counters.leakedTokens;
  }

  /** Uploads that were begun and neither finished nor given up. */
  get openUploads(): number {
    return this.#state.uploads.size;
  }

  get repositories(): string[] {
    return [...this.#state.repositories.keys()].sort();
  }

  /** What a repository holds; empty if no one has written to it. Not to be written to. */
  repository(name: string): RegistryRepository {
    return repositoryFor(this.#state, name);
  }

  /** By tag or digest. */
  manifest(repository: string, reference: string): StoredManifest | undefined {
    return findManifest(this.#state.repositories.get(repository), reference);
  }

  /** In bytes; undefined if no repository has the blob. */
  blobSize(digest: Digest): number | undefined {
    return this.#state.blobs.get(digest)?.sizeBytes;
  }

  /** A blob's bytes, from whatever repository. */
  async readBlob(digest: Digest): Promise<Buffer | undefined> {
    const content = this.#state.blobs.get(digest)?.content;
    return content && (await readContent(content));
  }

  /** Returns the digest that the tag now names, that of the last manifest. Throws RangeError if the image has none. */
  putImage(repository: string, tag: string, image: ReadyImage): Digest {
    const { blobs, manifests, tags } = repositoryFor(this.#state, repository);
    for (const bytes of image.blobs) {
      const digest = digestOf(bytes);
      this.#state.blobs.add({ digest, sizeBytes: bytes.length, content: bytesContent(bytes) });
      blobs.add(digest);
    }
    for (const { mediaType, bytes } of image.manifests) {
      const digest = digestOf(bytes);
      manifests.set(digest, { digest, mediaType, bytes: Buffer.from(bytes) });
      tags.set(tag, digest);
    }
    const digest = tags.get(tag);
    if (digest === undefined) throw new RangeError('an image without a manifest');
    return digest;
  }

  /** Takes a blob's bytes away, or puts others in their place, behind the back of everybody. */
  damageBlob(digest: Digest, bytes: Uint8Array): void {
    this.#state.blobs.add({ digest, sizeBytes: bytes.length, content: bytesContent(bytes) });
  }

  /** Forgets all uploads under way, as a restart does. */
  forgetUploads(): void {
    this.#state.uploads.clear();
  }

  /** Listens. Rejects if the port is taken. */
  async start(): Promise<void> {
    const { host = '127.0.0.1', port = 0, tls } = this.#options;
    await this.#state.cdn.start();
    const { log, faults } = this;
    const handle = (exchange: Exchange) => this.#answer(exchange);
    this.#server = await startServer({ host, port, tls, origin: 'registry', log, faults, handle });
  }

  /** Stops at once, cutting what is under way. */
  async close(): Promise<void> {
    await Promise.all([this.#server?.close(), this.#state.cdn.close()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #answer(exchange: Exchange): Promise<void> {
    const waitMs = this.#window.count();
    if (waitMs > 0) {
      const headers = { 'retry-after': Math.ceil(waitMs / 1000) };
      throw problem(429, 'TOOMANYREQUESTS', 'too many requests', { headers });
    }
    if (this.quirks.gzipDocuments) exchange.compress();
    await answerRegistry(this.#state, this.#desk, exchange);
  }
}
