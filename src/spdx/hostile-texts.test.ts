import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import list from 'spdx-license-list/full.js';
import { createLicenseIdentifier } from './identify-license.ts';
import { LicenseMatcher } from './license-matcher.ts';
import { licenseTemplate } from './license-template.ts';
import { restrictionIn } from './restrictions.ts';
import { readWords } from './text-words.ts';

const textOf = (id: string): string => list[id]?.licenseText ?? '';
const templates = Object.entries(list).map(([id, { name, licenseText }]) =>
  licenseTemplate(id, name, licenseText),
);

/** Pieces that expressions and comparisons have trouble with when they come thousands of times. */
const PIECES = [
  ...[
    '[',
    '<',
    '&',
    '[a](',
    '[x](y) ',
    '<a ',
    '<b x="',
    '<!--',
    '*_`',
    '- ',
    '> ',
    ' ',
    '\n',
    '\t \tx',
    "a'",
    '\u0f71\u0f72',
  ],
  ...['a ', '1. ', '(a)', 'a\u0301\u0302', '\u{1f130}', '禁止商用', 'http://a.b/', '<a@b', '.', ';', '"'],
  ...['copyright ', 'Copyright (c) 2024 Aa. ', 'Copyright (c) 2024 Acme Inc\n', 'all rights reserved '],
  ...['neither the name of the ', 'provided by the ', 'developed by A B C ', 'in no event shall '],
  ...[
    'this model is licensed under the ',
    'mit or apache and ',
    'you may not use ',
    'llama hunyuan falcon tii ',
  ],
  `${textOf('MIT').slice(0, -60)}\n`,
  textOf('Apache-2.0').slice(0, 9000),
  textOf('GPL-2.0'),
];
const SIZE = 96 * 1024;

/** The time is not looked at: were a quantity squared, the limit of the test, far from what it takes, would end it. */
describe('no text takes more than a few steps for each of its words', { timeout: 600_000 }, () => {
  const matcher = new LicenseMatcher(templates);
  const identifier = createLicenseIdentifier(templates);
  for (const piece of PIECES) {
    test(JSON.stringify(piece.slice(0, 24)), () => {
      const half = readWords(piece.repeat(Math.ceil(SIZE / 2 / piece.length)));
      matcher.find(half);
      const steps = matcher.steps;
      const text = piece.repeat(Math.ceil(SIZE / piece.length));
      const whole = readWords(text);
      matcher.find(whole);
      assert.ok(
        matcher.steps <= 2 * steps + 5000,
        `${steps} steps for a half, ${matcher.steps} for the whole`,
      );
      assert.ok(
        matcher.steps <= 200 * whole.words.length + 5000,
        `${matcher.steps} for ${whole.words.length} words`,
      );
      assert.notEqual(
        identifier.identify(text).kind,
        piece.startsWith('Copyright (c) 2024 Acme') ? 'unknown' : 'spdx',
      );
      restrictionIn(text);
    });
  }
});
