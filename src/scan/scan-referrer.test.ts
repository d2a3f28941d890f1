import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../core/digest.ts';
import { newestScan, readScanAnnotations, type ScanSummary, scanAnnotations } from './scan-referrer.ts';

const SCAN: ScanSummary = {
  scanner: 'trivy 0.74.0',
  databaseDate: '2026-11-24T06:00:00Z',
  scannedAt: '2026-11-25T01:02:03.000Z',
  baseDigest: digestOf('base'),
  vulnerabilities: { CRITICAL: 1, HIGH: 2, MEDIUM: 3, LOW: 4, UNKNOWN: 0 },
  fixable: 5,
  secrets: 0,
  misconfigurations: 1,
};

test('a scan is read back from the annotations it was written to', () => {
  assert.deepEqual(readScanAnnotations(scanAnnotations(SCAN)), SCAN);
  const bare = { ...SCAN, databaseDate: null, baseDigest: null };
  assert.deepEqual(readScanAnnotations(scanAnnotations(bare)), bare);
});

test('annotations of something else, or with a count that is none, are no scan', () => {
  assert.equal(readScanAnnotations(undefined), undefined);
  assert.equal(readScanAnnotations({ 'org.opencontainers.image.created': SCAN.scannedAt }), undefined);
  const broken = { ...scanAnnotations(SCAN), 'io.weighbridge.scan.secrets': 'many' };
  assert.equal(readScanAnnotations(broken), undefined);
});

test('the newest scan counts', () => {
  const older = { ...SCAN, scannedAt: '2026-11-01T00:00:00Z', fixable: 0 };
  const referrers = [older, SCAN].map(scan => ({ annotations: scanAnnotations(scan) }));
  assert.equal(newestScan([...referrers, { annotations: {} }])?.summary.fixable, 5);
  assert.equal(newestScan([]), undefined);
});
