import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBootstrap } from './bootstrap-files.ts';

test('the bootstrap is the program and then its modules, by name, and no tests', () => {
  const files = readBootstrap();
  const [program, ...modules] = files;
  assert.deepEqual([program?.path, program?.isExecutable], ['bootstrap', true]);
  assert.match(program?.text ?? '', /^#!\/usr\/bin\/env python3\n/);
  const paths = modules.map(({ path }) => path);
  assert.ok(paths.includes('weighbridge_bootstrap/__init__.py'));
  assert.deepEqual(paths, [...paths].sort());
  assert.ok(modules.every(({ path, isExecutable }) => /\.(py|json)$/.test(path) && !isExecutable));
  assert.ok(files.every(({ path, text }) => !/test/.test(path) && !/\bunittest\b/.test(text)));
});

test('every module that the bootstrap imports of its own is there', () => {
  const files = readBootstrap();
  const names = files.flatMap(({ text }) =>
    [...text.matchAll(/^from (?:weighbridge_bootstrap)?\.(\w+) import /gm)].map(([, name]) => name),
  );
  assert.ok(names.includes('console'));
  const there = files.map(({ path }) => path);
  assert.deepEqual(
    names.filter(name => !there.includes(`weighbridge_bootstrap/${name}.py`)),
    [],
  );
});
