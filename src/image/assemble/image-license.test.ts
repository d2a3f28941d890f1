import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BaseImage } from '../../oci/image.ts';
import type { PlannedModel } from '../../plan/types.ts';
import { imageLicense } from './image-license.ts';

const planned = (spdx: string | null, ...lineage: (string | null)[]): PlannedModel =>
  ({
    outcome: { license: { spdx }, lineage: lineage.map(one => ({ spdx: one })) },
  }) as unknown as PlannedModel;
const base = (reference: string, labels: Record<string, string> = {}): BaseImage =>
  ({ reference, config: { config: { Labels: labels } } }) as unknown as BaseImage;

test('with the weights: the model and what it was made from', () => {
  assert.equal(imageLicense(planned('MIT', 'Apache-2.0'), 'fat', base('a/b:c')), 'MIT AND Apache-2.0');
  assert.equal(
    imageLicense(planned('MIT', 'Apache-2.0 AND MIT', null), 'weights', undefined),
    'MIT AND Apache-2.0',
  );
  assert.equal(imageLicense(planned('MIT OR ISC', 'MIT'), 'modelpack', undefined), '(MIT OR ISC) AND MIT');
  assert.equal(imageLicense(planned('MIT OR ISC'), 'fat', base('a/b:c')), 'MIT OR ISC');
  assert.equal(imageLicense(planned(null, 'MIT'), 'fat', base('a/b:c')), null);
});

test('without the weights: what is in the image', () => {
  const llama = planned('LicenseRef-llama3.1');
  assert.equal(imageLicense(llama, 'slim', base('acme/base:1')), 'CC0-1.0');
  assert.equal(
    imageLicense(llama, 'slim', base('acme/base:1', { 'org.opencontainers.image.licenses': 'BSD-3-Clause' })),
    'CC0-1.0 AND BSD-3-Clause',
  );
  const nvidia = 'LicenseRef-NVIDIA-Deep-Learning-Container-License';
  for (const reference of [
    'vllm/vllm-openai:v0.6.0',
    `docker.io/vllm/vllm-openai@sha256:${'a'.repeat(64)}`,
  ]) {
    assert.equal(imageLicense(llama, 'slim', base(reference)), `CC0-1.0 AND Apache-2.0 AND ${nvidia}`);
  }
  assert.equal(imageLicense(llama, 'slim', base('vllm/vllm-openai-cpu:v1')), 'CC0-1.0 AND Apache-2.0');
  assert.equal(imageLicense(llama, 'slim', base('localhost:5000/vllm/vllm-openai:v1')), 'CC0-1.0');
});
