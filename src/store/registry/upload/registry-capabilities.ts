import type { Digest } from '../../../core/digest.ts';

/** GHCR refuses a PATCH that announces more; no registry is known to have a lower limit. */
const CHUNK_BYTES = 4 * 1024 * 1024;
/** Mounts that are refused in a row before no more are asked for. */
const MAX_REFUSED_MOUNTS = 3;
/** A registry that asks for larger chunks than this is not sent any: they are held in memory. */
const LARGEST_CHUNK_BYTES = 32 * 1024 * 1024;

/** The ways of bringing the bytes of a blob into an upload. */
export type UploadStrategyName = 'streamed' | 'chunked' | 'monolithic';

/** What is known of a registry before it has been asked anything. */
export interface KnownCapabilities {
  /** Ways that it is known not to take. */
  readonly withoutStrategies?: readonly UploadStrategyName[];
  /** Whether an upload can be given up by DELETE. Default true. */
  readonly cancels?: boolean;
  /** Whether a streamed PATCH may announce its length. Default true. */
  readonly takesLength?: boolean;
  /** Whether a broken streamed PATCH can be gone on from. Default true. */
  readonly resumesStreams?: boolean;
}

/**
 * How one registry wants its blobs, learnt from its answers and kept for the run. Every way is open until the registry
 * has shown that it does not take it; what looked like a refusal and was none costs speed, not correctness.
 */
export class RegistryCapabilities {
  readonly resumesStreams: boolean;
  /** Sizes that the registry has told of blobs which were to be mounted. */
  readonly mountSizes = new Map<Digest, number>();
  #takesLength: boolean;
  #cancels: boolean;
  readonly #closed: Set<UploadStrategyName>;
  #maxChunkBytes = CHUNK_BYTES;
  #minChunkBytes = 0;
  #refusedMounts = 0;

  constructor(known: KnownCapabilities = {}) {
    const { withoutStrategies = [], cancels = true, takesLength = true, resumesStreams = true } = known;
    this.#closed = new Set(withoutStrategies);
    this.#cancels = cancels;
    this.resumesStreams = resumesStreams;
    this.#takesLength = takesLength;
  }

  /** Whether a blob may be tried in this way. */
  takes(way: UploadStrategyName): boolean {
    return !this.#closed.has(way) && (way !== 'chunked' || this.#minChunkBytes <= LARGEST_CHUNK_BYTES);
  }

  /** The registry does not take blobs in this way, or says so and does not keep what it got. */
  close(way: UploadStrategyName): void {
    this.#closed.add(way);
  }

  /** Whether a streamed PATCH may announce its length. */
  get takesLength(): boolean {
    return this.#takesLength;
  }

  /** The registry has refused a streamed PATCH with this status: for the length that it announced, or as such. */
  refuseStream(status: number, wasAnnounced: boolean): void {
    if (status === 416 && wasAnnounced) this.#takesLength = false;
    else this.close('streamed');
  }

  /** Of a ranged PATCH, the last one of a blob excepted. */
  get chunkBytes(): number {
    return Math.max(this.#maxChunkBytes, this.#minChunkBytes);
  }

  /** `OCI-Chunk-Min-Length`; what is not a number is not there. */
  noteMinChunk(header: string | string[] | undefined): void {
    if (typeof header !== 'string' || !/^\d{1,15}$/.test(header)) return;
    this.#minChunkBytes = Math.max(this.#minChunkBytes, Number(header));
  }

  /** A chunk of `bytes` was too large. False if smaller ones are not worth trying. */
  shrinkChunks(bytes: number): boolean {
    const smaller = Math.floor(bytes / 4);
    if (smaller < 64 * 1024 || smaller < this.#minChunkBytes) return false;
    this.#maxChunkBytes = Math.min(this.#maxChunkBytes, smaller);
    return true;
  }

  /** Whether to ask for mounts at all: several were refused, and none was done. */
  get mounts(): boolean {
    return this.#refusedMounts < MAX_REFUSED_MOUNTS;
  }

  /** A mount was asked for. One that is done keeps mounts open for the run. */
  noteMount(isDone: boolean): void {
    this.#refusedMounts = isDone ? Number.NEGATIVE_INFINITY : this.#refusedMounts + 1;
  }

  /** Whether an upload that is given up is deleted. */
  get cancels(): boolean {
    return this.#cancels;
  }

  noteCannotCancel(): void {
    this.#cancels = false;
  }
}
