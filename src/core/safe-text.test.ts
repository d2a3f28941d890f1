import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WeighbridgeError } from './errors.ts';
import { plainLine, plainLines, visible } from './safe-text.ts';

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

test('commands to a CI runner are none any more, in one line and in several', () => {
  assert.equal(plainLine('::error::x ##[group] a::b'), ': :error::x ## [group] a::b');
  assert.equal(plainLines('x\n::add-mask::y\n\u001b[2J\u202e'), 'x\n: :add-mask::y\n\uFFFD[2J\uFFFD');
  assert.equal(visible('a\tb\u0000\u2028\ud800c').length, 'a\tb\u0000\u2028\ud800c'.length);
});

test('the texts of an error are safe to show', () => {
  const foreign = '\u001b[2J##[error]\u2066';
  const error = new WeighbridgeError(foreign, { code: 'NETWORK', subject: foreign, remedy: foreign });
  for (const text of [error.message, String(error), error.subject, error.remedy])
    assert.doesNotMatch(text ?? '', /[\p{Cc}\p{Bidi_Control}]|##\[/u);
});
