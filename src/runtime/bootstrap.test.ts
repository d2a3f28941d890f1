import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const FOLDER = path.join(import.meta.dirname, 'tests');
const modules = readdirSync(FOLDER).filter(name => /^test_.*\.py$/.test(name));

test('the slim bootstrap has tests', () => {
  assert.notEqual(modules.length, 0);
});

for (const name of modules) {
  test(`the slim bootstrap passes ${name}`, () => {
    const run = spawnSync('python3', ['-B', '-m', 'unittest', path.parse(name).name], {
      cwd: FOLDER,
      encoding: 'utf8',
    });
    assert.equal(run.error, undefined);
    assert.match(run.stderr, /Ran [1-9]\d* tests?/);
    assert.equal(run.status, 0, run.stderr);
  });
}
