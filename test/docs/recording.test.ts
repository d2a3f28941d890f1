import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStyledLine } from '../../scripts/recording/styled-line.ts';
import { recordingSvg } from '../../scripts/recording/svg.ts';

test('a line of tmux becomes spans, and its style goes on in the next line', () => {
  const first = parseStyledLine('\x1b[1m\x1b[32m$\x1b[0m plan \x1b[33;2mno');
  assert.deepEqual(
    first.spans.map(({ text, color, isBold, isDim }) => [text, color, isBold, isDim]),
    [
      ['$', 2, true, false],
      [' plan ', undefined, false, false],
      ['no', 3, false, true],
    ],
  );
  const [next] = parseStyledLine('more\x1b[39m', first.style).spans;
  assert.deepEqual(next, { text: 'more', color: 3, isBold: false, isDim: true });
});

test('the picture draws a line once for all screens, keeps columns, and escapes what it shows', () => {
  const screens = [
    { text: '$ a <b>', atMs: 0 },
    { text: '$ a <b>\n\n  \x1b[31mc\x1b[0m', atMs: 1000 },
  ];
  const svg = recordingSvg(screens, { columns: 20, rows: 4, title: 'a & b' });
  assert.equal(svg.match(/<text id=/g)?.length, 2);
  assert.equal(svg.match(/href="#l1"/g)?.length, 2);
  assert.match(svg, /<tspan x="16\.9" textLength="8\.4" class="c1">c<\/tspan>/);
  assert.match(svg, /\$ a &#60;b&#62;/);
  assert.match(svg, /aria-label="a &#38; b"/);
  assert.match(svg, /@keyframes k0\{0\.00%\{visibility:visible\}14\.29%\{visibility:hidden\}/);
});
