import { isRecord, type JsonRecord } from '../core/json-shape.ts';

// Foreign JSON, read without belief: what is not of the kind that is asked for is not there.

/** Returns the value if it is an object, else an empty one. */
export function recordOf(value: unknown): JsonRecord {
  return isRecord(value) ? value : {};
}

/** Returns the value if it is a text that is not empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Returns a name of something, such as a method; anything longer or stranger is not one. */
export function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.+-]{1,64}$/.test(value) ? value : undefined;
}

/** Returns a whole number above zero. */
export function countOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined;
}

/** Returns the texts of a list; none if the value is not a list. */
export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : [];
}

/** Returns the first of several names that holds a count. */
export function firstCount(record: JsonRecord, ...names: readonly string[]): number | undefined {
  for (const name of names) {
    const count = countOf(record[name]);
    if (count !== undefined) return count;
  }
  return undefined;
}
