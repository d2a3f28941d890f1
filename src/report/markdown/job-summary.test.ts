import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../core/digest.ts';
import { outcomesOf } from '../../publish/publish-plan.ts';
import type { ImageScan } from '../../scan/types.ts';
import { type PublishJson, publishToJson } from '../json/publish-json.ts';
import { samplePlan } from '../plan.fixtures.ts';
import { sampleOutcomes } from '../publish.fixtures.ts';
import { duration, jobSummary } from './job-summary.ts';

const SCAN: ImageScan = {
  id: 'acme/open',
  short: 'open',
  variant: 'fat',
  digest: digestOf('fat'),
  platform: 'linux/amd64',
  references: ['ghcr.io/acme/hf-open@sha256:00'],
  base: { name: 'vllm/vllm-openai:v0.6.0', digest: digestOf('base') },
  summary: {
    scanner: 'trivy 0.74.0',
    databaseDate: '2026-11-24T06:00:00Z',
    scannedAt: '2026-11-25T00:00:00Z',
    baseDigest: digestOf('base'),
    vulnerabilities: { CRITICAL: 1, HIGH: 2, MEDIUM: 30, LOW: 4, UNKNOWN: 0 },
    fixable: 3,
    secrets: 0,
    misconfigurations: 1,
  },
  findings: [
    {
      kind: 'vulnerability',
      id: 'CVE-2026-1',
      severity: 'CRITICAL',
      title: 'a | hole',
      subject: 'zlib1g',
      installedVersion: '1.2',
      fixedVersion: '1.3',
      origin: 'base',
    },
  ],
  failing: 1,
  sizeBytes: 100,
  read: { own: 1, base: 2 },
};

test('the page tells decisions, digests, bytes, what failed and what to do, findings and how to run it', async () => {
  const page = jobSummary(
    { published: [await published()], scanned: [{ schemaVersion: 1, scans: [SCAN], failures: [] }] },
    { isOverview: false },
  );
  for (const wanted of [
    '## 1 image published, 1 image unchanged, 2 images failed, 1 model not resolved',
    '| [acme/open](https://huggingface.co/acme/open)<br>`open` | Apache-2.0 | ❌ failed | ❌ failed | 3.0 GiB | 4.0 GiB | 24 GiB |  | ❌ 1 critical, 2 high |',
    '- **fat** is left out: ',
    `\`${digestOf('fat')}\``,
    '> ❌ **lab fat**: localhost:5000 refused the connection. Start it, or leave it out with --registry ghcr.',
    'docker run --rm --gpus all --ipc=host -p 8000:8000 \\\n  ghcr.io/acme/hf-open:v0.6.0-fat',
    '-v models:/models -e HF\\_TOKEN'.replace('\\', ''),
    '[CVE-2026-1](https://nvd.nist.gov/vuln/detail/CVE-2026-1) | a \\| hole | `zlib1g` (base image) | `1.2` | `1.3` |',
    '1 findings (trivy 0.74.0, database of 2026-11-24)'.replace('findings', 'finding'),
    '❌ the Hub knows no model acme/absent. Check the spelling of \\`id\\`, or set HF\\_TOKEN if it is private.',
  ]) {
    assert.ok(page.includes(wanted), `${wanted}\n\n${page}`);
  }
});

test('an overview is the table alone', async () => {
  const page = jobSummary({ published: [await published()], scanned: [] }, { isOverview: true });
  assert.doesNotMatch(page, /###/);
  assert.match(page, /acme\/absent.*not resolved/);
});

test('a page that would be too long keeps the table and what failed', async () => {
  const results = { published: [await published()], scanned: [] };
  const whole = jobSummary(results, { isOverview: false });
  const page = jobSummary(results, { isOverview: false, maxBytes: Buffer.byteLength(whole) - 100 });
  assert.match(page, /### open\n/);
  assert.match(page, /no room for 1 more model; the table has them all/);
});

test('durations are said as people say them', () => {
  assert.deepEqual([4210, 42_000, 200_000, 3_720_000].map(duration), [
    '4.2 s',
    '42 s',
    '3 min 20 s',
    '1 h 02 min',
  ]);
});

async function published(): Promise<PublishJson> {
  const plan = await samplePlan();
  return publishToJson(outcomesOf(plan, sampleOutcomes(plan)));
}
