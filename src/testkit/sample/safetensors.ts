// https://huggingface.co/docs/safetensors#format

/** A tensor to make up. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

/** All tensors here are bfloat16. */
const BYTES_PER_VALUE = 2;

/** Returns what a safetensors file of these tensors starts with, and how many bytes of data follow. */
export function safetensorsHead(tensors: readonly TensorSpec[]): { head: Buffer; dataSizeBytes: number } {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const { name, shape } of tensors) {
    const end = offset + sizeOf(shape);
    header[name] = { dtype: 'BF16', shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = JSON.stringify(header);
  // The data is to begin at a multiple of eight; blanks may follow the JSON.
  const padded = Buffer.from(json.padEnd(Math.ceil(Buffer.byteLength(json) / 8) * 8, ' '));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return { head: Buffer.concat([length, padded]), dataSizeBytes: offset };
}

/** Returns a safetensors file with random values. */
export function safetensorsFile(tensors: readonly TensorSpec[], random: () => number): Buffer {
  const { head, dataSizeBytes } = safetensorsHead(tensors);
  return Buffer.concat([head, smallBfloats(dataSizeBytes / BYTES_PER_VALUE, random)]);
}

/** Returns the number of values of a tensor. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, BYTES_PER_VALUE);
}

/** Values between -0.05 and 0.05, as an untrained model has them. */
function smallBfloats(count: number, random: () => number): Buffer {
  const bytes = Buffer.alloc(count * BYTES_PER_VALUE);
  const single = new DataView(new ArrayBuffer(4));
  for (let index = 0; index < count; index++) {
    single.setFloat32(0, (random() - 0.5) / 10);
    // A bfloat16 is the upper half of a float32.
    bytes.writeUInt16LE(single.getUint16(0), index * BYTES_PER_VALUE);
  }
  return bytes;
}

/** Returns the same numbers for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
