import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ModelConfig } from '../config/types.ts';
import type { ModelSnapshot } from '../hub/types.ts';
import { decide } from './decide.ts';

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
  const model: ModelConfig = {
    id: 'acme/x',
    short: 'x',
    revision: null,
    permissive,
    overrideSpdx,
    gated,
    serveArgs: [],
    oci: { title: '', description: '', url: '' },
    publish: {},
    baseImage: 'vllm/vllm-openai:v0.6.0',
    arch: ['linux/amd64'],
    downloadRoot: '/models',
    hfCacheDir: '/root/.cache/huggingface',
    permissiveWhitelist,
    lineage: 'enforce',
    files: { include: null, exclude: null, allowPickle: false },
    tags: [],
    position: { line: 1, column: 1 },
  };
  const snapshot: ModelSnapshot = {
    id: 'acme/x',
    requestedId: 'acme/x',
    revision: '0'.repeat(40),
    gated: hubGated,
    isPrivate,
    license,
    tags: [],
    baseModels: [],
    files: [],
  };
  return decide(model, { snapshot, texts: [], ancestors: [], files: [] });
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
      if (license.spdx !== null) assert.match(license.spdx, /^[A-Za-z0-9.:+() -]+$/);
    }),
    { numRuns: 1000 },
  );
});

test('by itself a licence is permissive only if each of its parts is on the whitelist', () => {
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
    { numRuns: 2000 },
  );
});

test('a longer whitelist never takes a permission back', () => {
  fc.assert(
    fc.property(facts, fc.array(text), (given, more) => {
      if (!decideOn(given).decisions.fat.build) return;
      const permissiveWhitelist = [...given.permissiveWhitelist, ...more];
      assert.equal(decideOn({ ...given, permissiveWhitelist }).decisions.fat.build, true);
    }),
    { numRuns: 1000 },
  );
});
