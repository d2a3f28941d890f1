import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ownValue, table } from './table.ts';

/** What every object has without being given it. */
const INHERITED = [...Object.getOwnPropertyNames(Object.prototype), '__proto__'];

test('a table has what it was given, and nothing that every object has', () => {
  const sizes = table({ F32: 4, F16: 2 });
  assert.equal(sizes.F32, 4);
  for (const name of INHERITED) assert.equal(sizes[name], undefined, name);
});

test('own values alone', () => {
  const record = { a: 1 };
  assert.equal(ownValue(record, 'a'), 1);
  assert.equal(ownValue(undefined, 'a'), undefined);
  for (const name of INHERITED) assert.equal(ownValue(record, name), undefined, name);
});

test('every constant that is looked up by a text is a table', () => {
  const src = path.join(import.meta.dirname, '..');
  const plain = /const \w+: Readonly<Record<string,[^=]*> = \{/s;
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
    name => name.endsWith('.ts') && !/\.(test|fixtures|contract)\.ts$|^testkit/.test(name),
  );
  assert.ok(files.length > 500);
  const found = files.filter(name => plain.test(readFileSync(path.join(src, name), 'utf8')));
  assert.deepEqual(found, []);
});
