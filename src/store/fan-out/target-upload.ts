import type { ByteSource } from '../../core/byte-source.ts';
import type { Digest } from '../../core/digest.ts';
import { IntegrityError, isAbort, RegistryError, WeighbridgeError } from '../../core/errors.ts';
import { backoffMs, DEFAULT_RETRY, pause, Retries, type RetryPolicy } from '../../http/retry.ts';
import type { BlobUpload, ImageStore } from '../image-store.ts';

/** How a blob is uploaded to one store. */
export interface TargetUploadOptions {
  readonly source: Pick<ByteSource, 'sizeBytes'>;
  /** Known beforehand for a blob that is copied; made known at the end otherwise. */
  readonly digest?: Digest;
  readonly signal?: AbortSignal | undefined;
  /** How long to wait before a store that broke is tried again. */
  readonly retry?: RetryPolicy;
  readonly onRetry?: (store: ImageStore, error: unknown, attempt: number, delayMs: number) => void;
}

/** One store's side of a transfer. Its methods never reject: what goes wrong is kept and decided on in `recover`. */
export class TargetUpload {
  readonly store: ImageStore;
  /** Set once the store has been given up. */
  failure: unknown;
  readonly #options: TargetUploadOptions;
  #upload: BlobUpload | undefined;
  #error: unknown;
  #isDone = false;
  readonly #retry: RetryPolicy;
  readonly #retries: Retries;
  #best = 0;

  constructor(store: ImageStore, options: TargetUploadOptions) {
    this.store = store;
    this.#options = options;
    this.#retry = options.retry ?? store.retry ?? DEFAULT_RETRY;
    this.#retries = new Retries(this.#retry);
  }

  /** How many bytes of the blob the store was given. */
  get offset(): number {
    return this.#upload?.offset ?? 0;
  }

  /** Whether something went wrong that `recover` has yet to decide on. */
  get isBroken(): boolean {
    return this.#error !== undefined;
  }

  /** Whether the blob is neither complete nor given up. */
  get isLive(): boolean {
    return !this.#isDone && this.failure === undefined;
  }

  /** Starts the upload; one that cannot be started is given up. */
  async begin(): Promise<void> {
    const { source, digest, signal } = this.#options;
    await this.#attend(async () => {
      this.#upload = await this.store.startUpload({
        sizeBytes: source.sizeBytes,
        ...(digest === undefined ? {} : { digest }),
        signal,
      });
    });
    // Nothing has been sent yet, and the client has retried already: there is nothing to go on from.
    if (this.#error !== undefined) this.failure = this.#error;
  }

  /**
   * Passes on those bytes of `chunk`, which begins at `position`, that the store lacks. Returns a promise only if the
   * caller should wait.
   */
  write(position: number, chunk: Uint8Array, onTaken: () => void): Promise<void> | undefined {
    const skip = this.offset - position;
    if (this.isBroken || this.#upload === undefined || skip >= chunk.length) {
      onTaken();
      return undefined;
    }
    try {
      const rest = skip > 0 ? chunk.subarray(skip) : chunk;
      return this.#upload.write(rest, onTaken)?.catch(error => this.#break(error));
    } catch (error) {
      this.#break(error);
      return undefined;
    }
  }

  /** Breaks the upload off, for `recover` to decide on: the others wait for it. */
  markStalled(stallTimeoutMs: number): void {
    const { name } = this.store;
    this.#break(
      new RegistryError(
        `${name} accepted no data for ${stallTimeoutMs / 1000} s while other targets were ready`,
        {
          code: 'REGISTRY_UNREACHABLE',
          subject: name,
          remedy: 'Check that it is up, then publish again: what it already has is kept.',
        },
      ),
    );
  }

  /** Ends the blob, unless it is broken. */
  async commit(digest: Digest): Promise<void> {
    if (this.isBroken) return;
    await this.#attend(async () => {
      await this.#upload?.commit(digest);
      this.#isDone = true;
    });
  }

  /** After a pass: a broken upload asks its store how far it got, or is given up. */
  async recover(): Promise<void> {
    while (this.isLive && this.#error !== undefined) {
      const error = this.#error;
      this.#retries.progress(this.offset - this.#best);
      this.#best = Math.max(this.#best, this.offset);
      if (this.#options.signal?.aborted || !isWorthRetrying(error) || !this.#retries.again(error)) {
        this.failure = error;
        await this.#upload?.abort();
        return;
      }
      const attempt = this.#retries.failed;
      const delayMs = backoffMs(attempt, this.#retry);
      this.#options.onRetry?.(this.store, error, attempt, delayMs);
      this.#error = undefined;
      await this.#attend(async () => {
        await pause(delayMs, this.#options.signal);
        await this.#upload?.resume();
      });
    }
  }

  /** Abandons the upload; one that is complete or given up stays as it is. */
  async abort(): Promise<void> {
    if (!this.#isDone && this.failure === undefined) await this.#upload?.abort();
  }

  async #attend(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#break(error);
    }
  }

  #break(error: unknown): void {
    this.#error ??= error;
  }
}

/** A refused login or a full disk stays so; a broken connection, a lost session or a bad moment does not. */
function isWorthRetrying(error: unknown): boolean {
  if (isAbort(error) || !(error instanceof WeighbridgeError)) return false;
  if (error instanceof IntegrityError) return true;
  return error.code === 'NETWORK' || (error instanceof RegistryError && RETRYABLE_CODES.has(error.code));
}

const RETRYABLE_CODES: ReadonlySet<string> = new Set([
  'REGISTRY_UNREACHABLE',
  'REGISTRY_BAD_ANSWER',
  'REGISTRY_LOGIN_SERVICE',
  'REGISTRY_NOT_FOUND',
  'REGISTRY_RATE_LIMITED',
]);
