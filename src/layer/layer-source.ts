import type { BufferPool } from '../core/buffer-pool.ts';
import type { ByteSource, OpenOptions } from '../core/byte-source.ts';
import { ReadAhead } from './read-ahead.ts';
import type { LayerEntry } from './recipe.ts';
import { lengthOf, type TarLayout } from './tar-layout.ts';

/** Returns the content of an entry; `sizeBytes` must be the entry's. */
export type ContentResolver = (entry: LayerEntry) => ByteSource;

/** Returns a layer as a source of bytes: it can be opened anywhere, reads content as it goes and keeps nothing. */
export function layerSource(layout: TarLayout, contentOf: ContentResolver): ByteSource {
  return {
    name: layout.recipe.name,
    sizeBytes: layout.sizeBytes,
    open: options => readSegments(layout, contentOf, options),
  };
}

/** A layer of licenses is hundreds of headers and short texts: each chunk costs every store a write and the reader a turn. */
const JOINED_BYTES = 64 * 1024;

async function* readSegments(
  layout: TarLayout,
  contentOf: ContentResolver,
  { start, ...options }: OpenOptions,
): AsyncGenerator<Uint8Array> {
  const segments = layout.segments.filter(segment => segment.start + lengthOf(segment) > start);
  const contents = segments.filter(segment => segment.kind === 'content');
  const sources = contents.map(({ entry }) => contentOf(entry));
  const ahead = new ReadAhead(sources, options.signal);
  const waiting = new WaitingChunks(options.buffers);
  let next = 0;
  try {
    for (const segment of segments) {
      const skip = Math.max(0, start - segment.start);
      const index = segment.kind === 'bytes' ? next : next++;
      const known = segment.kind === 'bytes' ? segment.bytes : await ahead.take(index);
      if (waiting.sizeBytes + (known?.length ?? JOINED_BYTES) > JOINED_BYTES) yield* waiting.take();
      if (known !== undefined) waiting.add(known.subarray(skip));
      else yield* (sources[index] as ByteSource).open({ ...options, start: skip });
    }
    yield* waiting.take();
  } catch (error) {
    yield* waiting.take();
    throw error;
  } finally {
    ahead.stop();
  }
}

/** Short chunks on their way into a longer one. */
class WaitingChunks {
  readonly #buffers: BufferPool | undefined;
  #chunks: Uint8Array[] = [];
  sizeBytes = 0;

  constructor(buffers: BufferPool | undefined) {
    this.#buffers = buffers;
  }

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.sizeBytes += chunk.length;
  }

  *take(): Generator<Uint8Array> {
    const [chunks, sizeBytes] = [this.#chunks, this.sizeBytes];
    this.#chunks = [];
    this.sizeBytes = 0;
    const [only] = chunks;
    if (sizeBytes === 0 || only === undefined) return;
    yield chunks.length === 1 ? only : this.#join(chunks, sizeBytes);
  }

  #join(chunks: readonly Uint8Array[], sizeBytes: number): Uint8Array {
    const mayLend = this.#buffers !== undefined && this.#buffers.bufferBytes >= sizeBytes;
    const joined = mayLend ? this.#buffers.take() : Buffer.allocUnsafe(sizeBytes);
    let offset = 0;
    for (const chunk of chunks) {
      joined.set(chunk, offset);
      offset += chunk.length;
    }
    return joined.subarray(0, sizeBytes);
  }
}

/** Returns the content of an entry that came with the plan. */
export function inlineContent(entry: LayerEntry): Buffer {
  return Buffer.from(inlineText(entry), 'utf8');
}

/** Returns the text of an entry whose content came with the plan. Throws TypeError for another. */
export function inlineText({ path, content }: LayerEntry): string {
  if (content.kind !== 'inline') throw new TypeError(`${path} is not inline`);
  return content.text;
}
