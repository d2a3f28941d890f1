import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { otherReading } from './one-reading.ts';

for (const [text, why] of [
  ['{"layers":[],"config":{}}', undefined],
  ['{"layers":[],"layers":[]}', 'the same name twice in one object'],
  ['{"layers":[],"\\u006cayers":[]}', 'the same name twice in one object'],
  ['{"a":{"b":[{"c":1 , "c" : 2}]}}', 'the same name twice in one object'],
  ['{"layers":[],"Layers":[]}', '"Layers" in two spellings'],
  ['{"layer\u017f":[],"layers":[]}', '"layers" in two spellings'],
  ['{"layers":[{"digest":"a","\u212aey":1,"key":2}]}', '"key" in two spellings'],
  ['{"config":{"Env":[],"env":[]}}', '"env" in two spellings'],
  ['{"annotations":{"A":"1","a":"2"},"config":{"Labels":{"A":"1","a":"2"}}}', undefined],
  ['{"a":"\\"b\\":\\\\","c":"d\\\\"}', undefined],
] as const) {
  test(`${text} is read in ${why === undefined ? 'one way' : `two ways: ${why}`}`, () => {
    assert.equal(otherReading(text, JSON.parse(text)), why);
  });
}

test('whatever JSON has each name once is read in one way, however it is written', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom('', ' ', '\n\t'), (value, space) => {
      const object = { $: value };
      assert.equal(
        otherReading(JSON.stringify(object, null, space), JSON.parse(JSON.stringify(object))),
        undefined,
      );
    }),
  );
});

test('a document that is nested deeper than calls can be is read', () => {
  const text = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  assert.equal(otherReading(text, JSON.parse(text)), undefined);
});
