/** Of one value, by its type. */
export const BYTES: Readonly<Record<string, number>> = { BF16: 2, F32: 4, I64: 8, U8: 1, F8_E4M3: 1 };

export interface SafetensorsSample {
  readonly file: Buffer;
  readonly contents: ReadonlyMap<string, Buffer>;
}

/** A safetensors file in which each tensor's bytes are its own number. */
export function safetensorsOf(
  tensors: readonly { name: string; dtype: string; shape: readonly number[] }[],
  metadata?: Record<string, string>,
  padding = '',
): SafetensorsSample {
  const entries = metadata === undefined ? [] : [`"__metadata__":${JSON.stringify(metadata)}`];
  const contents = new Map<string, Buffer>();
  let offset = 0;
  tensors.forEach(({ name, dtype, shape }, index) => {
    const size = shape.reduce((product, length) => product * length, BYTES[dtype] ?? 1);
    contents.set(name, Buffer.alloc(size, index + 1));
    entries.push(
      `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, offset + size] })}`,
    );
    offset += size;
  });
  const json = Buffer.from(`{${entries.join(',')}}${padding}`);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return { file: Buffer.concat([length, json, ...contents.values()]), contents };
}
