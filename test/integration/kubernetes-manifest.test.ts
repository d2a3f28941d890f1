import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageVolumeManifest, kubernetesManifest } from '../../src/report/serve/kubernetes-manifest.ts';
import { checkKubernetesYaml } from '../support/kubernetes-schema.ts';
import { requireTool } from '../support/tools.ts';

const skip = requireTool('python3');

const image = {
  reference: `ghcr.io/acme/hf-x@sha256:${'a'.repeat(64)}`,
  name: 'hf-x',
  port: 8000,
  dir: '/models/x',
  modelBytes: 14 * 1024 ** 3,
};

test('what the catalog offers for Kubernetes fits its schemas, no field too many', { skip }, async () => {
  const slim = kubernetesManifest({ ...image, variant: 'slim' });
  const fat = kubernetesManifest({ ...image, variant: 'fat' });
  const volume = imageVolumeManifest({ ...image, variant: 'fat' }, 'vllm/vllm-openai:v0.11.0', 'acme/x');
  const { passed, problems } = await checkKubernetesYaml([slim, fat, volume].join('---\n'), '1.37');
  assert.deepEqual(problems, []);
  assert.deepEqual(passed, [
    'persistentvolumeclaim/hf-x',
    'deployment/hf-x',
    'service/hf-x',
    'deployment/hf-x',
    'service/hf-x',
    'deployment/hf-x',
    'service/hf-x',
  ]);
  assert.match(slim, /storage: 21Gi/);
  assert.match(slim, /failureThreshold: 360\n/);
});
