/**
 * Returns a lookup table for keys from foreign data. It has no prototype: in a plain object, `constructor` and `toString` would
 * be found too.
 */
export function table<T>(entries: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.freeze(Object.assign(Object.create(null), entries));
}

/** Returns a record's own property, for names from foreign data; undefined if it has none. */
export function ownValue<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}
