import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paramSize, precisionName } from './modelpack.ts';

test('parameters are written with one digit after the point at most', () => {
  const sizes = [
    494_032_768, 7_615_616_512, 1_540_000_000, 135_000_000, 671_026_419_200, 1_040_000_000_000, 12,
  ];
  assert.deepEqual(sizes.map(paramSize), ['494m', '7.6b', '1.5b', '135m', '671b', '1t', '12']);
});

test("precisions have ModelPack's names where it has one", () => {
  assert.deepEqual(['bf16', 'fp8', 'int8', 'int4', 'mxfp4'].map(precisionName), [
    'bfloat16',
    'float8_e4m3',
    'int8',
    'int4',
    'mxfp4',
  ]);
});
