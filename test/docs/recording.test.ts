import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
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
  const svg = recordingSvg(screens, { columns: 20, rows: 4, title: 'a & b', poster: 1 });
  assert.equal(svg.match(/<text id=/g)?.length, 2);
  assert.equal(svg.match(/href="#l1"/g)?.length, 2);
  assert.match(svg, /<tspan x="16\.9" textLength="8\.4" class="c1">c<\/tspan>/);
  assert.match(svg, /\$ a &#60;b&#62;/);
  assert.match(svg, /aria-label="a &#38; b"/);
});

test('the first frame, and the picture without animation, show the poster', () => {
  const screens = ['$', '$ a', 'done', '$'].map((text, index) => ({ text, atMs: 1000 * index }));
  const svg = recordingSvg(screens, { columns: 20, rows: 4, title: 't', poster: 2 });
  const rules = [...svg.matchAll(/@keyframes k\d\{(.*)\}\.s\d/g)].map(([, frames]) =>
    frames?.replaceAll(/\{visibility:(\w+)\}/g, ' $1 ').trim(),
  );
  assert.deepEqual(rules, [
    '0.00% hidden 22.22% visible 33.33% hidden 100.00% hidden',
    '0.00% hidden 33.33% visible 44.44% hidden 100.00% hidden',
    '0.00% visible 22.22% hidden 44.44% visible 55.56% hidden 100.00% hidden',
    '0.00% hidden 55.56% visible 100.00% visible',
  ]);
  assert.match(svg, /\.s2\{visibility:visible\}/);
});

test('the recording in README begins with what was published, not with an empty terminal', async () => {
  const svg = await readFile(new URL('../../docs/recording.svg', import.meta.url), 'utf8');
  const first = /@keyframes k(\d+)\{0\.00%\{visibility:visible\}/.exec(svg)?.[1];
  assert.equal(/\.s(\d+)\{visibility:visible\}/.exec(svg)?.[1], first);
  const lines = new Map(
    [...svg.matchAll(/<text id="(l\d+)">(.*)<\/text>/g)].map(([, id, text]) => [id, text]),
  );
  const [, uses = ''] = new RegExp(`<g class="s s${first}">(.*)</g>`).exec(svg) ?? [];
  const shown = [...uses.matchAll(/#(l\d+)/g)].map(([, id]) => lines.get(id)?.replaceAll(/<[^>]+>/g, ''));
  assert.ok(shown.length > 10 && shown.some(text => /\d+ published/.test(text ?? '')), shown.join('\n'));
});
