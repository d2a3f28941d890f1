import { isDigest } from '../core/digest.ts';
import { describeJson, isRecord, isTextList, isTextMap, type JsonRecord } from '../core/json-shape.ts';
import { badDocument, parseObject } from './parse.ts';
import type { HistoryEntry, ImageConfig } from './types.ts';

/** https://www.rfc-editor.org/rfc/rfc3339#section-5.6; Go's clients read no image with any other time in it. */
const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * Returns an image's config with everything checked that is relied upon. Fields that are `null` count as absent, as in
 * Go; a platform that is left out is empty. Throws RegistryError for a platform, layers, environment, labels or ports of another type; history and time are
 * for people, and are left out if they are not valid.
 */
export function parseImageConfig(bytes: Uint8Array, subject: string): ImageConfig {
  const value = parseObject(bytes, subject, 'config');
  const { rootfs, config, created, history, variant, ...rest } = value;
  const { os, architecture } = { os: rest.os ?? '', architecture: rest.architecture ?? '' };
  if (!isRecord(rootfs) || !Array.isArray(rootfs.diff_ids) || !rootfs.diff_ids.every(isDigest))
    throw badDocument(subject, 'has no valid rootfs.diff_ids');
  if (typeof os !== 'string' || typeof architecture !== 'string')
    throw badDocument(subject, 'names no platform');
  const container = parseContainer(config, subject);
  return {
    ...rest,
    rootfs,
    os,
    architecture,
    ...(container === undefined ? {} : { config: container }),
    ...(typeof created === 'string' && TIME.test(created) ? { created } : {}),
    ...(isHistory(history) ? { history: history.map(withoutNullFields) } : {}),
    ...(typeof variant === 'string' ? { variant } : {}),
  } as unknown as ImageConfig;
}

function parseContainer(value: unknown, subject: string): JsonRecord | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isRecord(value)) throw wrongType(subject, 'config', 'an object', value);
  const container: Record<string, unknown> = { ...value };
  for (const [name, fits, expected, empty] of FIELDS) {
    const field = container[name];
    if (field === undefined) continue;
    if (field === null) {
      // In place, so that the image which is made from this one has its fields in the same order.
      if (empty !== null) container[name] = empty;
      continue;
    }
    if (name === 'Labels' && isRecord(field)) container[name] = withoutNulls(field);
    // Docker takes a command line of one word as a text.
    else if (COMMANDS.has(name) && typeof field === 'string') container[name] = [field];
    if (!fits(container[name])) throw wrongType(subject, `config.${name}`, expected, field);
  }
  return container;
}

const isText = (value: unknown): boolean => typeof value === 'string';
const COMMANDS: ReadonlySet<string> = new Set(['Entrypoint', 'Cmd']);
/** `empty` is what `null` means in Go; Docker writes `null` for some fields itself, and there it stays. */
const FIELDS: readonly (readonly [
  name: string,
  fits: (value: unknown) => boolean,
  expected: string,
  empty: unknown,
])[] = [
  ['Env', isTextList, 'a list of texts', []],
  ['Entrypoint', isTextList, 'a list of texts', null],
  ['Cmd', isTextList, 'a list of texts', null],
  ['Labels', isTextMap, 'a map of texts', null],
  ['ExposedPorts', isRecord, 'an object', {}],
  ['Volumes', isRecord, 'an object', null],
  ['User', isText, 'a text', ''],
  ['WorkingDir', isText, 'a text', ''],
  ['StopSignal', isText, 'a text', ''],
];

function withoutNulls(labels: JsonRecord): JsonRecord {
  if (!Object.values(labels).includes(null)) return labels;
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, value ?? '']));
}

function withoutNullFields(entry: HistoryEntry): HistoryEntry {
  const fields = Object.entries(entry);
  if (fields.every(([, value]) => value !== null)) return entry;
  return Object.fromEntries(fields.filter(([, value]) => value !== null));
}

function isHistory(value: unknown): value is readonly HistoryEntry[] {
  return Array.isArray(value) && value.every(isHistoryEntry);
}

function isHistoryEntry(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { created, created_by: createdBy, author, comment, empty_layer: isEmpty } = value;
  const texts = [created, createdBy, author, comment];
  return (
    texts.every(text => text === undefined || text === null || isText(text)) &&
    [undefined, null, true, false].includes(isEmpty as boolean | undefined)
  );
}

function wrongType(subject: string, field: string, expected: string, got: unknown) {
  return badDocument(subject, `has a config whose ${field} is ${describeJson(got)}, expected ${expected}`);
}
