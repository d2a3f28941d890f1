import assert from 'node:assert/strict';
import { test } from 'node:test';
import { licenseParts, loadSpdxText, loadSpdxTexts } from './spdx-texts.ts';

const WHITELIST = ['apache-2.0', 'mit', 'bsd-2-clause', 'bsd-3-clause', 'isc', 'cc0-1.0', 'unlicense'];

for (const id of WHITELIST) {
  test(`${id} has its full text`, async () => {
    const text = (await loadSpdxText(id)) ?? '';
    assert.ok(text.length > 500, `${text.length} characters`);
    assert.match(text, /[^\n]\n$/);
  });
}

test('what is not on the list has no text and is never made part of a path', async () => {
  for (const id of ['', 'LicenseRef-x', '../package', '../licenses/MIT', 'MIT/', 'constructor']) {
    assert.equal(await loadSpdxText(id), undefined, id);
  }
});

test('texts are loaded once and this project’s own is always among them', async () => {
  const texts = await loadSpdxTexts(['MIT', 'MIT', 'LicenseRef-x']);
  assert.match(texts('MIT') ?? '', /^MIT License\n/);
  assert.match(texts('CC0-1.0') ?? '', /^Creative Commons Legal Code\n/);
  assert.equal(texts('LicenseRef-x'), undefined);
  assert.equal(texts('ISC'), undefined);
});

test('the licenses of an expression, each once', () => {
  assert.deepEqual(licenseParts(null), []);
  assert.deepEqual(licenseParts('MIT AND (GPL-2.0+ OR MIT) AND Apache-2.0 WITH LLVM-exception'), [
    { id: 'MIT', exception: undefined },
    { id: 'GPL-2.0', exception: undefined },
    { id: 'Apache-2.0', exception: 'LLVM-exception' },
  ]);
});
