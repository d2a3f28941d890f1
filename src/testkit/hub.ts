import type { HubUser } from './hub/access.ts';
import { readHubFolder } from './hub/folder.ts';
import { type RateLimitOptions, RateLimits } from './hub/rate-limits.ts';
import { type FileSpec, Repository, type RepositoryOptions, type StoredFile } from './hub/repository.ts';
import { answerHub } from './hub/routes.ts';
import { XetStorage } from './hub/xet.ts';
import type { Content } from './server/content.ts';
import { type RunningServer, type ServerTls, startServer } from './server/embedded-server.ts';
import type { LogEntry } from './server/exchange.ts';
import { Faults } from './server/faults.ts';
import { SignedOrigin } from './server/signed-origin.ts';

/** What `startHub` takes: all of it has a default. */
export interface HubOptions {
  /**
   * Model repositories to serve: `<folder>/<org>/<name>/…files`. `<org>/<name>@<revision>` beside one is a branch of
   * it. Read once, at start.
   */
  readonly folder?: string;
  /** Default 127.0.0.1 and any free port. The CDN takes another free port of the same host. */
  readonly host?: string;
  readonly port?: number;
  /** HTTPS in place of HTTP, for its CDN too. */
  readonly tls?: ServerTls;
  /** A token that may read everything; others by `tokens`. */
  readonly token?: string;
  readonly tokens?: Readonly<Record<string, HubUser>>;
  /** By repository id, for those of the folder. */
  readonly gated?: Readonly<Record<string, 'auto' | 'manual'>>;
  /** For the repositories of the folder. Default 10 MiB. */
  readonly lfsThresholdBytes?: number;
  /** How long a link to the CDN is good for. Default one hour, as on the Hub. */
  readonly linkTtlMs?: number;
  /** Entries of a page of the tree listing. Default 1,000. */
  readonly treePageSize?: number;
  readonly rateLimits?: RateLimitOptions;
  /** The Hub sends those who want a small file to another path of its own first. Default 'redirect'. */
  readonly smallFiles?: 'redirect' | 'direct';
}

/** A model that the embedded Hub has. */
export interface ModelSpec extends RepositoryOptions {
  readonly files: Readonly<Record<string, FileSpec>>;
}

/** Starts a Hub on this machine and returns it. Rejects if the port is taken or the folder cannot be read. */
export async function startHub(options: HubOptions = {}): Promise<EmbeddedHub> {
  const hub = new EmbeddedHub(options);
  await hub.start();
  return hub;
}

/** A stand-in for the Hugging Face Hub. What it serves can be changed while it runs. */
export class EmbeddedHub {
  readonly faults = new Faults();
  /** Every request to the Hub and to its CDN, in order of arrival. */
  readonly log: LogEntry[] = [];
  readonly #options: HubOptions;
  readonly #repositories = new Map<string, Repository>();
  readonly #renamed = new Map<string, string>();
  readonly #tokens: Map<string, HubUser>;
  readonly #cdn: SignedOrigin;
  readonly #xet: XetStorage;
  #server: RunningServer | undefined;

