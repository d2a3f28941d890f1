import assert from 'node:assert/strict';
import { test } from 'node:test';
import picomatch from 'picomatch';
import { matched } from './glob.ts';

function globs(...all: string[]) {
  return all.map(glob => ({ glob, isMatch: picomatch(glob) }));
}

test('what one of the globs matches is found', () => {
  const texts = ['a.json', 'b/model-00001-of-00002.safetensors', 'b/a.json', 'c.bin'];
  const found = matched(globs('*.json', '**/*-of-*.{bin,safetensors}'), texts);
  assert.deepEqual([...found], ['a.json', 'b/model-00001-of-00002.safetensors']);
  assert.deepEqual([...matched([], texts)], []);
});

test('25,000 names of a usual form are no reason to stop', () => {
  const texts = Array.from({ length: 25_000 }, (_, index) => `all/model-${index}-of-25000.safetensors`);
  assert.equal(matched(globs('**/*-of-*.{bin,safetensors}'), texts).size, 25_000);
});

// Each would take longer than anyone waits, and not hear Ctrl-C meanwhile.
for (const [glob, name] of [
  [`${'*a'.repeat(12)}b`, 'a'.repeat(255)],
  [`${'{a,a}'.repeat(40)}b`, 'a'.repeat(255)],
  [`${'**/a/'.repeat(8)}b`, 'a/'.repeat(2_000)],
] as const) {
  test(`${glob.slice(0, 20)} is stopped, and the error names it and the name it met`, () => {
    assert.throws(() => matched(globs('*.json', glob), ['c.bin', name, 'd.bin']), {
      code: 'CONFIG_INVALID',
      subject: glob,
      message: new RegExp(`takes too long for the name "${name.slice(0, 40)}`),
      remedy: /^Use fewer/,
    });
  });
}

test('what a glob itself throws is thrown', () => {
  const fault = new RangeError('odd');
  const odd = {
    glob: '*',
    isMatch() {
      throw fault;
    },
  };
  assert.throws(() => matched([odd], ['a']), fault);
});
