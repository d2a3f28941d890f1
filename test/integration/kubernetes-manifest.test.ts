import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manifestText } from '../../src/report/serve/manifest.ts';
import type { ServedImage } from '../../src/report/serve/served-image.ts';
import { checkKubernetesYaml } from '../support/kubernetes-schema.ts';
import { requireTool } from '../support/tools.ts';

const skip = requireTool('python3');

/** As the catalog knows it: no flags, no facts. */
const image = (variant: string): ServedImage => ({
  reference: `ghcr.io/acme/hf-x@sha256:${'a'.repeat(64)}`,
  name: 'hf-x',
  modelId: 'acme/x',
  variant,
  port: 8000,
  dir: '/models/x',
  serveArgs: [],
  gpus: 1,
  modelBytes: 14 * 1024 ** 3,
  server: 'vllm/vllm-openai:v0.11.0',
});

test('what the catalog offers for Kubernetes fits its schemas, no field too many', { skip }, async () => {
  const slim = manifestText('kubernetes', image('slim'));
  const fat = manifestText('kubernetes', image('fat'));
  const volume = manifestText('image-volume', image('fat'));
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
