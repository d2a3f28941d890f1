import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_IMAGE_LAYERS } from '../../src/image/assemble/pack-layers.ts';
import { fat } from '../../src/image/variants/fat.ts';
import type { BaseImage } from '../../src/oci/image.ts';
import { GIT_OID, plannedOf, SHA256, samplePlan } from '../../src/report/plan.fixtures.ts';

const FILES = Array.from({ length: 6 }, (_, index) => ({
  path: `model-${index + 1}.safetensors`,
  sizeBytes: 4_000_000,
  sha256: SHA256,
  gitOid: GIT_OID,
}));

/** Sizes of the layers of weights on a base that leaves so many. */
async function weightLayers(left: number, maxLayerBytes?: number): Promise<number[]> {
  const planned = plannedOf(await samplePlan({ files: FILES }), 'open');
  const base = {
    reference: 'docker.io/vllm/vllm-openai:v0.6.0',
    config: {},
    layers: Array.from({ length: MAX_IMAGE_LAYERS - 2 - left }, () => ({ size: 1 })),
  } as unknown as BaseImage;
  const layerLimit = { registry: 'lab', maxLayerBytes: maxLayerBytes ?? 0, source: 'models.yaml' } as const;
  const limited = maxLayerBytes === undefined ? planned : { ...planned, layerLimit };
  const context = { platform: 'linux/amd64', base, bootstrap: [] };
  return fat
    .assemble(limited, context)
    .layers.map(layer => layer.recipe)
    .filter(({ kind }) => kind === 'weights')
    .map(({ entries }) => entries.reduce((sum, entry) => sum + entry.sizeBytes, 0));
}

test('files that have to share layers do so within a limit that no file of them is above', async () => {
  assert.deepEqual(await weightLayers(2), [12_000_000, 12_000_000]);
  assert.deepEqual(await weightLayers(3, 9_000_000), [8_000_000, 8_000_000, 8_000_000]);
  await assert.rejects(weightLayers(2, 9_000_000), { code: 'IMAGE_TOO_MANY_LAYERS' });
});
