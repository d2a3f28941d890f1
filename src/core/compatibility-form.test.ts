import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compatibilityForm } from './compatibility-form.ts';

test('what looks alike becomes the same letters', () => {
  assert.equal(compatibilityForm('Ｌｉｃｅｎｓｅ ﬁ'), 'License fi');
  assert.equal(compatibilityForm('e\u0301'), '\u00e9');
  assert.equal(compatibilityForm('\u00e9', 'NFKD'), 'e\u0301');
});

test('of marks without an end, as many stay as a letter can have', () => {
  for (const marks of ['\u0301', '\u0f71\u0f72', '\uff9e\u0301', '\u0301\uff9f', '\u{16ff0}\u0345']) {
    const text = compatibilityForm(`a${marks.repeat(1 << 16)}b`);
    assert.ok(text.length < 100, `${JSON.stringify(marks)}: ${text.length}`);
    assert.ok(text.startsWith('a') || text.startsWith('á'), JSON.stringify(text));
    assert.ok(text.endsWith('b'));
  }
});
