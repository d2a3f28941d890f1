import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideByLayerLimits } from './layer-limits.ts';

const file = (path: string, sizeBytes: number) => ({ path, sizeBytes, gitOid: '0'.repeat(40) });
const ghcr = { registry: 'ghcr', repository: 'ghcr.io/acme/hf-x' };
const lab = { registry: 'lab', repository: 'localhost:5000/acme/hf-x' };

test('a file above what GHCR takes is refused beforehand, with both figures', () => {
  const decision = decideByLayerLimits([file('a.safetensors', 4e9), file('b.gguf', 12.34e9)], [lab, ghcr]);
  assert.equal(decision?.build, false);
  assert.match(decision?.reason ?? '', /^b\.gguf has 12\.3 GB and ghcr\.io takes no layer above 10 GB/);
  assert.deepEqual(
    decision?.evidence.map(({ value }) => value),
    [12.34e9, 10e9],
  );
});

test('the tar around a file counts', () => {
  assert.equal(decideByLayerLimits([file('a', 10e9 - 16_384)], [ghcr]), undefined);
  assert.equal(decideByLayerLimits([file('a', 10e9 - 16_383)], [ghcr])?.rule, 'layer-too-large');
});

test('where no registry has a limit, or none is published to, there is nothing to refuse', () => {
  assert.equal(decideByLayerLimits([file('a', 1e12)], [lab]), undefined);
  assert.equal(decideByLayerLimits([file('a', 1e12)], []), undefined);
});
