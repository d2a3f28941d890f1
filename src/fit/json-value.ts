/** Foreign JSON, read without belief: what is not of the kind that is asked for is not there. */
export type JsonRecord = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function recordOf(value: unknown): JsonRecord {
  return isRecord(value) ? value : {};
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A name of something, such as a method; anything longer or stranger is not one. */
export function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.+-]{1,64}$/.test(value) ? value : undefined;
}

/** A whole number above zero. */
export function countOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined;
}

export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : [];
}

/** The first of several names that holds a count. */
export function firstCount(record: JsonRecord, ...names: readonly string[]): number | undefined {
  for (const name of names) {
    const count = countOf(record[name]);
    if (count !== undefined) return count;
  }
  return undefined;
}
