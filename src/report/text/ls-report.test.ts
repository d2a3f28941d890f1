import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lsReport } from './ls-report.ts';

test('an image at several registries has a line for each, in full', () => {
  const place = (registry: string, ...tags: string[]) => ({ repository: `${registry}/acme/hf-x`, tags });
  const text = lsReport(
    {
      schemaVersion: 1,
      models: [
        {
          id: 'acme/x',
          short: 'x',
          images: [
            {
              digest: `sha256:${'a'.repeat(64)}`,
              variant: 'fat',
              version: 'v0.6.0',
              revision: '0123456789'.repeat(4),
              platforms: ['linux/amd64'],
              sizeBytes: 1024,
              isSigned: true,
              isScanned: false,
              places: [place('ghcr.io', 'v0.6.0-fat', 'r0-fat'), place('docker.io', 'v0.6.0-fat')],
            },
          ],
          problems: [],
        },
      ],
    },
    { columns: 100, isColor: false },
  );
  assert.deepEqual(text.split('\n'), [
    'MODEL  VARIANT  VERSION  REVISION  SIZE     SIGNED  SCANNED  WHERE',
    'x      fat      v0.6.0   01234567  1.0 KiB  yes     no       ghcr.io/acme/hf-x (2 tags)',
    '                                                             docker.io/acme/hf-x (1 tag)',
  ]);
});

test('a registry that could not be read is not said to hold nothing', () => {
  const report = (...problems: string[]) =>
    lsReport(
      { schemaVersion: 1, models: [{ id: 'acme/x', short: 'x', images: [], problems }] },
      { columns: 100, isColor: false },
    );
  assert.equal(report('ghcr.io answered 503'), 'ghcr.io answered 503');
  assert.equal(report(), 'Nothing is published.');
});
