import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../load-config.ts';
import { appendModel } from './append-model.ts';

const NEW = { id: 'acme/new', short: 'new' };
const ENTRY = '- id: "acme/new"\n    short: "new"\n';

const CASES: Readonly<Record<string, readonly [before: string, after: string]>> = {
  'after the last model, at the indentation of the others': [
    'models:\n- id: a/b # why\n  short: b\n',
    'models:\n- id: a/b # why\n  short: b\n- id: "acme/new"\n  short: "new"\n',
  ],
  'before what follows the list, comments kept': [
    '# top\nmodels: # the list\n  - id: a/b\n    short: b # last\n\n# about scans\nscan: {}\n',
    `# top\nmodels: # the list\n  - id: a/b\n    short: b # last\n  ${ENTRY}\n# about scans\nscan: {}\n`,
  ],
  'after a model that ends in a block of its own': [
    'models:\n  - id: a/b\n    short: b\n    serve_args:\n      - --port\n      - "9000"\n',
    `models:\n  - id: a/b\n    short: b\n    serve_args:\n      - --port\n      - "9000"\n  ${ENTRY}`,
  ],
  'into an empty list': ['models: [] # none yet\nscan: {}\n', `models: # none yet\n  ${ENTRY}scan: {}\n`],
  'into a list of nothing': ['models:\n', `models:\n  ${ENTRY}`],
  'into a file without a list': ['defaults: {}', `defaults: {}\nmodels:\n  ${ENTRY}`],
  'into an empty file': ['', `models:\n  ${ENTRY}`],
  'after a last line without its end': [
    'models:\n  - id: a/b\n    short: b',
    `models:\n  - id: a/b\n    short: b\n  ${ENTRY}`,
  ],
};

for (const [title, [before, after]] of Object.entries(CASES)) {
  test(`a model is added ${title}`, () => {
    const text = appendModel(before, NEW, 'models.yaml');
    assert.equal(text, after);
    assert.equal(parseConfig(text, 'models.yaml').models.at(-1)?.id, 'acme/new');
  });
}

test('line breaks of Windows stay, and the new ones are like them', () => {
  const text = appendModel('models:\r\n  - id: a/b\r\n    short: b\r\n', NEW, 'models.yaml');
  assert.equal(text.replaceAll('\r\n', '').includes('\n'), false);
  assert.equal(parseConfig(text, 'models.yaml').models.length, 2);
});

test('revision, arguments and registries are written where they are given', () => {
  const model = { ...NEW, revision: '12e4', serveArgs: ['--port', '8000'], publish: { ghcr: false } };
  const [parsed] = parseConfig(appendModel('', model, 'models.yaml'), 'models.yaml').models;
  assert.equal(parsed?.revision, '12e4');
  assert.deepEqual(parsed?.serveArgs, ['--port', '8000']);
  assert.deepEqual(parsed?.publish, { ghcr: false });
});

test('a list in brackets is left alone, and the error has the entry to paste', () => {
  const text = 'models: [{id: a/b, short: b}]\n';
  assert.throws(() => appendModel(text, NEW, 'models.yaml'), {
    name: 'ConfigError',
    remedy: /- id: "acme\/new"\n {2}short: "new"$/,
  });
});
