import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsedJson, parseJson } from './json-shape.ts';

test('JSON that is nested without end is refused before anything walks through it', () => {
  const deep = (levels: number): string => '[{"a":'.repeat(levels / 2) + '}]'.repeat(levels / 2);
  assert.throws(() => parseJson(deep(50_000)), SyntaxError);
  assert.equal(parsedJson(`{"a":${'['.repeat(201)}`), undefined);
  assert.deepEqual(
    parsedJson(`${'['.repeat(100)}1${']'.repeat(100)}`),
    JSON.parse(`${'['.repeat(100)}1${']'.repeat(100)}`),
  );
});

test('brackets in texts are no levels, and a quote in a text does not end it', () => {
  const text = JSON.stringify({ a: `"\\${'['.repeat(5000)}`, b: '\\', c: ['{'.repeat(5000)] });
  assert.deepEqual(parseJson(text), JSON.parse(text));
});
