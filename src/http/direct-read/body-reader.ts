import type { IncomingMessage } from 'node:http';
import type { BufferPool } from '../../core/buffer-pool.ts';
import { connectionClosed, silenceError } from '../network-error.ts';
import { MIN_PROGRESS_BYTES } from '../retry.ts';
import { giveBack, type ReadTarget, takeOver } from './socket-buffers.ts';

/** Full buffers that wait for the reader, while one more is filled; beyond them the server is not asked for more. */
const MAX_READY = 1;
/** A buffer with less room than this is full: the next read goes into a new one. */
const MIN_ROOM_BYTES = 32 * 1024;
/** Bytes do not wait longer than this for their buffer to become full. */
const MAX_WAIT_MS = 1000;
/** A body shorter than this is not worth the trouble. */
const MIN_BODY_BYTES = 1024 * 1024;

/** Whether `readBody` can do something for a body: its length is known, and large. */
export function isWorthTakingOver(stream: IncomingMessage): boolean {
  return Number(stream.headers['content-length'] ?? 0) >= MIN_BODY_BYTES && !stream.complete;
}

/**
 * Yields a body in chunks as large as the pool's buffers, read from the socket straight into them. The receiver owns
 * each chunk and returns it to the pool. Bytes before an error are yielded before it is thrown.
 */
export async function* readBody(
  stream: IncomingMessage,
  pool: BufferPool,
  idleTimeoutMs: number,
): AsyncGenerator<Uint8Array> {
  const reader = new BodyReader(stream, pool, idleTimeoutMs);
  if (!reader.begin()) {
    yield* stream;
    return;
  }
  try {
    for (;;) {
      const chunk = reader.next() ?? (await reader.wait());
      if (chunk === undefined) return;
      yield chunk;
    }
  } finally {
    reader.close();
  }
}

class BodyReader implements ReadTarget {
  readonly #stream: IncomingMessage;
  readonly #pool: BufferPool;
  readonly #silence: NodeJS.Timeout;
  readonly #ready: Uint8Array[] = [];
  /** The buffer that is being filled; its bytes from `#start` to `#end` have not been passed on. */
  #buffer: Buffer | undefined;
  #start = 0;
  #end = 0;
  #leftBytes: number;
  #sinceRefresh = 0;
  #isPaused = false;
  /** All of the body came over the taken connection, and nothing behind it. */
  #isExact = false;
  #outcome: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(stream: IncomingMessage, pool: BufferPool, idleTimeoutMs: number) {
    this.#stream = stream;
    this.#pool = pool;
    this.#leftBytes = Number(stream.headers['content-length']);
    this.#silence = setTimeout(() => {
      // Who is not asked for more owes nothing.
      if (this.#isPaused) this.#silence.refresh();
      else this.#finish({ error: silenceError(idleTimeoutMs) });
    }, idleTimeoutMs).unref();
  }

  /** Takes the connection over. False if that cannot be done, and then nothing has been done. */
  begin(): boolean {
    const { socket } = this.#stream;
    if (!isWorthTakingOver(this.#stream) || !takeOver(socket, this)) {
      clearTimeout(this.#silence);
      return false;
    }
    this.#stream.once('error', error => this.#finish({ error }));
    this.#stream.once('close', () => this.#finish({ error: connectionClosed() }));
    if (this.#stream.destroyed) this.#finish({ error: this.#stream.errored ?? connectionClosed() });
    // What has come along with the head is with the parser already.
    const first: Buffer | null = this.#stream.read();
    if (first !== null) this.#push(first);
    this.#leftBytes -= first?.length ?? 0;
    if (this.#leftBytes === 0) this.#finish({});
    // The parser's own buffer may have been full.
    if (!this.#isPaused) socket.resume();
    return true;
  }

  next(): Uint8Array | undefined {
    const chunk = this.#ready.shift();
    if (this.#isPaused && this.#ready.length < MAX_READY) {
      this.#isPaused = false;
      if (this.#outcome === undefined) {
        this.#refresh();
        this.#stream.socket.resume();
      }
    }
    return chunk;
  }

  /** The next chunk, undefined at the end. */
  async wait(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.next();
      if (chunk !== undefined) return chunk;
      if (this.#outcome?.error !== undefined) throw this.#outcome.error;
      if (this.#outcome !== undefined) return undefined;
      const timer = setTimeout(() => this.#pushPart(), MAX_WAIT_MS);
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#finish({});
    clearTimeout(this.#silence);
    if (this.#isExact) giveBack(this.#stream);
    else this.#stream.destroy();
  }

  room(): Buffer | undefined {
    if (this.#outcome !== undefined) return undefined;
    if (this.#buffer !== undefined && this.#buffer.length - this.#end >= MIN_ROOM_BYTES)
      return this.#buffer.subarray(this.#end);
    const full = this.#buffer?.subarray(this.#start, this.#end);
    this.#buffer = this.#pool.take();
    this.#start = 0;
    this.#end = 0;
    if (full !== undefined) this.#push(full);
    return this.#buffer;
  }

  read(bytes: Buffer): boolean {
    if (this.#outcome !== undefined) {
      this.#isExact = false;
      return false;
    }
    this.#sinceRefresh += bytes.length;
    if (this.#sinceRefresh >= MIN_PROGRESS_BYTES) this.#refresh();
    // More than the announced length has no owner.
    const count = Math.min(bytes.length, this.#leftBytes);
    this.#isExact = bytes.length === this.#leftBytes;
    this.#leftBytes -= count;
    if (bytes.buffer === this.#buffer?.buffer) this.#end += count;
    else this.#push(Buffer.from(bytes.subarray(0, count)));
    if (this.#leftBytes === 0) this.#complete();
    return !this.#isPaused && this.#outcome === undefined;
  }

  #refresh(): void {
    this.#sinceRefresh = 0;
    this.#silence.refresh();
  }

  #push(chunk: Uint8Array): void {
    this.#ready.push(chunk);
    this.#isPaused = this.#ready.length >= MAX_READY;
    this.#wake?.();
  }

  /** Hands on what there is of a buffer that is not full, as a copy: the socket goes on writing into the rest. */
  #pushPart(): void {
    if (this.#buffer === undefined || this.#start === this.#end) return;
    const part = Buffer.from(this.#buffer.subarray(this.#start, this.#end));
    this.#start = this.#end;
    this.#push(part);
  }

  /** The socket asks for other memory before its reader sees the last buffer, so that it goes out as it is. */
  #complete(): void {
    if (this.#buffer !== undefined) this.#push(this.#buffer.subarray(this.#start, this.#end));
    this.#buffer = undefined;
    this.#finish({});
  }

  #finish(outcome: { readonly error?: unknown }): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#pushPart();
    // A socket that is being closed may still have this one in hand.
    if (this.#buffer !== undefined) this.#pool.drop(this.#buffer);
    this.#buffer = undefined;
    this.#stream.socket.pause();
    this.#wake?.();
  }
}
