import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentText, html, type Markup, trusted } from './html.ts';

const hostile = '"><script>alert(1)</script>&';

test('values are escaped between tags and in attributes', () => {
  assert.equal(
    documentText(html`<p title=${hostile}>${hostile}</p>`),
    '<!doctype html>\n<p title="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;">&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;</p>\n',
  );
});

test('an attribute is left out, stands alone or has its value', () => {
  const tag = (value: Markup): string => documentText(html`<a hidden=${value}></a>`).slice(16, -1);
  assert.equal(tag(undefined), '<a></a>');
  assert.equal(tag(false), '<a></a>');
  assert.equal(tag(true), '<a hidden></a>');
  assert.equal(tag(0), '<a hidden="0"></a>');
});

test('lists, nothing and trusted markup; whitespace with a line break is dropped', () => {
  const items = ['a', 'b'].map(name => html`<li>${name}</li>`);
  const text = documentText(html`
    <ul>
      ${items} ${null}
      ${trusted('<hr>')} and
    </ul>
  `);
  assert.equal(text, '<!doctype html>\n<ul><li>a</li><li>b</li> <hr> and</ul>\n');
});

test('a value in a place where it cannot be escaped is a defect', () => {
  assert.throws(() => html`<${'p'}>`, TypeError);
  assert.throws(() => html`<a href="${'x'}">`, TypeError);
});
