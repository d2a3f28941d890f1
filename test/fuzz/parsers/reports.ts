import assert from 'node:assert/strict';
import fc from 'fast-check';
import { renderCard } from '../../../src/catalog/card/render-card.ts';
import { makeSite } from '../../../src/catalog/make-site.ts';
import { readPreviousCatalog } from '../../../src/catalog/previous-catalog.ts';
import { toCatalog } from '../../../src/catalog/to-catalog.ts';
import { parseLock } from '../../../src/cli/lock-file.ts';
import { SEVERITIES } from '../../../src/config/types.ts';
import { appendModel } from '../../../src/config/yaml/append-model.ts';
import { moveBase } from '../../../src/config/yaml/move-base.ts';
import type { PublishedImage } from '../../../src/image/published-image.ts';
import { readLine } from '../../../src/publish/target/layer-index.ts';
import { parsePlanJson, parsePublishJson, parseScanJson } from '../../../src/report/json/read-documents.ts';
import { jobSummary } from '../../../src/report/markdown/job-summary.ts';
import { planChange } from '../../../src/report/markdown/plan-change.ts';
import { parseSarif, parseTrivyVersion } from '../../../src/scan/trivy.ts';
import { findingsIn, mergeReports, parseTrivyReport } from '../../../src/scan/trivy-report.ts';
import { assertPlain, assertPlainLines, bent, bentJson, orRefused } from '../bent.ts';
import { DESCRIPTOR, DIGEST, OID, parsedOrNothing, parser } from './table.ts';

// Reports: what Trivy prints, what other jobs have left behind, and the pages that are made of them.

{
  const report = {
    SchemaVersion: 2,
    ArtifactName: 'x',
    ArtifactType: 'container_image',
    Metadata: { OS: { Family: 'debian', Name: '12' } },
    Results: [
      {
        Target: 'x (debian 12)',
        Class: 'os-pkgs',
        Vulnerabilities: [
          { VulnerabilityID: 'CVE-1', PkgName: 'a', Severity: 'HIGH', InstalledVersion: '1', Title: 't' },
        ],
        Secrets: [{ RuleID: 'key', Severity: 'LOW' }],
        Misconfigurations: [{ ID: 'DS-1', Severity: 'constructor', Status: 'FAIL' }],
      },
      { Target: 'y', Vulnerabilities: null },
    ],
  };
  parser(
    'Trivy reports',
    fc.property(bentJson(report), bytes => {
      const parsed = parseTrivyReport(bytes.toString('utf8'));
      if (parsed === undefined) return;
      for (const finding of findingsIn(mergeReports(parsed, { report: parsed, name: 'base' }, 'own'))) {
        assert.ok(SEVERITIES.includes(finding.severity));
        for (const text of [finding.id, finding.title, finding.subject]) assert.equal(typeof text, 'string');
      }
    }),
  );
  const version = { Version: '0.74.0', VulnerabilityDB: { Version: 2, UpdatedAt: '2026-11-20T00:00:00Z' } };
  parser(
    'Trivy’s version and SARIF',
    fc.property(bentJson(version, { version: '2.1.0', runs: [{ results: [] }] }), bytes => {
      const found = parseTrivyVersion(bytes.toString('utf8'));
      if (found !== undefined) assertPlain(`${found.version} ${found.databaseDate}`);
      for (const run of parseSarif(bytes.toString('utf8'))?.runs ?? []) assert.equal(typeof run, 'object');
    }),
  );
}

// Documents from other jobs, and the Markdown made from them, which must mention no one and contain no HTML tags but ours.
const error = { code: 'HUB_NOT_FOUND', message: 'acme/x: no', remedy: 'Check it.' };
const decisions = {
  slim: { build: true, rule: 'a', reason: 'r' },
  fat: { build: false, rule: 'b', reason: '@me <b>' },
};
const model = { id: 'acme/x', short: 'x', revision: OID, license: 'MIT', decisions };

