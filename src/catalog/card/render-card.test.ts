import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_CARD_CHARACTERS, renderCard } from './render-card.ts';

const url = 'https://hub.example/acme/x';
const revision = 'a'.repeat(40);
const htmlOf = (markdown: string): string => renderCard({ markdown, url, revision }).html;

test('Markdown becomes HTML: headings below those of the page, tables that scroll, no front matter', () => {
  const html = htmlOf('---\nlicense: mit\n---\n# Top\n\nSome *text*.\n\n| a | b |\n| - | - |\n| 1 | 2 |\n');
  assert.match(html, /^<h3 id="card-top">Top<\/h3>\n<p>Some <em>text<\/em>\.<\/p>/);
  assert.match(html, /<div class="scroll"[^>]*><table>.*<td>2<\/td>.*<\/table><\/div>/s);
  assert.doesNotMatch(html, /license/);
});

const HOSTILE = [
  '<script>alert(1)</script>',
  '<SCRIPT\n>alert(1)</SCRIPT >',
  '<img src=x onerror=alert(1) alt=x>',
  '<svg><script>alert(1)</script></svg>',
  '<svg/onload=alert(1)>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
  '<a href="javascript:alert(1)">x</a>',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert(1))',
  '[x](&#106;avascript:alert(1))',
  '[x](data:text/html,<script>alert(1)</script>)',
  '<a href="java\tscript:alert(1)">x</a>',
  '<p style="position:fixed;inset:0" onclick="alert(1)" class="top" id="main">x</p>',
  '<style>body{display:none}</style>',
  '<link rel=stylesheet href=//evil.example/x.css><base href="//evil.example/"><meta http-equiv=refresh content="0;url=//evil.example">',
  '<form action="//evil.example"><input name=password><button>Log in</button></form>',
  '<textarea></textarea><script>alert(1)</script>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<template><script>alert(1)</script></template>',
  '<details open ontoggle=alert(1)><summary>x</summary></details>',
  '</div></div></main><script>alert(1)</script>',
  '<!-- --!><script>alert(1)</script> -->',
  '<plaintext>x',
  '"onmouseover="alert(1)',
  '![x" onerror="alert(1)](x)',
  '[a](https://good.example@evil.example/)',
];

for (const hostile of HOSTILE) {
  test(`nothing runs, loads or lays out: ${hostile.slice(0, 60)}`, () => {
    const html = htmlOf(`Before\n\n${hostile}\n\nAfter`);
    const tags = [...html.matchAll(/<[^>]*>/g)].map(([tag]) => tag);
    const isOurs = (tag: string): boolean =>
      /^<\/?(p|a|h[3-6]|details|summary|span|div|table|em|pre|code|br)>$/.test(tag) ||
      /^<a href="https:\/\/[^"]*" rel="external nofollow noopener noreferrer ugc">$/.test(tag) ||
      ['<span class="picture">', '<pre tabindex="0">'].includes(tag) ||
      /^<div class="scroll"/.test(tag);
    assert.deepEqual(
      tags.filter(tag => !isOurs(tag)),
      [],
      html,
    );
    assert.doesNotMatch(html, /href="[^"]*evil\.example|javascript:/i);
    assert.equal(html.split('<div').length, html.split('</div>').length);
    assert.match(html, /Before/);
  });
}

test('relative links and pictures lead to the revision on the Hub, anchors to the card itself', () => {
  const html = htmlOf(
    '# The Usage\n\n[license](LICENSE) [up](../../../etc/passwd) [here](#the-usage) [gone](#nowhere) ![a chart](figures/a.png) ![](badge.svg)',
  );
  assert.match(html, new RegExp(`<a href="${url}/blob/${revision}/LICENSE" rel="external[^"]*">license</a>`));
  assert.match(html, /<a href="#card-the-usage">here<\/a> <a>gone<\/a>/);
  assert.match(
    html,
    new RegExp(
      `<a href="${url}/resolve/${revision}/figures/a.png"[^>]*><span class="picture">Picture: a chart</span></a>`,
    ),
  );
  assert.doesNotMatch(html, /<img|badge/);
});

test('the order of text cannot be turned round', () => {
  assert.doesNotMatch(htmlOf('a\u202eb\u2066c'), /[\u202a-\u202e\u2066-\u2069]/);
});

test('a paragraph of marks alone is shown as it is written, and a line of a picture in base64 is cut', () => {
  assert.equal(htmlOf('_a'.repeat(4000)), `<p>${'_a'.repeat(4000)}</p>\n`);
  const html = htmlOf(`Before\n\n![chart](data:image/png;base64,${'A'.repeat(100_000)})\n\nAfter`);
  assert.ok(html.length < 10_000 && html.includes('<p>After</p>'));
});

test('a huge card is cut at a line', () => {
  const { html, isCut } = renderCard({ markdown: 'A line of a card.\n\n'.repeat(40_000), url, revision });
  assert.ok(isCut);
  assert.ok(html.length < 2 * MAX_CARD_CHARACTERS);
  assert.match(html, /A line of a card\.<\/p>\n$/);
});

const ENDLESS = [
  '> ',
  '- ',
  '[',
  '![',
  '*',
  '<div>',
  '<b>',
  '`',
  '~~',
  '|',
  '<details>',
  '_a',
  '\\',
  '<a href="',
];
for (const piece of ENDLESS) {
  test(`${JSON.stringify(piece)} over and over comes to an end, with all tags closed`, () => {
    const html = htmlOf(`${piece.repeat(Math.floor(4000 / piece.length))}\n`.repeat(5));
    for (const name of ['blockquote', 'ul', 'li', 'b', 'em', 'strong', 'del', 'table', 'details', 'code'])
      assert.equal(html.split(`<${name}>`).length, html.split(`</${name}>`).length, name);
  });
}
