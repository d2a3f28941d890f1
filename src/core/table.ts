/**
 * Returns a table that words from outside are looked up in. A plain object would find `constructor` and `toString` too, which
 * every object has.
 */
export function table<T>(entries: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.freeze(Object.assign(Object.create(null), entries));
}

/** Returns a record's own value, for names from outside; undefined if it has none. */
export function ownValue<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}
