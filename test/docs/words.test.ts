import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commentsOf, messagesOf } from '../../scripts/source.ts';
import { findWordings, proseOf } from '../../scripts/words.ts';

const places = (text: string): string[] => findWordings(text).map(({ line, found }) => `${line}: ${found}`);

test('a wording to avoid is found with its line', () => {
  const text = 'A page.\n\nNobody has said\nwhat this licence is; two plans are held against each other.\n';
  assert.deepEqual(places(text), ['3: Nobody', '4: held against', '4: licence'].sort());
});

test('British spellings are found', () => {
  const text =
    'Colours of neighbours\nare normalised: labelled, recognised. American colors are not organisms.\n';
  assert.deepEqual(places(text), [
    '1: Colour',
    '1: neighbour',
    '2: normalise',
    '2: labelled',
    '2: recognise',
  ]);
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

const SOURCE = [
  "import { nobody } from './of ours.ts';",
  '/** Gives the file, or undefined where none is there. `nobody` is code. */',
  'const url = /nobody is here/; // it runs by itself',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a source
  "throw new Error(`${url} is no image, ${why('of ours')} and nobody",
  'knows`, { remedy: "Ask whoever made it." });',
  "const nobody = 'nobody';",
].join('\n');

test('a comment before a part of a union is read', () => {
  const source = "type Answer =\n  /** Nobody knows. */\n  | 'yes'\n  // by itself\n  | 'no';";
  assert.deepEqual(places(commentsOf(source)), ['2: Nobody', '4: by itself']);
});

test('comments of a source are read, without code in them and around them', () => {
  assert.deepEqual(places(commentsOf(SOURCE)), [
    '2: Gives ',
    '2: undefined where',
    '2: where none',
    '3: by itself',
  ]);
});

test('of a source its texts of several words are read, parts of templates too', () => {
  assert.deepEqual(places(messagesOf(SOURCE)), ['4: is no image', '4: nobody', '4: of ours', '5: whoever']);
});
