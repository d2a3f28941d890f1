import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clean, cut, fitted, formatDuration, paragraph, shortened, widthOf } from './text-layout.ts';

test('what is shortened keeps its two ends', () => {
  assert.equal(shortened('model-00001-of-00163.safetensors', 15), 'model-0…tensors');
  assert.equal(shortened('short', 15), 'short');
});

test('no text is wider than it may be, whatever it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: 60 }), (text, width) => {
      const line = clean(text);
      assert.ok(widthOf(cut(line, width)) <= width);
      assert.ok(widthOf(shortened(line, width)) <= width);
      if (width > 0) assert.equal(widthOf(fitted(line, width)), width);
    }),
  );
});

test('clean text has no control character and commands no CI runner', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(80), (text, columns) => {
      const lines = paragraph(clean(`::a ${text} ##[b`), { columns, indent: 2 });
      for (const line of lines) assert.doesNotMatch(line, /[\p{Cc}]|^\s*::|##\[/u);
    }),
  );
});

test('a paragraph hangs under its label', () => {
  assert.deepEqual(paragraph('one two three', { columns: 12, indent: 2, label: '- ' }), [
    '  - one two',
    '    three',
  ]);
});

for (const [durationMs, text] of [
  [0, '0s'],
  [999, '0s'],
  [59_999, '59s'],
  [72_000, '1m12s'],
  [7_500_000, '2h05m'],
] as const) {
  test(`${durationMs} ms is ${text}`, () => {
    assert.equal(formatDuration(durationMs), text);
  });
}
