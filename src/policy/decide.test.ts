import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { ModelConfig } from '../config/types.ts';
import type { LicenseFacts, ModelSnapshot } from '../hub/types.ts';
import { modelConfig as model, modelSnapshot, REVISION, WHITELIST } from './decide.fixtures.ts';
import { decide } from './decide.ts';
import { NO_LINEAGE_CLAIMS, type PolicyFacts } from './facts.ts';

type Card = LicenseFacts['license'] | Partial<ModelSnapshot>;

function snapshot(card: Card): ModelSnapshot {
  const isSnapshot = card !== null && typeof card === 'object' && !Array.isArray(card);
  const license = isSnapshot ? null : (card as LicenseFacts['license']);
  return modelSnapshot(license, isSnapshot ? (card as Partial<ModelSnapshot>) : {});
}

function facts(card: Card): PolicyFacts {
  return { snapshot: snapshot(card), texts: [], claims: NO_LINEAGE_CLAIMS, ancestors: [], files: [] };
}

function other(licenseName: string | null, licenseLink: string | null): Partial<ModelSnapshot> {
  return { license: { license: 'other', licenseName, licenseLink } };
}

function gated(license: string, how = 'manual'): Partial<ModelSnapshot> {
  return { gated: how, license: { license, licenseName: null, licenseLink: null } };
}

interface Case {
  readonly name: string;
  readonly card: Card;
  readonly file?: Partial<ModelConfig>;
  readonly fat: boolean;
  readonly rule: string;
  readonly spdx: string | null;
  readonly says?: RegExp;
}

const permitted = { fat: true, rule: 'license-permitted' };
const notPermitted = { fat: false, rule: 'license-not-permitted' };
const notSpdx = { fat: false, rule: 'license-not-spdx' };
const unknown = { fat: false, rule: 'license-unknown', spdx: null };

