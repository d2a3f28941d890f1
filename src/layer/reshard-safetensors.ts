import { LENGTH_BYTES, type SafetensorsHeader, type Tensor } from './safetensors-header.ts';

/** A file of its own that holds some of another's tensors: these bytes, then a run of the other file's. */
export interface SafetensorsPart {
  /** Length and JSON. */
  readonly header: Buffer;
  /** Of the source file, from its first byte on. */
  readonly start: number;
  readonly end: number;
  readonly tensors: readonly string[];
}

/**
 * Divides a file into as few parts as fit `maxBytes` each, header included, in the order of its data. Returns the
 * parts; undefined if a single tensor does not fit.
 */
export function reshardSafetensors(
  header: SafetensorsHeader,
  maxBytes: number,
): readonly SafetensorsPart[] | undefined {
  const parts: SafetensorsPart[] = [];
  const metadataBytes = Buffer.byteLength(JSON.stringify(header.metadata ?? {}));
  let current: Tensor[] = [];
  let bytes = 0;
  const flush = (): void => {
    if (current.length > 0) parts.push(toPart(header, current));
    current = [];
    bytes = 0;
  };
  for (const run of runsOf(header.tensors)) {
    const own = run.reduce((sum, tensor) => sum + tensor.end - tensor.start + headerShare(tensor), 0);
    if (bytes > 0 && bytes + own > maxBytes) flush();
    if (bytes === 0) bytes = FIXED_BYTES + metadataBytes;
    if (bytes + own > maxBytes) return undefined;
    current.push(...run);
    bytes += own;
  }
  flush();
  return parts;
}

/**
 * Each tensor with the empty ones behind it, which go where it goes: which part an empty tensor is in does not show in
 * the bytes of the parts, and `partsAt` has to find it from these.
 */
function runsOf(tensors: readonly Tensor[]): Tensor[][] {
  const runs: Tensor[][] = [];
  for (const tensor of tensors) {
    const run = runs.at(-1);
    const isAlone = run?.every(({ start, end }) => start === end) ?? false;
    if (run !== undefined && (tensor.start === tensor.end || isAlone)) run.push(tensor);
    else runs.push([tensor]);
  }
  return runs;
}

/**
 * Returns the parts that hold just these spans of the file; undefined if spans are not all of its data in order, each
 * from the start of a tensor to the end of one.
 */
export function partsAt(
  header: SafetensorsHeader,
  spans: readonly { readonly start: number; readonly end: number }[],
): readonly SafetensorsPart[] | undefined {
  const parts: SafetensorsPart[] = [];
  let next = 0;
  for (const { start, end } of spans) {
    const first = next;
    while ((header.tensors[next]?.end ?? Number.POSITIVE_INFINITY) <= end - header.sizeBytes) next += 1;
    const tensors = header.tensors.slice(first, next);
    if (tensors.length === 0) return undefined;
    const part = toPart(header, tensors);
    if (part.start !== start || part.end !== end) return undefined;
    parts.push(part);
  }
  return next === header.tensors.length ? parts : undefined;
}

/** Length, braces, the key of the metadata, padding. */
const FIXED_BYTES = 64;

/** At most what the tensor takes in the JSON: rebased, its offsets have no more digits than before. */
function headerShare(tensor: Tensor): number {
  return Buffer.byteLength(entryOf(tensor, 0)) + 1;
}

function toPart(header: SafetensorsHeader, tensors: readonly Tensor[]): SafetensorsPart {
  const first = tensors[0]?.start ?? 0;
  const last = tensors.at(-1)?.end ?? first;
  const metadata = header.metadata === undefined ? [] : [`"__metadata__":${JSON.stringify(header.metadata)}`];
  const json = `{${[...metadata, ...tensors.map(tensor => entryOf(tensor, first))].join(',')}}`;
  const bytes = Buffer.byteLength(json);
  // The data is to begin at a multiple of eight; blanks may follow the JSON.
  const padded = Buffer.alloc(Math.ceil(bytes / 8) * 8, ' ');
  padded.write(json);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(padded.length));
  return {
    header: Buffer.concat([length, padded]),
    start: header.sizeBytes + first,
    end: header.sizeBytes + last,
    tensors: tensors.map(({ name }) => name),
  };
}

/** Written by hand: an object would not keep the order of names that are numbers, nor one called `__proto__`. */
function entryOf({ name, dtype, shape, start, end }: Tensor, base: number): string {
  const info = { dtype, shape, data_offsets: [start - base, end - base] };
  return `${JSON.stringify(name)}:${JSON.stringify(info)}`;
}

/**
 * Returns the path of a part: `model-00001-of-00003.safetensors` for `model.safetensors`; a shard's own name gets
 * `-part` before the number.
 */
export function partPath(path: string, index: number, count: number): string {
  const stem = path.slice(0, -'.safetensors'.length);
  const isShard = /-\d+-of-\d+$/.test(stem);
  return `${stem}${isShard ? '-part' : ''}-${five(index + 1)}-of-${five(count)}.safetensors`;
}

function five(number: number): string {
  return String(number).padStart(5, '0');
}
