import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WeighbridgeError } from '../core/errors.ts';
import { partPath, partsAt, reshardSafetensors } from './reshard-safetensors.ts';
import { BYTES, safetensorsOf } from './safetensors.fixtures.ts';
import { parseHeaderLength, parseSafetensorsHeader, type SafetensorsHeader } from './safetensors-header.ts';

function read(file: Buffer): SafetensorsHeader {
  const length = parseHeaderLength('x', file.subarray(0, 8), file.length);
  return parseSafetensorsHeader('x', file.subarray(8, 8 + length), file.length);
}

function contentsOf(file: Buffer): [string, Buffer][] {
  const { tensors, sizeBytes } = read(file);
  return tensors.map(({ name, start, end }) => [name, file.subarray(sizeBytes + start, sizeBytes + end)]);
}

const samples = fc
  .tuple(
    fc.uniqueArray(
      fc.record({
        name: fc.oneof(
          fc.string({ unit: 'grapheme', maxLength: 12 }),
          fc.constantFrom('0', '7', '__proto__', 'a.b'),
        ),
        dtype: fc.constantFrom(...Object.keys(BYTES)),
        shape: fc.array(fc.nat(6), { maxLength: 3 }),
      }),
      { selector: ({ name }) => name, minLength: 1, maxLength: 20 },
    ),
    fc.option(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })), {
      nil: undefined,
    }),
    fc.constantFrom('', ' ', '   '),
  )
  .filter(([tensors]) => tensors.every(({ name }) => name !== '__metadata__' && name.isWellFormed()))
  .map(([tensors, metadata, padding]) => safetensorsOf(tensors, metadata, padding));

test('parts are files of their own that hold each tensor once, byte for byte, within the limit', () => {
  fc.assert(
    fc.property(samples, fc.integer({ min: 100, max: 6000 }), ({ file, contents }, maxBytes) => {
      const header = read(file);
      const parts = reshardSafetensors(header, maxBytes);
      if (parts === undefined) return;
      const files = parts.map(part => Buffer.concat([part.header, file.subarray(part.start, part.end)]));
      for (const [index, part] of files.entries()) {
        assert.ok(part.length <= maxBytes);
        assert.equal(parts[index] && parts[index].header.length % 8, 0);
        assert.deepEqual(read(part).metadata, header.metadata);
        assert.deepEqual(
          read(part)
            .tensors.map(({ name }) => name)
            .sort(),
          [...(parts[index]?.tensors ?? [])].sort(),
        );
      }
      const all = files.flatMap(contentsOf);
      assert.equal(all.length, contents.size);
      for (const [name, bytes] of all) assert.ok(contents.get(name)?.equals(bytes), name);
      assert.deepEqual(
        parts.map(({ start }) => start),
        [header.sizeBytes, ...parts.slice(0, -1).map(({ end }) => end)],
      );
      assert.equal(parts.at(-1)?.end, file.length);
      // Where they are cut says all: empty tensors at a cut are found again in the same part.
      assert.deepEqual(partsAt(header, parts), parts);
    }),
  );
});

test('empty tensors go with the tensor before them, those in front with the first', () => {
  const of = (name: string, length: number) => ({ name, dtype: 'U8', shape: [length] });
  const tensors = [
    of('e0', 0),
    of('a', 900),
    of('e1', 0),
    of('b', 900),
    of('c', 10),
    of('e2', 0),
    of('e3', 0),
  ];
  const { file } = safetensorsOf(tensors);
  const header = read(file);
  const parts = reshardSafetensors(header, 1300) ?? [];
  assert.deepEqual(
    parts.map(part => part.tensors),
    [
      ['e0', 'a', 'e1'],
      ['b', 'c', 'e2', 'e3'],
    ],
  );
  assert.deepEqual(partsAt(header, parts), parts);
});

test('a tensor above the limit cannot be divided', () => {
  const { file } = safetensorsOf([{ name: 'a', dtype: 'U8', shape: [5000] }]);
  assert.equal(reshardSafetensors(read(file), 5000), undefined);
  assert.equal(reshardSafetensors(read(file), 6000)?.length, 1);
});

test('parts of a shard do not take the name of another shard', () => {
  assert.equal(partPath('model.safetensors', 0, 3), 'model-00001-of-00003.safetensors');
  assert.equal(
    partPath('unet/model-00001-of-00002.safetensors', 1, 2),
    'unet/model-00001-of-00002-part-00002-of-00002.safetensors',
  );
});

for (const [what, json, dataBytes] of [
  ['a gap', '{"a":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}', 3],
  [
    'an overlap',
    '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}',
    3,
  ],
  ['bytes behind the last tensor', '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}', 3],
  ['a size that is not that of the shape', '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,2]}}', 2],
  ['an unknown type', '{"a":{"dtype":"F3","shape":[2],"data_offsets":[0,2]}}', 2],
  [
    'a name twice',
    '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"\\u0061":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}',
    2,
  ],
  ['metadata that is no text', '{"__metadata__":{"a":1}}', 0],
  ['blanks before the JSON', ' {}', 0],
  ['a list', '[]', 0],
  ['no JSON', '{', 0],
  [
    'more sizes than a tensor has',
    `{"a":{"dtype":"U8","shape":[${'1,'.repeat(64)}1],"data_offsets":[0,1]}}`,
    1,
  ],
  [
    'a name of twenty megabytes',
    `{"${'a'.repeat(20_000_000)}":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`,
    1,
  ],
] as const) {
  test(`${what} is refused`, () => {
    const bytes = Buffer.from(json);
    assert.throws(() => parseSafetensorsHeader('x', bytes, 8 + bytes.length + dataBytes), WeighbridgeError);
  });
}

test('a length above the bound, or above the file, is refused before anything is read', () => {
  const length = (value: bigint): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    return bytes;
  };
  assert.equal(parseHeaderLength('x', length(92n), 100), 92);
  assert.throws(() => parseHeaderLength('x', length(93n), 100), WeighbridgeError);
  assert.throws(() => parseHeaderLength('x', length(2n ** 64n - 1n), 1e12), WeighbridgeError);
  assert.throws(() => parseHeaderLength('x', length(100_000_001n), 1e12), WeighbridgeError);
  assert.throws(() => parseHeaderLength('x', Buffer.alloc(7), 100), WeighbridgeError);
});