const CASES: readonly Case[] = [
  // Ids of the Hub that are SPDX ids in lower case.
  { name: 'Qwen2.5', card: 'apache-2.0', ...permitted, spdx: 'Apache-2.0', says: /the Hub says apache-2\.0/ },
  { name: 'DeepSeek-R1', card: 'mit', ...permitted, spdx: 'MIT' },
  { name: 'upper case', card: 'MIT', ...permitted, spdx: 'MIT' },
  { name: 'blanks around', card: ' apache-2.0 ', ...permitted, spdx: 'Apache-2.0' },
  { name: 'BSD with clauses', card: 'bsd-3-clause', ...permitted, spdx: 'BSD-3-Clause' },
  { name: 'CC0', card: 'cc0-1.0', ...permitted, spdx: 'CC0-1.0' },
  { name: 'Unlicense', card: 'unlicense', ...permitted, spdx: 'Unlicense' },
  { name: 'BSD clear', card: 'bsd-3-clause-clear', ...notPermitted, spdx: 'BSD-3-Clause-Clear' },
  {
    name: 'non-commercial',
    card: 'cc-by-nc-4.0',
    ...notPermitted,
    spdx: 'CC-BY-NC-4.0',
    says: /`spdx_permissive_whitelist`/,
  },
  { name: 'attribution', card: 'cc-by-4.0', ...notPermitted, spdx: 'CC-BY-4.0', says: /`permissive: true`/ },
  { name: 'copyleft', card: 'gpl-3.0', ...notPermitted, spdx: 'GPL-3.0' },
  { name: 'Boost, not Business Source', card: 'bsl-1.0', ...notPermitted, spdx: 'BSL-1.0' },
  {
    name: 'own whitelist',
    card: 'cc-by-4.0',
    file: { permissiveWhitelist: ['CC-BY-4.0'] },
    ...permitted,
    spdx: 'CC-BY-4.0',
  },
  {
    name: 'GPL-3.0 is GPL-3.0-only',
    card: 'gpl-3.0',
    file: { permissiveWhitelist: ['gpl-3.0-only'] },
    ...permitted,
    spdx: 'GPL-3.0',
  },
  {
    name: 'an empty whitelist',
    card: 'mit',
    file: { permissiveWhitelist: [] },
    ...notPermitted,
    spdx: 'MIT',
  },
  {
    name: 'a wildcard permits nothing',
    card: 'bsd-2-clause',
    file: { permissiveWhitelist: ['bsd-*', '*'] },
    ...notPermitted,
    spdx: 'BSD-2-Clause',
  },

  // Ids of the Hub that SPDX does not know, and names that are nearly ids.
  {
    name: 'Llama 3.1',
    card: 'llama3.1',
    ...notSpdx,
    spdx: 'LicenseRef-llama3.1',
    says: /llama3\.1, which is not an SPDX license/,
  },
  { name: 'Llama 2', card: 'llama2', ...notSpdx, spdx: 'LicenseRef-llama2' },
  { name: 'Gemma', card: 'gemma', ...notSpdx, spdx: 'LicenseRef-gemma' },
  { name: 'OpenRAIL++', card: 'openrail++', ...notSpdx, spdx: 'LicenseRef-openrail' },
  { name: 'CreativeML', card: 'creativeml-openrail-m', ...notSpdx, spdx: 'LicenseRef-creativeml-openrail-m' },
  // As the Hub has them, and as SPDX has them.
  ...Object.entries({
    ...{ 'c-uda': 'C-UDA-1.0', 'lgpl-lr': 'LGPLLR', odbl: 'ODbL-1.0' },
    ...{ 'odc-by': 'ODC-By-1.0', openmdw: 'OpenMDW-1.0', pddl: 'PDDL-1.0' },
  }).map(([card, spdx]) => ({
    name: `${card} of the Hub`,
    card,
    fat: false,
    rule: 'license-not-permitted',
    spdx,
  })),
  { name: 'Apple AMLR', card: 'apple-amlr', ...notSpdx, spdx: 'LicenseRef-apple-amlr' },
  {
    name: 'whitelisted by its Hub id',
    card: 'gemma',
    file: { permissiveWhitelist: ['gemma', 'licenseref-gemma'] },
    ...notSpdx,
    spdx: 'LicenseRef-gemma',
  },
  { name: 'the family bsd', card: 'bsd', ...notSpdx, spdx: 'LicenseRef-bsd', says: /a family of licenses/ },
  { name: 'the family cc', card: 'cc', ...notSpdx, spdx: 'LicenseRef-cc' },
  { name: 'the family openrail', card: 'openrail', ...notSpdx, spdx: 'LicenseRef-openrail' },
  { name: 'apache without version', card: 'apache', ...notSpdx, spdx: 'LicenseRef-apache' },
  {
    name: 'spelled out',
    card: 'Apache License, Version 2.0',
    ...permitted,
    spdx: 'Apache-2.0',
  },
  {
    name: 'spelled out with more words',
    card: 'Apache License, Version 2.0, modified',
    ...notSpdx,
    spdx: 'LicenseRef-Apache-License-Version-2.0-modified',
  },
  { name: 'a slash', card: 'MIT/Apache-2.0', ...notSpdx, spdx: 'LicenseRef-MIT-Apache-2.0' },
  { name: 'glued operator', card: 'MIT ORISC', ...notSpdx, spdx: 'LicenseRef-MIT-ORISC' },
  { name: 'a name of JavaScript', card: 'constructor', ...notSpdx, spdx: 'LicenseRef-constructor' },

  // Nothing known.
  { name: 'no license', card: null, ...unknown, says: /The Hub names no license.*`override_spdx`/ },
  { name: 'empty', card: '', ...unknown },
  { name: 'unknown', card: 'unknown', ...unknown, says: /The Hub says unknown/ },
  { name: 'an empty list', card: [], ...unknown },
  { name: 'a list of nothing', card: ['', 'unknown'], ...unknown },
  {
    name: 'DeepSeek-V3 before MIT',
    card: other('deepseek', 'LICENSE-MODEL'),
    fat: false,
    rule: 'license-other',
    spdx: 'LicenseRef-deepseek',
    says: /named deepseek \(LICENSE-MODEL\)/,
  },
  {
    name: 'other without a name',
    card: other(null, 'https://coqui.ai/cpml'),
    fat: false,
    rule: 'license-other',
    spdx: 'LicenseRef-other',
    says: /https:\/\/coqui\.ai\/cpml/,
  },
  {
    name: 'other that claims to be MIT',
    card: other('MIT', null),
    fat: false,
    rule: 'license-other',
    spdx: 'LicenseRef-MIT',
  },

  // Lists and expressions.
  { name: 'a list, all permitted', card: ['apache-2.0', 'mit'], ...permitted, spdx: 'Apache-2.0 AND MIT' },
  { name: 'a list of one, twice', card: ['mit', 'mit'], ...permitted, spdx: 'MIT' },
  {
    name: 'a list, one not permitted',
    card: ['mit', 'cc-by-nc-4.0'],
    ...notPermitted,
    spdx: 'MIT AND CC-BY-NC-4.0',
    says: /^CC-BY-NC-4\.0 is not on/,
  },
  {
    name: 'a list, one not SPDX',
    card: ['apache-2.0', 'llama3'],
    ...notSpdx,
    spdx: 'Apache-2.0 AND LicenseRef-llama3',
  },
  {
    name: 'a list, one unknown',
    card: ['mit', 'unknown'],
    fat: false,
    rule: 'license-unknown',
    spdx: 'MIT AND LicenseRef-unknown',
  },
  { name: 'OR, one side', card: 'GPL-3.0-only or mit', ...permitted, spdx: 'GPL-3.0-only OR MIT' },
  {
    name: 'OR inside a list',
    card: ['mit OR gpl-3.0-only', 'isc'],
    ...permitted,
    spdx: '(MIT OR GPL-3.0-only) AND ISC',
  },
  { name: 'AND, one side', card: 'MIT AND GPL-3.0-only', ...notPermitted, spdx: 'MIT AND GPL-3.0-only' },
  {
    name: 'AND binds tighter',
    card: 'MIT AND CC-BY-4.0 OR GPL-3.0-only',
    ...notPermitted,
    spdx: 'MIT AND CC-BY-4.0 OR GPL-3.0-only',
  },
  {
    name: 'an exception',
    card: 'Apache-2.0 WITH LLVM-exception',
    ...notPermitted,
    spdx: 'Apache-2.0 WITH LLVM-exception',
  },
  {
    name: 'an exception is not made part of a whitelist',
    card: 'Apache-2.0 WITH LLVM-exception',
    file: { permissiveWhitelist: ['apache-2.0 with llvm-exception', 'apache-2.0', 'llvm-exception'] },
    ...notPermitted,
    spdx: 'Apache-2.0 WITH LLVM-exception',
    says: /redistributing the weights, set `permissive: true`/,
  },
  {
    name: 'a license is not made of its exception',
    card: 'apache-2.0',
    file: { permissiveWhitelist: ['apache-2.0 with llvm-exception'] },
    ...notPermitted,
    spdx: 'Apache-2.0',
  },
  { name: 'or later', card: 'Apache-2.0+', ...notPermitted, spdx: 'Apache-2.0+' },
  {
    name: 'or later, listed',
    card: 'Apache-2.0+',
    file: { permissiveWhitelist: ['apache-2.0+'] },
    ...permitted,
    spdx: 'Apache-2.0+',
  },
  {
    name: 'or later, in the newer spelling',
    card: 'GPL-2.0+',
    file: { permissiveWhitelist: ['gpl-2.0-or-later'] },
    ...permitted,
    spdx: 'GPL-2.0+',
  },
  {
    name: 'an old version or later is not the new one',
    card: 'Apache-1.0+',
    ...notPermitted,
    spdx: 'Apache-1.0+',
  },

  // override_spdx
  {
    name: 'override',
    card: other('x', null),
    file: { overrideSpdx: 'apache-2.0' },
    ...permitted,
    spdx: 'Apache-2.0',
    says: /`override_spdx: apache-2\.0`, the Hub says other \(x\)/,
  },
  {
    name: 'override to something stricter',
    card: 'mit',
    file: { overrideSpdx: 'CC-BY-NC-4.0' },
    ...notPermitted,
    spdx: 'CC-BY-NC-4.0',
  },
  {
    name: 'override where the Hub is silent',
    card: null,
    file: { overrideSpdx: 'MIT OR GPL-2.0-only' },
    ...permitted,
    spdx: 'MIT OR GPL-2.0-only',
    says: /the Hub names no license/,
  },
  {
    name: 'override that is no expression',
    card: 'mit',
    file: { overrideSpdx: 'Apache 2.0' },
    fat: false,
    rule: 'override-invalid',
    spdx: 'LicenseRef-Apache-2.0',
    says: /`override_spdx: Apache 2\.0` in models\.yaml is not a valid SPDX expression.*`override_spdx: Apache-2\.0`/,
  },
  {
    name: 'override that is empty',
    card: 'mit',
    file: { overrideSpdx: ' ' },
    fat: false,
    rule: 'override-invalid',
    spdx: 'LicenseRef-other',
  },
  {
    name: 'override with a name of your own',
    card: other('x', null),
    file: { overrideSpdx: 'LicenseRef-acme', permissiveWhitelist: ['licenseref-acme'] },
    ...permitted,
    spdx: 'LicenseRef-acme',
  },

  // permissive
  {
    name: 'vouched for',
    card: 'llama3.1',
    file: { permissive: true },
    fat: true,
    rule: 'permissive-by-file',
    spdx: 'LicenseRef-llama3.1',
    says: /`permissive: true`\); the Hub says llama3\.1/,
  },
  {
    name: 'vouched for, nothing known',
    card: null,
    file: { permissive: true },
    fat: true,
    rule: 'permissive-by-file',
    spdx: null,
  },
  {
    name: 'refused in the file',
    card: 'mit',
    file: { permissive: false },
    fat: false,
    rule: 'not-permissive-by-file',
    spdx: 'MIT',
    says: /Without that line/,
  },

  // gates
  {
    name: 'gated, permitted license',
    card: gated('apache-2.0', 'auto'),
    fat: false,
    rule: 'gated',
    spdx: 'Apache-2.0',
    says: /gated: "auto".*No line in models\.yaml changes that\.$/,
  },
  {
    name: 'gated, other license',
    card: gated('gemma'),
    fat: false,
    rule: 'gated',
    spdx: 'LicenseRef-gemma',
    says: /Besides, its license \(gemma\) does not permit it/,
  },
  { name: 'gated in a way nobody knows yet', card: gated('mit', ''), fat: false, rule: 'gated', spdx: 'MIT' },
  {
    name: 'gated and vouched for',
    card: gated('llama3.1'),
    file: { permissive: true },
    fat: false,
    rule: 'gated',
    spdx: 'LicenseRef-llama3.1',
    says: /does not lift a gate/,
  },
  {
    name: 'gated by the file',
    card: 'mit',
    file: { gated: true },
    fat: false,
    rule: 'gated-by-file',
    spdx: 'MIT',
    says: /Without that line the Hub decides/,
  },
  {
    name: 'gated by both',
    card: gated('mit'),
    file: { gated: true },
    fat: false,
    rule: 'gated',
    spdx: 'MIT',
  },
  {
    name: 'gate denied by the file',
    card: gated('mit'),
    file: { gated: false },
    fat: false,
    rule: 'gated-false-refused',
    spdx: 'MIT',
    says: /`gated: false` but the Hub gates/,
  },
  {
    name: 'gate denied and vouched for',
    card: gated('mit'),
    file: { gated: false, permissive: true },
    fat: false,
    rule: 'gated-false-refused',
    spdx: 'MIT',
  },
  { name: 'no gate, said twice', card: 'mit', file: { gated: false }, ...permitted, spdx: 'MIT' },
];

