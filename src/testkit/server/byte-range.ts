/** `end` is the first byte that is not wanted. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Returns the one range of a `Range` header. Undefined if there is none that has to be honoured (RFC 9110, 14.2: what
 * is malformed or lists several may be answered whole), 'unsatisfiable' where it begins past the end.
 */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | undefined | 'unsatisfiable' {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '') {
    if (last === '') return undefined;
    const count = Math.min(Number(last), sizeBytes);
    return count === 0 ? 'unsatisfiable' : { start: sizeBytes - count, end: sizeBytes };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= sizeBytes) return 'unsatisfiable';
  return { start, end: last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1) };
}
