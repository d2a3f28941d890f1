import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kserveResources } from './other-servers.ts';
import type { ServedImage } from './served-image.ts';

const jsonModule = (models: string): string => `{"name":"law","path":"${models}/x-adapters/law"}`;

test('KServe finds adapters where it mounts the weights', () => {
  const served = {
    name: 'hf-x',
    reference: 'localhost/hf-x@sha256:0',
    modelId: 'acme/x',
    variant: 'weights',
    dir: '/models/x',
    serveArgs: [
      '--enable-lora',
      '--lora-modules',
      'sql=/models/x-adapters/sql',
      'own=/own',
      jsonModule('/models'),
      '--port',
      '1',
      '--host=::',
    ],
    gpus: 1,
  } as unknown as ServedImage;
  const [{ spec }] = kserveResources(served) as unknown as [
    { spec: { predictor: { model: { args: string[] } } } },
  ];
  assert.deepEqual(spec.predictor.model.args, [
    '--model_name=acme/x',
    '--enable-lora',
    ...['--lora-modules', 'sql=/mnt/models/x-adapters/sql', 'own=/own', jsonModule('/mnt/models')],
  ]);
});
