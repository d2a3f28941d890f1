import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { extract, type Header } from 'tar-stream';

/** The regular files of a layer, by path without a leading slash. */
export async function filesOfLayer(layer: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const { header, content } of entriesOf(layer)) {
    if (header.type === 'file') files.set(header.name, content);
  }
  return files;
}

/** What a layer makes in an image, in its order: `755 opt/weighbridge/bootstrap`; folders end in a slash. */
export async function listLayer(layer: Buffer): Promise<string[]> {
  const lines: string[] = [];
  for await (const { header } of entriesOf(layer)) lines.push(`${header.mode?.toString(8)} ${header.name}`);
  return lines;
}

async function* entriesOf(layer: Buffer): AsyncGenerator<{ header: Header; content: Buffer }> {
  const tar = layer.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b])) ? gunzipSync(layer) : layer;
  const reader = extract();
  Readable.from([tar]).pipe(reader);
  for await (const entry of reader) {
    yield { header: entry.header, content: await buffer(entry as unknown as Readable) };
  }
}
