import type { ByteSource, OpenOptions } from '../core/byte-source.ts';
import type { LayerEntry } from './recipe.ts';
import { lengthOf, type TarLayout } from './tar-layout.ts';

/** Gives the content of an entry; `sizeBytes` must be the entry's. */
export type ContentResolver = (entry: LayerEntry) => ByteSource;

/** A layer as a source of bytes: it can be opened anywhere, reads content as it goes and keeps nothing. */
export function layerSource(layout: TarLayout, contentOf: ContentResolver): ByteSource {
  return {
    name: layout.recipe.name,
    sizeBytes: layout.sizeBytes,
    open: options => readSegments(layout, contentOf, options),
  };
}

async function* readSegments(
  layout: TarLayout,
  contentOf: ContentResolver,
  { start, ...options }: OpenOptions,
): AsyncGenerator<Uint8Array> {
  for (const segment of layout.segments) {
    const skip = Math.max(0, start - segment.start);
    if (skip >= lengthOf(segment)) continue;
    if (segment.kind === 'bytes') yield segment.bytes.subarray(skip);
    else yield* contentOf(segment.entry).open({ ...options, start: skip });
  }
}

/** The content of an entry that came with the plan. */
export function inlineContent(entry: LayerEntry): Buffer {
  if (entry.origin.kind !== 'inline') throw new TypeError(`${entry.path} is not inline`);
  return Buffer.from(entry.origin.text, 'utf8');
}
