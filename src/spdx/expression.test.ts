import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  missingParts,
  nearestId,
  permittedKeys,
  readExpression,
  spelledOutId,
  unknownId,
} from './expression.ts';

const IDS = ['MIT', 'ISC', 'Apache-2.0', 'GPL-3.0-only', 'GPL-2.0+', 'CC-BY-4.0', 'LicenseRef-acme'];

/** An expression as text beside what it means, worked out without the code under test. */
interface Sample {
  readonly text: string;
  readonly isPermittedBy: (permitted: ReadonlySet<string>) => boolean;
}

const { expression } = fc.letrec<{ expression: Sample }>(tie => ({
  expression: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc
      .constantFrom(...IDS)
      .map(id => ({ text: id, isPermittedBy: (permitted: ReadonlySet<string>) => permitted.has(id) })),
    fc
      .tuple(tie('expression'), fc.constantFrom('AND', 'and', 'OR', 'or'), tie('expression'))
      .map(([left, operator, right]) => ({
        text: `(${left.text}) ${operator} (${right.text})`,
        isPermittedBy: (permitted: ReadonlySet<string>) => {
          const sides = [left.isPermittedBy(permitted), right.isPermittedBy(permitted)];
          return operator.toLowerCase() === 'and' ? sides.every(Boolean) : sides.some(Boolean);
        },
      })),
  ),
}));

const whitelist = fc.subarray(IDS);

function isSatisfied(text: string, permitted: readonly string[]): boolean | undefined {
  const read = readExpression(text);
  return read && missingParts(read.tree, permittedKeys(permitted)).length === 0;
}

test('an expression is satisfied exactly by what AND and OR mean, also once rewritten', () => {
  fc.assert(
    fc.property(expression, whitelist, (sample, permitted) => {
      fc.pre(sample.text.length <= 500);
      const expected = sample.isPermittedBy(new Set(permitted));
      assert.equal(
        isSatisfied(
          sample.text,
          permitted.map(id => id.toLowerCase()),
        ),
        expected,
      );
      const rewritten = readExpression(sample.text)?.spdx ?? '';
      assert.equal(isSatisfied(rewritten, permitted), expected);
      assert.equal(readExpression(rewritten)?.spdx, rewritten);
    }),
  );
});

test('a longer whitelist never permits less', () => {
  fc.assert(
    fc.property(expression, whitelist, whitelist, ({ text }, some, more) => {
      if (isSatisfied(text, some)) assert.equal(isSatisfied(text, [...some, ...more]), true);
    }),
  );
});

test('arbitrary text is read or refused, never thrown at', () => {
  const words = fc.array(
    fc.constantFrom('MIT', 'and', 'OR', 'WITH', '(', ')', '+', ':', 'LicenseRef-', ' ', 'x', '-'),
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    words.map(parts => parts.join('')),
    words.map(parts => parts.join(' ')),
  );
  fc.assert(
    fc.property(text, fc.array(text), (license, permitted) => {
      const read = readExpression(license);
      if (read !== undefined) missingParts(read.tree, permittedKeys(permitted));
      spelledOutId(license);
    }),
  );
});

test('an endless expression is refused', () => {
  assert.equal(readExpression(`${'('.repeat(100_000)}MIT`), undefined);
  assert.equal(readExpression(Array(1_000).fill('MIT').join(' AND ')), undefined);
});

test('the missing parts are named once, as SPDX spells them', () => {
  const read = readExpression('cc-by-4.0 AND (GPL-2.0+ OR cc-by-4.0) AND mit');
  assert.deepEqual(read && missingParts(read.tree, permittedKeys(['mit'])), ['CC-BY-4.0', 'GPL-2.0+']);
});

test('words that spell an id out give it, vaguer ones give none', () => {
  assert.equal(spelledOutId('The MIT License'), 'MIT');
  assert.equal(spelledOutId('apache v2.0'), 'Apache-2.0');
  assert.equal(spelledOutId('NCSA'), 'NCSA');
  for (const name of ['nc-sa', 'NC SA']) assert.equal(spelledOutId(name), undefined, name);
  for (const vague of ['', 'bsd', 'apache', 'gpl', 'llama3.1', 'license']) {
    assert.equal(spelledOutId(vague), undefined, vague);
  }
});

test('a slip is near the id with the version that it names, and a name without one is near none', () => {
  const near = ['apache2', 'gpl3', 'MTI', 'cc-by-4', 'mit-license'].map(nearestId);
  assert.deepEqual(near, ['Apache-2.0', 'GPL-3.0', 'MIT', 'CC-BY-4.0', 'MIT']);
  for (const vague of ['bsd', 'bsd3', 'cc-by-nc', 'apache', 'llama3', 'gemma', 'openrail', 'other'])
    assert.equal(nearestId(vague), undefined, vague);
});

test('the word that is not an id is found; exceptions and what is merely unfinished are not such words', () => {
  assert.equal(unknownId('(MIT AND apache2) OR x'), 'apache2');
  for (const text of ['(MIT AND', 'MIT OR', 'GPL-2.0-only WITH nothing', 'LicenseRef-acme AND MIT+'])
    assert.equal(unknownId(text), undefined, text);
});
