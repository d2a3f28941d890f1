import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plan } from '../../plan/types.ts';
import {
  ABSENT_ERROR,
  ABSENT_HEAD,
  GIT_OID,
  headOf,
  plannedOf,
  REVISION,
  SHA256,
  samplePlan,
  usualDecisions,
} from '../plan.fixtures.ts';
import { planToJson } from './plan-json.ts';

const FILES = [
  { path: 'config.json', size: 700, gitOid: GIT_OID },
  { path: 'model.safetensors', size: 3 * 1024 ** 3, sha256: SHA256 },
];

/** Of a repository whose config.json is not shown. */
const FACTS = {
  parameters: null,
  precision: 'unknown',
  quantization: null,
  contextLength: null,
  task: 'unknown',
  kvBytesPerToken: null,
  weightBytes: 3 * 1024 ** 3,
  gpus: [],
};

test('a plan as JSON: every key, full references, and a model that could not be resolved', async () => {
  const plan = await samplePlan();

  assert.deepEqual(planToJson({ ...plan, warnings: ['mind this'] }), {
    schemaVersion: 1,
    models: [
      {
        ...headOf('open'),
        licenseDetails: {
          spdx: 'Apache-2.0',
          declared: 'apache-2.0',
          permissive: true,
          name: null,
          link: null,
          texts: [],
          lineage: [],
        },
        gated: false,
        decisions: usualDecisions(plannedOf(plan, 'open')),
        images: [
          { registry: 'ghcr', variant: 'slim', tags: tagsOf('ghcr.io/acme/hf-open', 'slim') },
          { registry: 'ghcr', variant: 'fat', tags: tagsOf('ghcr.io/acme/hf-open', 'fat') },
          { registry: 'lab', variant: 'slim', tags: tagsOf('localhost:5000/models/hf-open', 'slim') },
          { registry: 'lab', variant: 'fat', tags: tagsOf('localhost:5000/models/hf-open', 'fat') },
        ],
        files: FILES,
        reasoning: reasoningOf(plan, 'open'),
        settings: settingsOf('open'),
        fit: { status: 'unknown', release: '0.6.0', findings: [] },
        facts: FACTS,
      },
      {
        ...headOf('gated'),
        licenseDetails: {
          spdx: 'LicenseRef-llama3.1',
          declared: 'other (llama3.1)',
          permissive: false,
          name: 'llama3.1',
          link: 'LICENSE',
          texts: [],
          lineage: [],
        },
        gated: true,
        decisions: usualDecisions(plannedOf(plan, 'gated')),
        images: [
          { registry: 'ghcr', variant: 'slim', tags: tagsOf('ghcr.io/acme/hf-gated', 'slim') },
          { registry: 'lab', variant: 'slim', tags: tagsOf('localhost:5000/models/hf-gated', 'slim') },
        ],
        files: FILES,
        reasoning: reasoningOf(plan, 'gated'),
        settings: settingsOf('gated'),
        fit: { status: 'unknown', release: '0.6.0', findings: [] },
        facts: FACTS,
      },
      {
        ...{ ...ABSENT_HEAD, license: null, licenseDetails: null, gated: null, files: [] },
        error: ABSENT_ERROR,
      },
    ],
    warnings: ['mind this'],
  });
});

test('warnings are absent where there are none, and the document survives JSON', async () => {
  const document = planToJson(await samplePlan());
  assert.equal('warnings' in document, false);
  assert.deepEqual(JSON.parse(JSON.stringify(document)), document);
});

function tagsOf(repository: string, variant: string): string[] {
  return [`${repository}:v0.6.0-${variant}`, `${repository}:r${REVISION}-${variant}`].concat(
    `${repository}:v0.6.0-r${REVISION.slice(0, 8)}-${variant}`,
  );
}

function reasoningOf(plan: Plan, short: string): object {
  const { findings, remedies } = plannedOf(plan, short).outcome;
  return { findings, changes: remedies.map(({ setting, effect }) => ({ line: setting, means: effect })) };
}

function settingsOf(short: string) {
  const id = short === 'open' ? 'acme/open' : 'meta/gated';
  return {
    baseImage: 'vllm/vllm-openai:v0.6.0',
    arch: ['linux/amd64'],
    dir: `/models/${short}`,
    hfCacheDir: '/root/.cache/huggingface',
    serveArgs: ['--host', '0.0.0.0', '--port', '8000'],
    oci: {
      title: `vLLM + ${short}`,
      description: 'Slim/Fat images; see /licenses',
      url: `https://huggingface.co/${id}`,
    },
  };
}