  constructor(options: HubOptions) {
    const { host = '127.0.0.1', token, tokens = {}, linkTtlMs = 3_600_000 } = options;
    this.#options = { ...options, host };
    this.#tokens = new Map(Object.entries(tokens));
    if (token !== undefined) this.#tokens.set(token, { name: 'testkit', repositories: 'all' });
    const { log, faults } = this;
    this.#cdn = new SignedOrigin({
      host,
      tls: options.tls,
      log,
      faults,
      ttlMs: linkTtlMs,
      find: path => this.#findObject(path.split('/').at(-1)),
    });
    this.#xet = new XetStorage({ host, log, faults, find: hash => this.#findObject(hash) });
  }

  /** What `HF_ENDPOINT` has to be; no trailing slash. */
  get url(): string {
    return this.#server?.url ?? '';
  }

  get cdnUrl(): string {
    return this.#cdn.url;
  }

  /** Requests that carried a token to the CDN. */
  get leakedTokens(): number {
    return this.#cdn.leakedTokens;
  }

  /** Bytes of files that went out, from the CDN and from the Hub itself (without its API). */
  get servedBytes(): number {
    const isFile = ({ origin, path }: LogEntry) => origin === 'cdn' || /\/resolve(-cache)?\//.test(path);
    return this.log.filter(isFile).reduce((sum, entry) => sum + entry.bytes, 0);
  }

  /** Adds a repository, its files being the first commit of `main`. Returns the commit's id. */
  async addModel(spec: ModelSpec): Promise<string> {
    const repository = new Repository(spec);
    const { sha } = await repository.commit(new Map(Object.entries(spec.files)));
    this.#repositories.set(spec.id, repository);
    return sha;
  }

  /**
   * A commit on top of `branch` (default main; a new one begins at main) that sets one file, or removes it with
   * `undefined`. Returns its id.
   */
  async updateFile(id: string, path: string, file: FileSpec | undefined, branch = 'main'): Promise<string> {
    const repository = this.repository(id);
    const files = new Map<string, FileSpec | StoredFile>(
      (repository.resolve(branch) ?? repository.resolve('main'))?.files,
    );
    if (file === undefined) files.delete(path);
    else files.set(path, file);
    return (await repository.commit(files, branch)).sha;
  }

  /** A commit of exactly these files on `branch`, which may be new. Returns its id. */
  async addRevision(id: string, branch: string, files: Readonly<Record<string, FileSpec>>): Promise<string> {
    return (await this.repository(id).commit(new Map(Object.entries(files)), branch)).sha;
  }

  /** Names the commit of `revision` (default main) by a tag. Throws RangeError if either does not exist. */
  tag(id: string, tag: string, revision = 'main'): void {
    const commit = this.repository(id).resolve(revision);
    if (commit === undefined) throw new RangeError(`${id} has no revision ${revision}`);
    this.repository(id).tags.set(tag, commit.sha);
  }

  /** From now on the old name answers with a redirect to the new one. */
  rename(id: string, newId: string): void {
    const repository = this.repository(id);
    repository.id = newId;
    this.#repositories.delete(id);
    this.#repositories.set(newId, repository);
    this.#renamed.set(id, newId);
  }

  /** The repository itself, whose `gated`, `isPrivate` and `isDisabled` may be set. Throws RangeError if there is none. */
  repository(id: string): Repository {
    const repository = this.#repositories.get(id);
    if (repository === undefined) throw new RangeError(`the embedded Hub has no ${id}`);
    return repository;
  }

  /** Reads `folder`, if there is one, and listens. Rejects if the port is taken. */
  async start(): Promise<void> {
    const { folder, host = '127.0.0.1', port = 0, tls, gated = {}, lfsThresholdBytes } = this.#options;
    if (folder !== undefined) {
      for (const repository of await readHubFolder(folder, { gated, lfsThresholdBytes })) {
        this.#repositories.set(repository.id, repository);
      }
    }
    await Promise.all([this.#cdn.start(), this.#xet.start()]);
    const { log, faults } = this;
    const state = {
      repositories: this.#repositories,
      renamed: this.#renamed,
      tokens: this.#tokens,
      cdn: this.#cdn,
      xet: this.#xet,
      rateLimits: new RateLimits(this.#options.rateLimits),
      treePageSize: this.#options.treePageSize ?? 1000,
      smallFiles: this.#options.smallFiles ?? 'redirect',
    };
    const handle = answerHub.bind(undefined, state);
    this.#server = await startServer({ host, port, tls, origin: 'hub', log, faults, handle });
  }

  /** Stops at once, cutting what is under way. */
  async close(): Promise<void> {
    await Promise.all([this.#server?.close(), this.#cdn.close(), this.#xet.close()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #findObject(sha256: string | undefined): Content | undefined {
    for (const { commits } of this.#repositories.values()) {
      for (const { files } of commits.values()) {
        for (const file of files.values()) if (file.lfs?.sha256 === sha256) return file.content;
      }
    }
    return undefined;
  }
}
