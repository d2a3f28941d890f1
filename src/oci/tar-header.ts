// POSIX ustar with PAX extended headers where ustar ends:
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html

/** An entry of a tar, before its header. */
export interface TarEntry {
  /** Relative, with `/` between parts; a directory's may end with one. */
  readonly path: string;
  /** Permission bits: `0o644`. */
  readonly mode: number;
  readonly sizeBytes: number;
  readonly type: 'file' | 'directory' | 'link';
  /** Where a symbolic link leads, relative to its folder. */
  readonly target?: string;
}

/** What headers are made of, and what content is padded to. */
export const TAR_BLOCK_BYTES = 512;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
/** Eleven octal digits. */
const MAX_USTAR_SIZE_BYTES = 8 * 1024 ** 3 - 1;
const NOT_ASCII = /\P{ASCII}/gu;

/** What an archive ends with: two zero blocks. */
export const END_OF_ARCHIVE: Buffer = Buffer.alloc(2 * TAR_BLOCK_BYTES);

/**
 * Returns everything that comes before an entry's content. A pure function of its input: time 0, owner 0:0, no names.
 * Throws RangeError if the path or size cannot be in a tar.
 */
export function tarEntryHeader(entry: TarEntry): Buffer {
  const path = entry.type === 'directory' && !entry.path.endsWith('/') ? `${entry.path}/` : entry.path;
  check(entry, path);
  const split = splitPath(path);
  const hasLargeSize = entry.sizeBytes > MAX_USTAR_SIZE_BYTES;
  const records: Buffer[] = [];
  if (split === undefined) records.push(paxRecord('path', path));
  if (hasLargeSize) records.push(paxRecord('size', String(entry.sizeBytes)));
  const { target = '' } = entry;
  const hasLongTarget = target.length > NAME_BYTES || target.search(NOT_ASCII) !== -1;
  if (hasLongTarget) records.push(paxRecord('linkpath', target));
  const header = ustarBlock({
    ...(split ?? { name: asciiFallback(path), prefix: '' }),
    mode: entry.mode,
    // Readers take the PAX record; a zero here is what Go's archive/tar, and so every container tool, writes.
    sizeBytes: hasLargeSize ? 0 : entry.sizeBytes,
    typeFlag: TYPE_FLAGS[entry.type],
    linkName: asciiFallback(target),
  });
  return records.length === 0 ? header : Buffer.concat([...extendedHeader(Buffer.concat(records)), header]);
}

/** A block that begins an entry, or a PAX header (`x`) about the next one. */
export interface TarHeader {
  readonly path: string;
  readonly sizeBytes: number;
  readonly typeFlag: string;
}

/** Returns what a ustar block of 512 bytes says; undefined if it is not one, or has its size in GNU's binary form. */
export function readTarHeader(block: Buffer): TarHeader | undefined {
  const text = (start: number, end: number): string =>
    block.toString('latin1', start, end).replace(/\0.*$/s, '');
  const number = (start: number, end: number): number =>
    /^ *[0-7]+ *$/.test(text(start, end)) ? Number.parseInt(text(start, end), 8) : Number.NaN;
  const sizeBytes = number(124, 136);
  if (block.length !== TAR_BLOCK_BYTES || number(148, 156) !== checksumOf(block)) return undefined;
  if (!Number.isSafeInteger(sizeBytes)) return undefined;
  const prefix = text(257, 263) === 'ustar' ? text(345, 500) : '';
  const path = `${prefix === '' ? '' : `${prefix}/`}${text(0, 100)}`;
  return { path, sizeBytes, typeFlag: text(156, 157) || '0' };
}

const TYPE_FLAGS = { file: '0', directory: '5', link: '2' } as const;

