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

async function* readSegments(
  layout: TarLayout,
  contentOf: ContentResolver,
  { start, ...options }: OpenOptions,
): AsyncGenerator<Uint8Array> {
  const segments = layout.segments.filter(segment => segment.start + lengthOf(segment) > start);
  const contents = segments.filter(segment => segment.kind === 'content');
  const sources = contents.map(({ entry }) => contentOf(entry));
  const ahead = new ReadAhead(sources, options.signal);
  let next = 0;
  try {
    for (const segment of segments) {
      const skip = Math.max(0, start - segment.start);
      if (segment.kind === 'bytes') {
        yield segment.bytes.subarray(skip);
        continue;
      }
      const index = next++;
      const small = ahead.take(index);
      if (small !== undefined) yield (await small).subarray(skip);
      else yield* (sources[index] as ByteSource).open({ ...options, start: skip });
    }
  } finally {
    ahead.stop();
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
