import { parseConfig } from '../config/load-config.ts';
import { digestOf } from '../core/digest.ts';
import type { PublishedImage } from '../image/published-image.ts';
import { MediaType } from '../oci/types.ts';
import type { PlannedModel } from '../plan/types.ts';
import type { ImageSubject } from './types.ts';

export const REVISION = 'c'.repeat(40);
const HASH = 'a'.repeat(64);
const BASE = `sha256:${'b'.repeat(64)}` as const;

/** A fat image of acme/x with two files, a permissive license and one ancestor. */
export function fixtureSubject(): ImageSubject {
  const digest = digestOf('image');
  const labels = {
    'org.opencontainers.image.licenses': 'Apache-2.0',
    'org.opencontainers.image.base.name': 'docker.io/vllm/vllm-openai:v0.6.0',
    'org.opencontainers.image.base.digest': BASE,
    'io.weighbridge.model.lineage': '[["acme/base","MIT"]]',
  };
  const model = { id: 'acme/x', revision: REVISION, variant: 'fat', dir: '/models/x' };
  const adapter = { name: 'sql', id: 'acme/sql-lora', revision: 'e'.repeat(40), license: 'MIT' };
  const adapters = [{ ...adapter, dir: '/models/x-adapters/sql' }];
  const image = {
    ...{ digest, platform: 'linux/amd64', labels, model, adapters, layers: [] },
  } as unknown as PublishedImage;
  return {
    descriptor: { mediaType: MediaType.ociManifest, digest, size: 1000 },
    repository: 'ghcr.io/acme/hf-x',
    model,
    platforms: [image],
    files: [
      { path: 'config.json', sizeBytes: 2, sha256: HASH, gitOid: 'd'.repeat(40), isUpstream: true },
      { path: 'model.safetensors', sizeBytes: 10, sha256: 'f'.repeat(64), isUpstream: true },
    ],
    planned: fixturePlan(),
    tool: {
      version: '0.1.0',
      builderId: 'https://github.com/acme/models/.github/workflows/x.yml@refs/heads/main',
    },
  };
}

function fixturePlan(): PlannedModel {
  const [model] = parseConfig('models: [{id: acme/x, short: x}]', 'models.yaml').models;
  if (model === undefined) throw new Error('no model');
  const decision = {
    build: true,
    rule: 'license-permitted',
    reason: 'apache-2.0 is on the whitelist',
    evidence: [{ field: 'cardData.license', value: 'apache-2.0', source: 'hub' as const }],
  };
  const entries = [{ path: 'licenses/model/LICENSE', contentId: `sha256:${HASH}` }];
  return {
    kind: 'planned',
    model,
    snapshot: { id: 'acme/x', revision: REVISION, gated: false, tags: ['text-generation'] },
    outcome: {
      license: { spdx: 'Apache-2.0', declared: 'apache-2.0', isPermissive: true },
      isGated: false,
      texts: [{ path: 'LICENSE', is: 'Apache-2.0' }],
      lineage: [
        {
          id: 'acme/base',
          revision: 'e'.repeat(40),
          spdx: 'MIT',
          declared: 'mit',
          isPermissive: true,
          chain: ['acme/base'],
        },
      ],
      decisions: { slim: decision, fat: decision },
    },
    licenses: { slim: { entries }, fat: { entries } },
  } as unknown as PlannedModel;
}
