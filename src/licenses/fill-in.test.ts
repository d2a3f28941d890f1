import assert from 'node:assert/strict';
import { test } from 'node:test';
import list from 'spdx-license-list/full.js';
import { parseConfig } from '../config/load-config.ts';
import { loadLicenseIdentifier } from '../spdx/identify-license.ts';
import { fillIn } from './fill-in.ts';

const AUTHORS = 'the authors of acme/tiny-1b';
const textOf = (id: string): string => list[id]?.licenseText ?? '';

test('the holders are named without a year, and no other holder is', () => {
  for (const id of [
    'MIT',
    'MIT-0',
    'ISC',
    '0BSD',
    'BSD-2-Clause',
    'BSD-3-Clause',
    'BSD-3-Clause-Clear',
    'UPL-1.0',
    'NCSA',
    'PostgreSQL',
  ]) {
    const text = fillIn(id, textOf(id), AUTHORS);
    const [notice = '', ...more] = text.match(/^.*copyright (?:\(c\)|©|<|\[|year|the authors).*$/gim) ?? [];
    assert.match(
      notice,
      /^ ?Copyright (?:\([cC]\) )?the authors of acme\/tiny-1b(?:\. All rights reserved\.)? *$/,
      id,
    );
    assert.deepEqual(more, [], id);
    assert.doesNotMatch(
      text,
      /<year>|\[year\]|\[xxxx\]|<owner|<copyright|\[Owner|Internet Systems|PostgreSQL Global/i,
      id,
    );
  }
});

test('what is filled in is the same license, and a text without a place for names stays as it is', async () => {
  const { identify } = await loadLicenseIdentifier();
  const [model] = parseConfig('models: [{ id: a/b, short: b }]', 'models.yaml').models;
  for (const lower of model?.permissiveWhitelist ?? []) {
    const id = Object.keys(list).find(one => one.toLowerCase() === lower) ?? '';
    const text = fillIn(id, textOf(id), AUTHORS);
    const identity = identify(text);
    assert.ok(identity.kind === 'spdx' && identity.ids.includes(id), `${id}: ${JSON.stringify(identity)}`);
  }
  for (const id of ['Apache-2.0', 'CC-BY-4.0', 'Unlicense', 'GPL-3.0-only']) {
    assert.equal(fillIn(id, textOf(id), AUTHORS), textOf(id));
  }
});
