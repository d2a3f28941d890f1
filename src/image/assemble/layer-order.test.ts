import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelConfig } from '../../policy/decide.fixtures.ts';
import { layerOrder } from './layer-order.ts';

type Planned = Parameters<typeof layerOrder>[0];
type Base = Parameters<typeof layerOrder>[1];

const planned = (layerOrderOf: Planned['model']['layerOrder'], sizeBytes: number): Planned => ({
  model: modelConfig({ layerOrder: layerOrderOf }),
  files: [{ path: 'model.safetensors', sizeBytes, gitOid: '0'.repeat(40) }],
});

const base = (volumes: readonly string[] = []): Base =>
  ({
    reference: 'docker.io/vllm/vllm-openai:v0.11.0',
    config: { config: { Volumes: Object.fromEntries(volumes.map(path => [path, {}])) } },
    layers: [{ size: 400 }, { size: 600 }],
  }) as unknown as Base;

test('auto puts a model below its base if it is the larger of the two', () => {
  assert.equal(layerOrder(planned('auto', 1000), base()), 'base-first');
  assert.equal(layerOrder(planned('auto', 1001), base()), 'weights-first');
});

test('what is asked for is done, whatever the sizes', () => {
  assert.equal(layerOrder(planned('weights-first', 1), base()), 'weights-first');
  assert.equal(layerOrder(planned('base-first', 9999), base()), 'base-first');
});

for (const volume of ['/models', '/models/', '/models/cache']) {
  test(`a base with a volume at ${volume} would hide the model: refused, and not chosen by auto`, () => {
    assert.equal(layerOrder(planned('auto', 9999), base([volume])), 'base-first');
    assert.throws(() => layerOrder(planned('weights-first', 9999), base([volume])), {
      code: 'IMAGE_LAYER_ORDER',
      message: /has a volume at \/models.* which would hide or replace a model below it in \/models/,
    });
  });
}

test('a volume elsewhere hides nothing', () => {
  assert.equal(
    layerOrder(planned('weights-first', 1), base(['/models-of-others', '/data'])),
    'weights-first',
  );
});
