import { WeighbridgeError } from '../core/errors.ts';
import { isRecord } from '../core/json-shape.ts';

/** Not how the Hub answered is wrong, but what the file is. */
export class UnshardableError extends WeighbridgeError {
  constructor(path: string, message: string) {
    super(message, { code: 'SAFETENSORS_INVALID', subject: path });
  }
}

// https://huggingface.co/docs/safetensors#format

/** A tensor as a header lists it. */
export interface Tensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Where its bytes are, counted from the first byte behind the header. */
  readonly start: number;
  readonly end: number;
}

/** What the header of a safetensors file says, https://huggingface.co/docs/safetensors. */
export interface SafetensorsHeader {
  /** Length prefix and JSON together: where the data starts in the file. */
  readonly sizeBytes: number;
  /** By offset. They cover the data from its first byte to its last, without gaps. */
  readonly tensors: readonly Tensor[];
  /** `__metadata__` as it is, undefined if there is none. */
  readonly metadata: Readonly<Record<string, string>> | undefined;
}

/** The length of the JSON, before the JSON. */
export const LENGTH_BYTES = 8;
/** The bound of the format's own library. */
const MAX_HEADER_BYTES = 100_000_000;

const METADATA = '__metadata__';
/** More than any tensor has: a product of a hundred thousand sizes takes half a minute. */
const MAX_DIMENSIONS = 64;
/** Of one value; some take less than a byte. */
const BITS: ReadonlyMap<string, number> = new Map([
  ...['F4'].map(name => [name, 4] as const),
  ...['F6_E2M3', 'F6_E3M2'].map(name => [name, 6] as const),
  ...['BOOL', 'U8', 'I8', 'F8_E5M2', 'F8_E4M3', 'F8_E8M0', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ'].map(
    name => [name, 8] as const,
  ),
  ...['I16', 'U16', 'F16', 'BF16'].map(name => [name, 16] as const),
  ...['I32', 'U32', 'F32'].map(name => [name, 32] as const),
  ...['I64', 'U64', 'F64', 'C64'].map(name => [name, 64] as const),
]);

/**
 * Returns the length in bytes of the JSON that follows the first eight bytes of a file. Throws UnshardableError if no
 * such file can be.
 */
export function parseHeaderLength(path: string, prefix: Uint8Array, fileBytes: number): number {
  if (prefix.length < LENGTH_BYTES) throw wrong(path, `it has ${prefix.length} bytes`);
  const length = Buffer.from(prefix).readBigUInt64LE(0);
  if (length > BigInt(MAX_HEADER_BYTES) || Number(length) > fileBytes - LENGTH_BYTES)
    throw wrong(path, `its header would have ${length} bytes`);
  return Number(length);
}

/**
 * Reads a header strictly and returns it: it has to account for every byte of the file. `fileBytes` is the size of the
 * whole file, `json` the header without its length. Throws UnshardableError.
 */
export function parseSafetensorsHeader(path: string, json: Uint8Array, fileBytes: number): SafetensorsHeader {
  const { metadata, tensors } = parseEntries(path, json);
  tensors.sort((a, b) => a.start - b.start || a.end - b.end);
  const sizeBytes = LENGTH_BYTES + json.length;
  let position = 0;
  for (const { name, start, end } of tensors) {
    if (start !== position) throw wrong(path, `${quoted(name)} starts at ${start} and not at ${position}`);
    position = end;
  }
  if (sizeBytes + position !== fileBytes)
    throw wrong(path, `its tensors end at ${sizeBytes + position} of ${fileBytes} bytes`);
  return { sizeBytes, tensors, metadata };
}

function parseEntries(path: string, json: Uint8Array) {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json);
    value = JSON.parse(text);
  } catch {
    throw wrong(path, 'its header is not JSON');
  }
  if (!text.startsWith('{') || !isRecord(value)) throw wrong(path, 'its header is not a JSON object');
  const twice = findDuplicateKey(path, text);
  if (twice !== undefined) throw wrong(path, `its header has ${quoted(twice)} twice`);
  const entries = Object.entries(value);
  const found = entries.find(([name]) => name === METADATA)?.[1];
  if (found !== undefined && !isTexts(found)) throw wrong(path, `its ${METADATA} is not a map of texts`);
  const tensors = entries.filter(([name]) => name !== METADATA).map(entry => toTensor(path, entry));
  return { metadata: found, tensors };
}

function toTensor(path: string, [name, info]: [string, unknown]): Tensor {
  if (!name.isWellFormed()) throw wrong(path, 'the name of a tensor is not Unicode');
  if (!isRecord(info)) throw wrong(path, `${quoted(name)} is not described`);
  const { dtype, shape, data_offsets: offsets } = info;
  const bits = typeof dtype === 'string' ? BITS.get(dtype) : undefined;
  if (typeof dtype !== 'string' || bits === undefined)
    throw wrong(path, `${quoted(name)} is of an unknown type`);
  if (!isSizes(shape) || shape.length > MAX_DIMENSIONS) throw wrong(path, `${quoted(name)} has no shape`);
  if (!isSizes(offsets)) throw wrong(path, `${quoted(name)} has no place`);
  const [start, end] = offsets;
  if (offsets.length !== 2 || start === undefined || end === undefined || start > end)
    throw wrong(path, `${quoted(name)} has no place`);
  const sizeBits = shape.reduce((product, length) => product * BigInt(length), BigInt(bits));
  if (sizeBits !== BigInt(end - start) * 8n)
    throw wrong(path, `${quoted(name)} has ${end - start} bytes for ${dtype} of [${shape.join(', ')}]`);
  return { name, dtype, shape, start, end };
}

function findDuplicateKey(path: string, text: string): string | undefined {
  try {
    return duplicateKey(text);
  } catch (error) {
    // A text of 20 MB ends the stack of the expression.
    if (!(error instanceof RangeError)) throw error;
    throw wrong(path, 'a name in its header is too long');
  }
}

/** The first key that an object has twice, which `JSON.parse` passes over; `text` is JSON. */
function duplicateKey(text: string): string | undefined {
  const objects: (Set<string> | undefined)[] = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/gs;
  for (const [part, colon] of text.matchAll(token)) {
    if (part === '{') objects.push(new Set());
    else if (part === '[') objects.push(undefined);
    else if (part === '}' || part === ']') objects.pop();
    else if (colon !== undefined) {
      const key: string = JSON.parse(part.slice(0, -colon.length));
      const keys = objects.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}

function isTexts(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every(text => typeof text === 'string');
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(size => Number.isSafeInteger(size) && size >= 0);
}

function quoted(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}

function wrong(path: string, what: string): UnshardableError {
  return new UnshardableError(path, `${path} is not a safetensors file that can be divided: ${what}`);
}