function assertMarkdown(text: string, maxBytes: number): void {
  assert.ok(Buffer.byteLength(text) <= maxBytes);
  assertPlainLines(text);
  const outside = text.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/(`+)[^`][\s\S]*?\1(?!`)/g, '');
  assert.doesNotMatch(outside, /(?<!\\)<(?!\/?(?:br|details|summary)>)/, outside);
  assert.doesNotMatch(outside, /(?:^|[^\w&;])@\w/, outside);
}

{
  const image = {
    registry: 'ghcr',
    variant: 'slim',
    tags: ['ghcr.io/acme/hf-x:v1'],
    digest: DIGEST,
    status: 'published',
    bytes: { downloaded: 1, uploaded: 2, mounted: 3, reused: 4 },
    sizes: { base: 1, weights: 2 },
    change: {
      revision: { from: OID, to: OID },
      adapters: { sql: { from: OID, to: OID } },
      files: { added: ['a'], removed: ['b'], changed: ['c'] },
    },
  };
  const failed = { ...image, status: 'failed', error };
  const serve = { port: 8000, dir: '/models/x', modelBytes: 1 };
  const published = {
    schemaVersion: 1,
    models: [
      { ...model, images: [image, failed], serve, durationMs: 5 },
      { ...model, images: [], error },
    ],
  };
  const scanned = {
    schemaVersion: 1,
    scans: [
      {
        ...{ id: 'acme/x', short: 'x', variant: 'slim', digest: DIGEST, platform: 'linux/amd64' },
        references: [`ghcr.io/acme/hf-x@${DIGEST}`],
        base: { name: 'vllm', digest: DIGEST },
        summary: {
          ...{
            scanner: 'trivy 0.74',
            scannedAt: '2026-11-20T00:00:00Z',
            databaseDate: '2026-11-20T00:00:00Z',
          },
          vulnerabilities: { CRITICAL: 1, HIGH: 2, MEDIUM: 0, LOW: 0, UNKNOWN: 0 },
          ...{ fixable: 1, secrets: 0, misconfigurations: 0 },
        },
        findings: [
          { kind: 'vulnerability', id: 'CVE-1', severity: 'HIGH', title: '@me', subject: 'a', origin: 'own' },
        ],
        failing: 1,
      },
    ],
    failures: [{ short: 'x', variant: 'fat', error }],
  };
  const maxBytes = 100_000;
  parser(
    'summary files',
    fc.property(bentJson(published), bentJson(scanned), fc.boolean(), (one, two, isOverview) => {
      const page = orRefused(() => {
        const published = [parsePublishJson(one, 'a.json')];
        const scanned = [parseScanJson(two, 'b.json')];
        return jobSummary({ published, scanned }, { isOverview, maxBytes });
      });
      assertMarkdown(page ?? '', maxBytes);
    }),
  );
  const planned = {
    schemaVersion: 1,
    models: [
      {
        ...model,
        images: [{ registry: 'ghcr', variant: 'slim', tags: ['ghcr.io/acme/hf-x:v1'] }],
        files: [{ path: 'a', size: 1 }],
        fit: { status: 'warn', findings: [{ rule: 'x', message: 'm', evidence: 'e', remedy: 'r' }] },
      },
      { id: 'acme/y', short: 'y', images: [], files: [], error },
    ],
  };
  parser(
    'plans of pull requests',
    fc.property(bentJson(planned), bentJson(planned), (one, two) => {
      const plans = orRefused(() => [parsePlanJson(one, 'a.json'), parsePlanJson(two, 'b.json')] as const);
      if (plans !== undefined) assertMarkdown(planChange(...plans), 1 << 20);
    }),
  );
}

// The catalog: the one before, and a model’s card.
{
  const platform = {
    ...{ digest: DIGEST, platform: 'linux/amd64', labels: {}, config: {}, container: {}, layers: [] },
    model: { id: 'acme/x', revision: OID, variant: 'slim', dir: '/models/x' },
  } as unknown as PublishedImage;
  const found = {
    ...{ digest: DIGEST as `sha256:${string}`, platforms: [platform], files: undefined, referrers: [] },
    places: [{ registry: 'ghcr', repository: 'ghcr.io/acme/hf-x', tags: ['v1'] }],
  };
  const models = [{ id: 'acme/x', short: 'x', images: [found], problems: [] }];
  const before = {
    ...{ schemaVersion: 1, title: 'Models', generated: '2026-11-20T00:00:00Z' },
    models: [
      {
        ...{
          short: 'x',
          revision: OID,
          version: null,
          access: 'gated',
          revisionDate: '2026-11-20T00:00:00Z',
        },
        images: [{ digest: DIGEST, created: '2026-01-01T00:00:00Z', firstSeen: '2026-11-20T00:00:00Z' }],
        facts: {
          ...{ task: 'generate', parameters: 1, activeParameters: 1, precision: 'bf16', quantization: null },
          ...{
            contextLength: 8192,
            languages: ['en'],
            architecture: 'X',
            kvBytesPerToken: 1,
            weightBytes: 2,
          },
          gpus: [{ memoryGB: 24, count: 1, contextLength: 8192 }],
        },
        fit: { status: 'warn', findings: [{ rule: 'x', message: 'm', evidence: 'e' }] },
      },
    ],
  };
  parser(
    'catalogs of before',
    fc.property(bentJson(before), bytes => {
      const previous = readPreviousCatalog(parsedOrNothing(bytes));
      if (previous === undefined) return;
      const data = toCatalog(models, { title: 'Models', now: new Date(0), previous });
      const site = { data, docs: [], assets: [], url: undefined };
      for (const { path, content } of makeSite(site)) {
        if (!path.endsWith('.html')) continue;
        assertPlainLines(String(content));
        assert.doesNotMatch(String(content), /\bNaN\b|\bundefined\b|\[object|b<script>/);
      }
    }),
  );
  const card = bent(
    '---\nlicense: mit\n---\n# A\n\n[a](b.md) ![p](c.png) <a href="javascript:x">y</a> <img src=x onerror=y>\n',
    '| a | b |\n|--|--|\n| `c` | **d** |\n\n<svg><script>x</script></svg>\n\n<details><summary>s</summary>\n',
    '<a href="https://a@b/">x</a><table><td colspan="9" style="x">&#x202e;</td>\n[x]: data:text/html,y\n[x]\n',
  );
  parser(
    'cards as pages',
    fc.property(card, markdown => {
      const { html } = renderCard({ markdown, url: 'https://huggingface.co/acme/x', revision: OID });
      for (const [, tag = '', attributes = ''] of html.matchAll(/<([a-z0-9]+)((?: [a-z-]+="[^"]*")*)>/g)) {
        assert.doesNotMatch(tag, /^(?:script|style|img|iframe|svg|object|form|input|base|link|meta)$/);
        assert.doesNotMatch(attributes, / (?:on\w+|style|src|srcset|formaction)=/);
        const href = / href="([^"]*)"/.exec(attributes)?.[1];
        assert.ok(href === undefined || /^(?:https?:|#)/.test(href), href);
      }
      // Every `<` begins a tag as above, or the end of one.
      assert.doesNotMatch(html, /<(?!\/?[a-z0-9]+(?: [a-z-]+="[^"]*")*>)/);
    }),
  );
}

// Notes of runs, locks, and what `update` and `add` write into a file.
{
  const layer = {
    ...DESCRIPTOR,
    annotations: {
      'io.weighbridge.layer.key': '0a'.repeat(32),
      'io.weighbridge.files': JSON.stringify([['models/x/a', 100, 512, DIGEST, '0a'.repeat(32)]]),
    },
  };
  parser(
    'notes of runs',
    fc.property(bentJson(layer), bytes => {
      const read = readLine(bytes.toString('utf8'));
      if (read === undefined) return;
      assert.match(read.digest, /^sha256:[0-9a-f]{64}$/);
      for (const file of read.files) assert.ok(file.offset + file.sizeBytes <= read.sizeBytes);
    }),
  );
  const lock = `version: 2
models:
  x:
    id: acme/x
    ref: null
    revision: ${OID}
    base: {image: "a:b", digest: "${DIGEST}"}
    gated: false
    license: MIT
    declared: mit
    texts: {}
    lineage: {}
    fat: {build: true, rule: permissive}
`;
  parser(
    'texts of locks',
    fc.property(bent(lock, 'a: &a [*a]\n', '<<<<<<< ours\n', '? !!binary x\n: !x y\n'), text => {
      orRefused(() => parseLock(text, 'weighbridge.lock'));
    }),
  );
  const config = 'models:\n  - {id: acme/x, short: x}\n  - id: b/c\n    short: c\n    base_image: a:b\n';
  parser(
    'files that are changed',
    fc.property(bent(config, 'defaults: {base_image: a:b}\nmodels: &m []\n', 'models:\n- *m\n'), text => {
      const added = orRefused(() => appendModel(text, { id: 'd/e', short: 'e' }, 'models.yaml'));
      assert.ok(added === undefined || added.includes('d/e'));
      const moved = orRefused(() => moveBase(text, 'a:b', 'a:c'));
      assert.ok(moved === undefined || moved.length === text.length);
    }),
  );
}
