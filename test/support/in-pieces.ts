import type { ByteSource } from '../../src/core/byte-source.ts';

/** Bytes that come in pieces of 64 KiB, as from a network. */
export function inPieces(bytes: Buffer): ByteSource {
  return {
    name: 'blob',
    sizeBytes: bytes.length,
    async *open({ start }) {
      for (let at = start; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
    },
  };
}
