import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from './load-config.ts';

function problems(models: string): string {
  try {
    parseConfig(`models: [${models}]`, 'models.yaml');
    return '';
  } catch (error) {
    return String(error);
  }
}

test('adapters have an id and a name', () => {
  const [model] = parseConfig(
    'models: [{id: a/b, short: b, adapters: [{id: a/l, name: sql.v2}]}]',
    'x',
  ).models;
  assert.deepEqual(model?.adapters, [
    { id: 'a/l', name: 'sql.v2', revision: null, permissive: 'auto', overrideSpdx: null },
  ]);
});

const CASES: readonly [models: string, problem: RegExp][] = [
  ['{id: a/b, short: b, adapters: [{id: a/l, name: a/b}]}', /must be letters and digits/],
  ['{id: a/b, short: b, adapters: [{id: a/l, name: ..}]}', /must be letters and digits/],
  ['{id: a/b, short: b, adapters: [{id: a/l, name: "x=y"}]}', /must be letters and digits/],
  ['{id: a/b, short: b, adapters: [{id: a/l}]}', /name/],
  ['{id: a/b, short: b, adapters: [{id: a/l, nmae: x}]}', /did you mean "name"/],
  [
    '{id: a/b, short: b, adapters: [{id: a/l, name: x}, {id: a/m, name: x}]}',
    /"x" is also that of adapter 1: each needs its own/,
  ],
  [
    '{id: a/b, short: b, serve_args: [--served-model-name=x], adapters: [{id: a/l, name: x}]}',
    /is what the model itself is served as/,
  ],
  ['{id: gpt2, short: b, adapters: [{id: a/l, name: gpt2}]}', /is what the model itself is served as/],
  [
    '{id: a/b, short: b, adapters: [{id: a/l, name: x}]}, {id: a/c, short: b-adapters}',
    /the folder of this model is that of the adapters of the model on line 1: set "folder"/,
  ],
];

for (const [models, problem] of CASES) {
  test(`adapters that are refused: ${models}`, () => assert.match(problems(models), problem));
}

test('a folder of adapters and a model with that name may be in two roots', () => {
  assert.equal(
    problems(
      '{id: a/b, short: b, adapters: [{id: a/l, name: x}]}, {id: a/c, short: b-adapters, download_root: /srv}',
    ),
    '',
  );
});
