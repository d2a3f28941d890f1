/** Returns the text that bytes are, without a byte order mark: UTF-8, or UTF-16 if its mark is there, as Windows programs write it. */
export function decodeText(bytes: Buffer): string {
  const isLittle = bytes[0] === 0xff && bytes[1] === 0xfe;
  const isBig = bytes[0] === 0xfe && bytes[1] === 0xff;
  return new TextDecoder(isLittle ? 'utf-16le' : isBig ? 'utf-16be' : 'utf-8').decode(bytes);
}
