import { brotliDecompressSync } from 'node:zlib';

/** Returns what `pack` of make-bundle.ts packed. */
export function unpack(text: string): Buffer {
  return brotliDecompressSync(Buffer.from(text, 'base64'));
}
