/**
 * Compares texts by their UTF-8 bytes: an order that is the same on every machine, whatever its locale. Returns a
 * number below, equal to or above zero.
 */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Compares by `path`; returns what `compareBytes` does. */
export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return compareBytes(a.path, b.path);
}
