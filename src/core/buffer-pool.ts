/** Each costs a turn of the event loop and some calls of the kernel, however full: fewer and larger ones take less CPU. */
const BUFFER_BYTES = 2 * 1024 * 1024;
/** Free buffers beyond this go to the garbage collector: as many as four ranges of a file hold at once. */
const MAX_FREE = 20;

/**
 * Buffers of one size that go round between a reader and writers, so that gigabytes pass without garbage. What
 * takes one may give it back once nothing reads it any more, a socket's queue included; one that never comes back is
 * simply garbage, so to give back too late costs memory, and too early costs the data.
 */
export class BufferPool {
  readonly bufferBytes: number;
  readonly #free: Buffer[] = [];
  // Weak, so that a buffer which is never given back does not stay for it.
  readonly #taken = new WeakMap<ArrayBufferLike, Buffer>();

  constructor(bufferBytes: number = BUFFER_BYTES) {
    this.bufferBytes = bufferBytes;
  }

  /** A buffer of `bufferBytes` with whatever was in it before. It is new if none is free: this never waits. */
  take(): Buffer {
    const buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.bufferBytes);
    this.#taken.set(buffer.buffer, buffer);
    return buffer;
  }

  /** Takes back the buffer that `chunk` is a part of. What is not this pool's, or was given back before, is left alone. */
  release(chunk: Uint8Array): void {
    const buffer = this.#taken.get(chunk.buffer);
    if (buffer === undefined) return;
    this.#taken.delete(buffer.buffer);
    if (this.#free.length < MAX_FREE) this.#free.push(buffer);
  }

  /** Forgets a buffer that can no longer be given back safely. */
  drop(buffer: Buffer): void {
    this.#taken.delete(buffer.buffer);
  }
}
