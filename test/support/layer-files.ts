import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';

/** The regular files of a layer, by path without a leading slash. */
export async function filesOfLayer(layer: Buffer): Promise<Map<string, Buffer>> {
  const tar = layer.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b])) ? gunzipSync(layer) : layer;
  const files = new Map<string, Buffer>();
  const reader = extract();
  Readable.from([tar]).pipe(reader);
  for await (const entry of reader) {
    const content = await buffer(entry as unknown as Readable);
    if (entry.header.type === 'file') files.set(entry.header.name, content);
  }
  return files;
}
