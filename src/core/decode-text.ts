/** Returns the text that bytes are: UTF-8, or UTF-16 if they begin with its mark, as Windows programs write it. */
export function decodeText(bytes: Buffer): string {
  const isLittle = bytes[0] === 0xff && bytes[1] === 0xfe;
  const isBig = bytes[0] === 0xfe && bytes[1] === 0xff;
  if (isLittle || isBig) return new TextDecoder(isLittle ? 'utf-16le' : 'utf-16be').decode(bytes);
  return bytes.toString('utf8');
}
