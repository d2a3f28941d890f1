/** The bytes of each tensor of a safetensors file, by name: read as the format is described, with nothing of ours. */
export function tensorsOf(file: Buffer): Map<string, Buffer> {
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header: Record<string, { data_offsets: [number, number] }> = JSON.parse(
    file.subarray(8, start).toString('utf8'),
  );
  return new Map(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(
        ([
          name,
          {
            data_offsets: [from, to],
          },
        ]) => [name, file.subarray(start + from, start + to)],
      ),
  );
}
