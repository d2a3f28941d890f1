import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findWordings, helpTextsOf, proseOf } from '../../scripts/words.ts';

const places = (text: string): string[] => findWordings(text).map(({ line, found }) => `${line}: ${found}`);

test('a wording to avoid is found with its line', () => {
  const text = 'A page.\n\nNobody has said\nwhat this licence is; two plans are held against each other.\n';
  assert.deepEqual(places(text), ['3: Nobody', '4: held against', '4: licence'].sort());
});

test('plain words are let through', () => {
  const text =
    'There is no image. It is no longer there. Weights are redistributed if the license allows it.';
  assert.deepEqual(places(text), []);
});

test('code and the targets of links are not prose', () => {
  const page = 'See `nobody`, [more](x.md#what-it-hands-on).\n```bash\nnobody\n```\nWhoever reads this.\n';
  assert.deepEqual(places(proseOf(page)), ['5: Whoever']);
});

test('of a source only what --help shows is read', () => {
  const source = [
    '/** Nobody reads a comment. */',
    "program.command('x').description('it runs by itself')",
    "  .option('--y <z>', `can be given",
    "more than once, (of ours)`, 'z')",
    "const nobody = 'nobody';",
    'const HELP = `Whoever asks`;',
  ].join('\n');
  assert.deepEqual(places(helpTextsOf(source)), ['2: by itself', '4: of ours', '6: Whoever']);
});
