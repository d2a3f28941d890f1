import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsIn, mergeReports, type TrivyReport } from './trivy-report.ts';

const common = { SchemaVersion: 2, ArtifactType: 'container_image' };
const BASE: TrivyReport = {
  ...common,
  ArtifactName: '127.0.0.1:1/view',
  Metadata: { OS: { Family: 'debian', Name: '12' } },
  Results: [
    {
      Target: '127.0.0.1:1/view (debian 12)',
      Vulnerabilities: [
        { VulnerabilityID: 'CVE-2', PkgName: 'b', Severity: 'LOW', InstalledVersion: '1' },
        { VulnerabilityID: 'CVE-1', PkgName: 'a', Severity: 'CRITICAL', FixedVersion: '2', Title: 'hole' },
      ],
    },
  ],
};
const OWN: TrivyReport = {
  ...common,
  ArtifactName: '127.0.0.1:2/view',
  Results: [
    { Target: '/models/x/a.py', Secrets: [{ RuleID: 'key', Severity: 'HIGH', Title: 'a key' }] },
    {
      Target: '127.0.0.1:2/view',
      Misconfigurations: [
        { ID: 'DS-1', Severity: 'MEDIUM', Status: 'FAIL' },
        { ID: 'DS-2', Severity: 'HIGH', Status: 'PASS' },
      ],
    },
    { Target: 'empty', Vulnerabilities: null },
  ],
};

test('one report out of two: every result once, under names that people know', () => {
  const merged = mergeReports(OWN, { report: BASE, name: 'vllm:v1' }, 'ghcr.io/acme/hf-x@sha256:0');
  assert.equal(merged.ArtifactName, 'ghcr.io/acme/hf-x@sha256:0');
  assert.deepEqual(
    merged.Results?.map(result => result.Target),
    ['vllm:v1 (debian 12)', '/models/x/a.py', 'ghcr.io/acme/hf-x@sha256:0', 'empty'],
  );
  assert.deepEqual(merged.Metadata?.OS, { Family: 'debian', Name: '12' });
});

test('findings come the worst first, with where they are from; checks that passed are none', () => {
  const findings = findingsIn(mergeReports(OWN, { report: BASE, name: 'vllm:v1' }, 'x'));
  assert.deepEqual(
    findings.map(({ id, severity, origin, kind }) => [id, severity, origin, kind]),
    [
      ['CVE-1', 'CRITICAL', 'base', 'vulnerability'],
      ['key', 'HIGH', 'own', 'secret'],
      ['DS-1', 'MEDIUM', 'own', 'misconfiguration'],
      ['CVE-2', 'LOW', 'base', 'vulnerability'],
    ],
  );
  assert.equal(findings[0]?.fixedVersion, '2');
  assert.equal('fixedVersion' in (findings[3] ?? {}), false);
});

test('an image without a base report is its own findings', () => {
  assert.equal(findingsIn(mergeReports(OWN, undefined, 'x')).length, 2);
  assert.deepEqual(findingsIn({ ...OWN, Results: null }), []);
});