/** Returns how many zero bytes follow content of `sizeBytes`. */
export function paddingFor(sizeBytes: number): number {
  return (TAR_BLOCK_BYTES - (sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
}

/** Returns the zero bytes that follow content of `sizeBytes`; not to be written to. */
export function padding(sizeBytes: number): Buffer {
  return END_OF_ARCHIVE.subarray(0, paddingFor(sizeBytes));
}

function check(entry: TarEntry, path: string): void {
  if (entry.path === '' || path.includes('\0') || !path.isWellFormed()) {
    throw new RangeError(`expected a tar path, got ${JSON.stringify(entry.path)}`);
  }
  if (!Number.isSafeInteger(entry.sizeBytes) || entry.sizeBytes < 0) {
    throw new RangeError(`expected a size in bytes for ${path}, got ${entry.sizeBytes}`);
  }
  if (entry.type !== 'file' && entry.sizeBytes !== 0) {
    throw new RangeError(`expected no content for the ${entry.type} ${path}, got ${entry.sizeBytes} bytes`);
  }
  const { target } = entry;
  if ((entry.type === 'link') !== (target !== undefined) || target === '' || target?.includes('\0')) {
    throw new RangeError(`expected a target for links alone, got ${JSON.stringify(target)} for ${path}`);
  }
  if (!Number.isInteger(entry.mode) || entry.mode < 0 || entry.mode > 0o7777) {
    throw new RangeError(`expected permission bits for ${path}, got ${entry.mode}`);
  }
}

/** The path as ustar's two fields, undefined if it does not fit them. */
function splitPath(path: string): { name: string; prefix: string } | undefined {
  if (path.search(NOT_ASCII) !== -1) return undefined;
  if (path.length <= NAME_BYTES) return { name: path, prefix: '' };
  // The last character may be a directory's slash, and a name must not be empty.
  const slash = path.lastIndexOf('/', Math.min(PREFIX_BYTES, path.length - 2));
  const name = path.slice(slash + 1);
  return slash > 0 && name.length <= NAME_BYTES ? { name, prefix: path.slice(0, slash) } : undefined;
}

/** What a reader that knows no PAX shows. */
function asciiFallback(path: string): string {
  return path.replace(NOT_ASCII, '_').slice(0, NAME_BYTES);
}

function extendedHeader(records: Buffer): Buffer[] {
  const header = ustarBlock({
    name: 'PaxHeaders/entry',
    prefix: '',
    mode: 0o644,
    sizeBytes: records.length,
    typeFlag: 'x',
  });
  return [header, records, padding(records.length)];
}

/** `<length> <key>=<value>\n`, the length counting its own digits. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (rest.length + String(length).length > length) length += 1;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

interface UstarFields {
  readonly name: string;
  readonly prefix: string;
  readonly mode: number;
  readonly sizeBytes: number;
  readonly typeFlag: '0' | '2' | '5' | 'x';
  readonly linkName?: string;
}

/** What is the same in every header. */
const TEMPLATE = Buffer.alloc(TAR_BLOCK_BYTES);
TEMPLATE.write(octal(0, 7), 108, 'latin1'); // uid
TEMPLATE.write(octal(0, 7), 116, 'latin1'); // gid
TEMPLATE.write(octal(0, 11), 136, 'latin1'); // mtime
TEMPLATE.write('ustar\x0000', 257, 'latin1');
TEMPLATE.write(octal(0, 7), 329, 'latin1'); // device
TEMPLATE.write(octal(0, 7), 337, 'latin1');

function ustarBlock(fields: UstarFields): Buffer {
  // A copy comes from Node's pool: a buffer of its own for each would be garbage by the thousand.
  const block = Buffer.from(TEMPLATE);
  block.write(fields.name, 0, 'latin1');
  block.write(octal(fields.mode, 7), 100, 'latin1');
  block.write(octal(fields.sizeBytes, 11), 124, 'latin1');
  block.write(fields.typeFlag, 156, 'latin1');
  block.write(fields.linkName ?? '', 157, 'latin1');
  block.write(fields.prefix, 345, 'latin1');
  block.write(`${octal(checksumOf(block), 6)}\0 `, 148, 'latin1');
  return block;
}

/** The sum of a block's bytes, in which its own field counts as blanks. */
function checksumOf(block: Buffer): number {
  let checksum = 8 * 0x20;
  for (let at = 0; at < TAR_BLOCK_BYTES; at++) if (at < 148 || at >= 156) checksum += block[at] as number;
  return checksum;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
