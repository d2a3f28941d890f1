import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

test('the slim bootstrap passes its own tests', () => {
  const run = spawnSync('python3', ['-B', '-m', 'unittest', 'test_bootstrap'], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  assert.equal(run.error, undefined);
  assert.match(run.stderr, /Ran [1-9]\d* tests/);
  assert.equal(run.status, 0, run.stderr);
});
