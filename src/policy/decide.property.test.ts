import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import parse from 'spdx-expression-parse';
import { ancestor, missing, modelConfig, modelSnapshot, policyFacts } from './decide.fixtures.ts';
import { decide } from './decide.ts';
import { NO_LINEAGE_CLAIMS } from './facts.ts';

const RUNS = process.env.WEIGHBRIDGE_LONG === '1' ? 2000 : 300;

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    'mit',
    'apache-2.0',
    'other',
    'unknown',
    'bsd',
    'gemma',
    '__proto__',
    'mit OR gpl-3.0',
    'MIT AND ISC',
  ),
);
const tristate = fc.constantFrom<'auto' | boolean>('auto', true, false);

const facts = fc.record({
  permissive: tristate,
  gated: tristate,
  overrideSpdx: fc.option(text),
  permissiveWhitelist: fc.array(text),
  hubGated: fc.oneof(fc.constant<false>(false), text),
  isPrivate: fc.boolean(),
  license: fc.oneof(fc.constant(null), text, fc.array(text)),
  licenseName: fc.option(text),
  licenseLink: fc.option(text),
});

type Facts = typeof facts extends fc.Arbitrary<infer T> ? T : never;

function decideOn(given: Facts): ReturnType<typeof decide> {
  const { permissive, gated, overrideSpdx, permissiveWhitelist, hubGated, isPrivate, ...license } = given;
  const model = modelConfig({ permissive, gated, overrideSpdx, permissiveWhitelist });
  const snapshot = modelSnapshot(null, { gated: hubGated, isPrivate, license });
  return decide(model, { snapshot, texts: [], claims: NO_LINEAGE_CLAIMS, ancestors: [], files: [] });
}

test('whatever the Hub and the file say, there is an answer, and a gate or a refusal keeps the weights out', () => {
  fc.assert(
    fc.property(facts, given => {
      const { license, isGated, decisions } = decideOn(given);
      assert.equal(decisions.slim.build, true);
      assert.equal(isGated, given.hubGated !== false || given.gated === true);
      assert.equal(decisions.fat.build, license.isPermissive && !isGated);
      if (given.permissive === false) assert.equal(decisions.fat.build, false);
      assert.doesNotMatch(decisions.fat.reason, /\p{Cc}/u);
      if (license.spdx !== null) assertExpression(license.spdx);
    }),
    { numRuns: RUNS },
  );
});

test('by itself a license is permissive only if each of its parts is on the whitelist', () => {
  fc.assert(
    fc.property(facts, given => {
      fc.pre(given.permissive === 'auto');
      const { license } = decideOn(given);
      if (!license.isPermissive) return;
      assert.ok(license.spdx !== null);
      const permitted = new Set(given.permissiveWhitelist.map(id => id.trim().toLowerCase()));
      for (const part of license.spdx.split(' AND ')) {
        assert.ok(
          part
            .replace(/[()]/g, '')
            .split(' OR ')
            .some(id => permitted.has(id.toLowerCase())),
          part,
        );
      }
    }),
    { numRuns: RUNS },
  );
});

test('a longer whitelist never takes a permission back', () => {
  fc.assert(
    fc.property(facts, fc.array(text), (given, more) => {
      if (!decideOn(given).decisions.fat.build) return;
      const permissiveWhitelist = [...given.permissiveWhitelist, ...more];
      assert.equal(decideOn({ ...given, permissiveWhitelist }).decisions.fat.build, true);
    }),
    { numRuns: RUNS },
  );
});

const identity = fc.oneof(
  fc.record({
    kind: fc.constant('spdx' as const),
    ids: fc.constantFrom(['MIT'], ['Apache-2.0'], ['GPL-3.0', 'GPL-3.0-only']),
  }),
  fc.record({ kind: fc.constant('community' as const), id: text, name: text }),
  fc.record({
    kind: fc.constant('modified' as const),
    id: fc.constant('MIT'),
    added: fc.option(text),
    removed: fc.option(text),
  }),
  fc.record({ kind: fc.constant('unknown' as const) }),
  fc.record({ kind: fc.constant('unread' as const), why: text, isHidden: fc.boolean() }),
);
const legalText = fc.record({
  path: fc.constantFrom('LICENSE', 'LICENSE.md', 'USE_POLICY.md', 'weird \u202e name'),
  about: fc.constantFrom('model' as const, 'use' as const, 'part' as const, 'notice' as const),
  identity,
});
const ancestors = fc.array(
  fc.oneof(
    fc.constantFrom('mit', 'apache-2.0', 'llama3.1', null).map(license => ancestor('a/b', license)),
    fc.constant(missing('a/c')),
  ),
  { maxLength: 4 },
);
const repository = fc.record({
  license: fc.constantFrom(
    'mit',
    'apache-2.0',
    'mit OR gpl-3.0',
    'mit AND apache-2.0',
    'gpl-3.0',
    'llama3.1',
    null,
  ),
  texts: fc.array(legalText, { maxLength: 4 }),
  ancestors,
});
const isFat = (given: Repository): boolean =>
  decide(modelConfig(), policyFacts(given.license, given)).decisions.fat.build;
type Repository = typeof repository extends fc.Arbitrary<infer T> ? T : never;

test('what a repository says besides can only take a permission away', () => {
  fc.assert(
    fc.property(repository, given => {
      if (!isFat(given)) return;
      // A card without a license leaves it to the texts.
      assert.ok(given.license === null || isFat({ ...given, texts: [] }));
      assert.ok(isFat({ ...given, ancestors: [] }));
      // Each ancestor would be permitted if it were the model itself.
      for (const one of given.ancestors) {
        assert.ok(one.kind === 'known');
        assert.ok(
          isFat({ license: one.snapshot.license.license as Repository['license'], texts: [], ancestors: [] }),
        );
      }
    }),
    { numRuns: RUNS },
  );
});

test('findings, reason and label hold together whatever the texts are called', () => {
  fc.assert(
    fc.property(repository, given => {
      const { decisions, findings, license } = decide(modelConfig(), policyFacts(given.license, given));
      assert.equal(
        findings.some(({ verdict }) => verdict === 'stop'),
        !decisions.fat.build,
      );
      assert.doesNotMatch(decisions.fat.reason, /\p{Cc}/u);
      if (license.spdx !== null) assertExpression(license.spdx);
    }),
    { numRuns: RUNS },
  );
});

/** What goes into a label is read by other tools. */
function assertExpression(spdx: string): void {
  assert.doesNotThrow(() => parse(spdx), spdx);
}
