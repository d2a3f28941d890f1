import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mdCode, mdLink, mdTable, mdText } from './markdown.ts';

test('foreign words stay words: no markup, no table cell, no mention, one line', () => {
  assert.equal(
    mdText('a|b <img src=x> *c* `d` [e](f) @org\n# g'),
    'a\\|b \\<img src=x\\> \\*c\\* \\`d\\` \\[e\\](f) &#64;org \\# g',
  );
  assert.equal(mdText('AT&amp;T'), 'AT&amp;amp;T');
});

test('code keeps what it holds, ticks and bars included', () => {
  assert.equal(mdCode('a'), '`a`');
  assert.equal(mdCode('a`b'), '``a`b``');
  assert.equal(mdCode('`a`'), '`` `a` ``');
  assert.equal(mdCode('a|b'), '`a\\|b`');
});

test('a link cannot be broken out of', () => {
  assert.equal(mdLink('x', 'https://h/a) [b](c'), '[x](https://h/a%29%20%5Bb%5D%28c)');
  assert.equal(mdLink('x', 'https://h/@me/\ud800'), '[x](https://h/%40me/%EF%BF%BD)');
});

test('a table has its head and one line a row', () => {
  const table = mdTable([{ title: 'A' }, { title: 'B', isNumber: true }], [['x', '1']]);
  assert.equal(table, '| A | B |\n| --- | --: |\n| x | 1 |');
});