describe('decide', () => {
  for (const { name, card, file, fat, rule, spdx, says } of CASES) {
    test(name, () => {
      const outcome = decide(model(file), facts(card));
      const decision = outcome.decisions.fat;
      assert.deepEqual(
        { fat: decision.build, rule: decision.rule, spdx: outcome.license.spdx },
        { fat, rule, spdx },
        decision.reason,
      );
      if (says !== undefined) assert.match(decision.reason, says);
      assert.match(decision.reason, /^([A-Z`]|models\.yaml ).*\.$/);
      assert.equal(outcome.decisions.slim.build, true);
      assert.equal(outcome.decisions.slim.rule, 'slim-always');
    });
  }

  test('a decision rests on fields of the Hub at a revision and on lines of the file', () => {
    const outcome = decide(model({ overrideSpdx: 'MIT' }), facts('other'));
    assert.deepEqual(outcome.decisions.fat.evidence, [
      { field: 'gated', value: 'auto', source: 'models.yaml' },
      { field: 'gated', value: false, source: 'hub' },
      { field: 'permissive', value: 'auto', source: 'models.yaml' },
      { field: 'override_spdx', value: 'MIT', source: 'models.yaml' },
      { field: 'cardData.license', value: 'other', source: 'hub' },
      { field: 'spdx_permissive_whitelist', value: WHITELIST, source: 'models.yaml' },
      { field: 'revision', value: REVISION, source: 'hub' },
    ]);
  });

  test('a private repository is named, and its publisher warned', () => {
    const license = { license: 'mit', licenseName: null, licenseLink: null };
    const { fat, slim } = decide(model(), facts({ isPrivate: true, license })).decisions;
    for (const { evidence } of [fat, slim]) {
      assert.ok(evidence.some(({ field, value }) => field === 'private' && value === true));
    }
    assert.equal(fat.build, true);
    assert.match(fat.reason, /private on the Hub/);
  });

  test('what the Hub says cannot break out of its sentence', () => {
    const nasty = 'mit\n\u001b[31m\u202e::set-output name=x::y\u0000';
    const card = { license: { license: nasty, licenseName: nasty, licenseLink: nasty } };
    const { license, decisions } = decide(model(), facts(card));
    assert.doesNotMatch(decisions.fat.reason, /\p{C}/u);
    assert.doesNotMatch(license.declared ?? '', /\p{C}/u);
    assert.equal(decisions.fat.build, false);
  });

  test('every rule is explained in docs/policy.md', () => {
    const docs = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8');
    for (const rule of new Set(['slim-always', ...CASES.map(({ rule }) => rule)])) {
      assert.ok(docs.includes(`\`${rule}\``), rule);
    }
  });
});
