import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitOf, maxFileBytes, tooLarge } from './layer-limits.ts';

const ghcr = { registry: 'ghcr', repository: 'ghcr.io/acme/hf-x' };
const lab = { registry: 'lab', repository: 'localhost:5000/acme/hf-x' };
const ecr = { registry: 'ecr', repository: '1234.dkr.ecr.eu-west-1.amazonaws.com/acme/hf-x' };

test('a limit is what is known of the registry, or what is written', () => {
  const of = (target: Parameters<typeof limitOf>[0], layerLimits = {}) => {
    const limit = limitOf(target, { layerLimits });
    return limit && [limit.registry, limit.maxLayerBytes, limit.source];
  };
  assert.equal(of(lab), undefined);
  assert.deepEqual(of(ghcr), ['ghcr.io', 10e9, 'built-in']);
  assert.deepEqual(of(ecr), [ecr.repository.split('/')[0], 52_000 * 1024 ** 2, 'built-in']);
  assert.deepEqual(of(lab, { lab: 5e9 }), ['localhost:5000', 5e9, 'models.yaml']);
  assert.deepEqual(of(ghcr, { ghcr: 20e9 }), ['ghcr.io', 20e9, 'models.yaml']);
});

test('the tar around a file counts', () => {
  const limit = { registry: 'ghcr.io', maxLayerBytes: 10e9, source: 'built-in' } as const;
  assert.equal(maxFileBytes(limit), 10e9 - 16_384);
});

test('a refusal has both figures', () => {
  const file = { path: 'b.gguf', sizeBytes: 12.34e9, gitOid: '0'.repeat(40) };
  const limit = { registry: 'ghcr.io', maxLayerBytes: 10e9, source: 'built-in' } as const;
  const { build, rule, reason, evidence } = tooLarge(file, limit, 'it is too bad');
  assert.deepEqual([build, rule], [false, 'layer-too-large']);
  assert.match(reason, /^b\.gguf has 12\.3 GB and ghcr\.io takes no layer above 10 GB, and it is too bad;/);
  assert.deepEqual(
    evidence.map(({ value }) => value),
    [12.34e9, 10e9],
  );
});
