import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { plainLine } from './text.ts';

test('plainLine gives one visible line, whatever it is given', () => {
  assert.equal(plainLine('  a\r\n\u202e b\u0000c\u2028d '), 'a b c d');
  assert.equal(plainLine('abcdef', 4), 'abc…');
  assert.equal(plainLine('😀😀', 2), '😀😀');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 50 }), (text, maxLength) => {
      const line = plainLine(text, maxLength);
      assert.ok([...line].length <= maxLength);
      assert.doesNotMatch(line, /[\p{C}\p{Zl}\p{Zp}\n\r]/u);
    }),
  );
});
