import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../../../core/errors.ts';
import { parseVolume } from './run-volume.ts';

test('a folder becomes absolute, a bare word stays the name of a volume', () => {
  const work = '/home/me';
  assert.deepEqual(parseVolume('./models', work), { source: '/home/me/models', isFolder: true });
  assert.deepEqual(parseVolume('../x/', work), { source: '/home/x', isFolder: true });
  assert.deepEqual(parseVolume('.', work), { source: '/home/me', isFolder: true });
  assert.deepEqual(parseVolume('/data:ro,Z', work), { source: '/data', isFolder: true, options: 'ro,Z' });
  assert.deepEqual(parseVolume('models', work), { source: 'models', isFolder: false });
  for (const wrong of ['', ':Z', 'a b', '-x', '/data:/models', './a:/b:ro', 'x:', './a:Z:Z']) {
    assert.throws(() => parseVolume(wrong, work), ConfigError, wrong);
  }
});
