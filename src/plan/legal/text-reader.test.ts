import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ModelSnapshot } from '../../hub/types.ts';
import { APACHE, asked, card, LLAMA, only, withWorld } from './legal-reader.fixtures.ts';
import { createTextReader } from './text-reader.ts';

const SNAPSHOT: ModelSnapshot = {
  id: 'a/x',
  requestedId: 'a/x',
  revision: '0'.repeat(40),
  gated: false,
  isPrivate: false,
  license: { license: 'mit', licenseName: null, licenseLink: null },
  tags: [],
  baseModels: [],
  files: [],
};

type Files = Readonly<Record<string, string>>;

interface Case {
  readonly name: string;
  readonly files: Files;
  /** What the reason of a refused fat image says; absent if it is built. */
  readonly says?: RegExp;
  /** The image's license label. */
  readonly label?: string;
}

const NC = 'The weights are for non-commercial research only.\n';
const head = (lines: string): Files => ({ 'README.md': `---\n${lines}---\n` });
const numbered = (count: number, name: (index: number) => string, text: (index: number) => string): Files =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [name(index), text(index)]));
const differing = (index: number): string => `${APACHE}\n${' '.repeat(index)}`;

const CASES: readonly Case[] = [
  // A license counts wherever it is and whatever it is called.
  ...[
    ...[
      'EULA',
      'notes.txt',
      '许可协议.txt',
      'original/USE.md',
      'third_party/llama/LICENSE',
      'NOTICE',
      'TERMS.md',
    ],
  ].map(name => ({
    name: `Llama's license as ${name}`,
    files: { LICENSE: APACHE, [name]: LLAMA },
    says: new RegExp(`${name} is the text of`),
  })),
  // What restricts counts in every kind of text.
  ...['TERMS.md', 'DISCLAIMER.md', 'NOTICE', 'USE_POLICY.md', 'COPYRIGHT'].map(name => ({
    name: `words that restrict in ${name}`,
    files: { LICENSE: APACHE, [name]: NC },
    says: new RegExp(`${name} says "The weights are for non-commercial`),
  })),
  {
    name: 'words that restrict in the card',
    files: { 'README.md': `${card('apache-2.0')}## License\n${NC}` },
    says: /README\.md says "The weights are for non-commercial research only"/,
  },
  {
    name: 'what restricts nothing, what is of others, and what is permitted as well',
    files: {
      LICENSE: APACHE,
      NOTICE: 'Acme\nCopyright 2024 Acme.\n',
      'DISCLAIMER.md': 'The model is provided as is. It can be wrong.\n',
      'USAGE_POLICY.md': 'By using it, you agree to comply with all applicable law.\n',
      'LICENSE-CODE': 'Terms that nobody knows.\n',
      'third_party/x/LICENSE': 'Terms that nobody knows.\n',
      'CHANGELOG.md': 'You may not use the old format any more.\n',
    },
    label: 'Apache-2.0',
  },
  {
    name: 'a document that has to be opened in another program',
    files: { 'LICENSE.docx': 'PK\0', LICENSE: APACHE },
    says: /LICENSE\.docx could not be read \(it is not plain text\)/,
  },
  // The card's other fields may forbid, and never permit.
  {
    name: 'license_name of another license',
    files: head('license: mit\nlicense_name: llama3.1\n'),
    says: /license_name says "llama3\.1"/,
  },
  {
    name: 'license_link to other terms',
    files: head('license: mit\nlicense_link: https://ai.google.dev/gemma/terms\n'),
    says: /license_link says/,
  },
  {
    name: 'license_link to a file of any name',
    files: { ...head('license: mit\nlicense_link: docs/x.txt\n'), 'docs/x.txt': LLAMA },
    says: /docs\/x\.txt is the text of/,
  },
  {
    name: 'license_link to an unknown text',
    files: { ...head('license: mit\nlicense_link: docs/x.txt\n'), 'docs/x.txt': 'Ask us first.' },
    says: /docs\/x\.txt is not the text of any license/,
  },
  {
    name: 'license_link to a text of a part',
    files: { ...head('license: mit\nlicense_link: LICENSE-CODE\n'), 'LICENSE-CODE': 'Ask us first.' },
    says: /LICENSE-CODE is not the text of any license/,
  },
  {
    name: 'license_name that no one knows',
    files: head('license: mit\nlicense_name: acme-terms\n'),
    says: /license_name says "acme-terms"/,
  },
  {
    name: 'license_name of a license that is not permitted',
    files: head('license: mit\nlicense_name: gpl-3.0\n'),
    says: /license_name says GPL-3\.0/,
  },
  {
    name: 'license_name in a list',
    files: head('license: mit\nlicense_name: [llama3.1]\n'),
    says: /license_name says "llama3\.1"/,
  },
  {
    name: 'license_name that agrees',
    files: head('license: apache-2.0\nlicense_name: Apache License 2.0\n'),
    label: 'Apache-2.0',
  },
  // Terms count whatever they are called.
  {
    name: 'a license of code about the weights',
    files: { LICENSE: APACHE, 'code/LICENSE': 'The checkpoints may not be redistributed.\n' },
    says: /code\/LICENSE says "The checkpoints may not/,
  },
  {
    name: 'unknown terms under any name',
    files: {
      'notes.txt':
        'The licensor grants a right to use. You may not sell copies. This agreement has no warranty, and the licensee is liable.\n',
    },
    says: /notes\.txt says "You may not sell copies"/,
  },
  ...['NOTICE', 'COMMONS-CLAUSE', 'x.md'].map(name => ({
    name: `the Commons Clause in ${name}`,
    files: { LICENSE: APACHE, [name]: '"Commons Clause" License Condition v1.0\n' },
    says: /is the text of the Commons Clause/,
  })),
  {
    name: 'license_name alone',
    files: head('license: other\nlicense_name: mit\n'),
    says: /is not one of the usual ones/,
  },
  // A card that leaves it open is decided by a verbatim text, if its name agrees.
  {
    name: 'other, Apache text',
    files: { ...head('license: other\n'), LICENSE: APACHE },
    label: 'Apache-2.0',
  },
  {
    name: 'no license, Apache text',
    files: { ...head('tags: [a]\n'), LICENSE: APACHE },
    label: 'Apache-2.0',
  },
  {
    name: 'other, named so, Apache text',
    files: { ...head('license: other\nlicense_name: Apache 2.0\n'), LICENSE: APACHE },
    label: 'Apache-2.0',
  },
  {
    name: 'other, of another name, Apache text',
    files: { ...head('license: other\nlicense_name: acme-nc\n'), LICENSE: APACHE },
    says: /named acme-nc/,
  },
  // What is more or longer than is read is never consent.
  {
    name: 'thirteen texts',
    files: numbered(13, index => `LICENSE-${index}`, differing),
    label: 'Apache-2.0',
  },
  {
    name: 'a text many times',
    files: numbered(
      200,
      index => `third_party/${index}/LICENSE`,
      () => APACHE,
    ),
    label: 'Apache-2.0',
  },
  {
    name: 'a hundred texts',
    files: numbered(100, index => `LICENSE-${index}`, differing),
    says: /there are 40 texts more than are read/,
  },
  {
    name: 'terms behind eighty others',
    files: { ...numbered(80, index => `third_party/${index}/LICENSE`, differing), 'TERMS.md': NC },
    says: /TERMS\.md says/,
  },
  {
    name: 'cards in more languages than are read',
    files: numbered(
      30,
      index => `README_${index}.md`,
      index => `# ${index}\n`,
    ),
    says: /there are 7 texts more than are read/,
  },
  {
    name: 'the last of ten cards',
    files: {
      ...numbered(
        9,
        index => `README_${index}.md`,
        index => `# ${index}\n`,
      ),
      'README_zh.md': `## License\n${NC}`,
    },
    says: /README_zh\.md says/,
  },
  {
    name: 'a long text',
    files: { LICENSE: `${APACHE}${'\n'.repeat(600_000)}` },
    says: /LICENSE could not be read \(it is too long\)/,
  },
  {
    name: 'a text of letters that stand for many',
    files: { LICENSE: '\ufdfa'.repeat(100_000) },
    says: /LICENSE could not be read \(it is too long\)/,
  },
  {
    name: 'a card of letters that stand for many',
    files: { 'README.md': `${card('apache-2.0')}${'\ufdfa'.repeat(100_000)}` },
    says: /README\.md could not be read \(it is too long\)/,
  },
  {
    name: 'a card with more benchmarks than words',
    files: {
      'README.md': card('apache-2.0').replace(/---\n$/, `results: >\n${'  - x\n'.repeat(300_000)}---\n`),
    },
    label: 'Apache-2.0',
  },
  {
    name: 'more text than is read of one model',
    files: numbered(
      20,
      index => `LICENSE-${index}`,
      index => `${APACHE}\n${' '.repeat(500_000 + index)}`,
    ),
    says: /there are 12 texts more than are read/,
  },
  {
    name: 'the config of a merge that is longer than is read',
    files: { 'merge.yaml': `merge_method: slerp\n${'# x\n'.repeat(40_000)}` },
    says: /merge\.yaml/,
  },
];

test('texts decide by what they say', () =>
  withWorld(async ({ add, plan }) => {
    for (const [index, { files }] of CASES.entries())
      await add(`a/x${index}`, { 'README.md': card('apache-2.0'), ...files });
    const whole = await plan(CASES.map((_, index) => `a/x${index}`));
    for (const [index, { name, says, label }] of CASES.entries()) {
      const { decisions, license } = only({ ...whole, models: whole.models.slice(index, index + 1) }).outcome;
      const { build, reason } = decisions.fat;
      assert.equal(build, says === undefined, `${name}: ${reason}`);
      if (says !== undefined) assert.match(reason, says, name);
      if (label !== undefined) assert.equal(license.spdx, label, name);
    }
  }));

test('signals are heard between two texts', async () => {
  const texts = Array.from({ length: 40 }, (_, index) => `Terms of ${index}.`);
  const files = texts.map((text, index) => ({
    path: `LICENSE-${index}`,
    sizeBytes: text.length,
    gitOid: String(index).padStart(40, '0'),
  }));
  let count = 0;
  const reader = createTextReader({
    read: async (_, { path }) => {
      count += 1;
      return Buffer.from(texts[Number(path.slice('LICENSE-'.length))] ?? '');
    },
  });
  const snapshot = { ...SNAPSHOT, files };
  // What is loaded once waits for the disk.
  await reader.read({ ...snapshot, files: files.slice(0, 1) }, [], false);
  count = 0;
  const reading = reader.read(snapshot, [], false);
  await nextTurn();
  assert.ok(count < texts.length / 2, `${count} of ${texts.length} texts were read without a turn`);
  await reading;
  assert.equal(count, texts.length - 1);
});

test('a text that an open repository lists and does not give is never consent', () =>
  withWorld(async ({ hub, add, plan }) => {
    await add('a/x', { 'README.md': card('apache-2.0'), LICENSE: APACHE });
    const missing = { status: 404, headers: { 'x-error-code': 'EntryNotFound' }, times: 99 };
    hub.faults.add({ match: /resolve.*LICENSE/, kind: 'status', ...missing });
    const { fat } = only(await plan(['a/x'])).outcome.decisions;
    assert.match(fat.reason, /LICENSE could not be read \(the Hub lists it and does not give it\)/);
  }));

test('a text of a Windows program is read', () =>
  withWorld(async ({ hub, add, plan }) => {
    const utf16 = (text: string): Buffer => Buffer.from(`\uFEFF${text}`, 'utf16le');
    await add('a/x', { 'README.md': card('apache-2.0') });
    await hub.updateFile('a/x', 'LICENSE', utf16(APACHE));
    assert.equal(only(await plan(['a/x'])).outcome.decisions.fat.build, true);
    await hub.updateFile('a/x', 'notes.txt', utf16(LLAMA).swap16());
    assert.match(only(await plan(['a/x'])).outcome.decisions.fat.reason, /notes\.txt is the text of/);
  }));

test('thousands of texts cost no more than their limits', () =>
  withWorld(async ({ hub, add, plan }) => {
    await add('a/x', {
      'README.md': card('mit'),
      ...numbered(
        3000,
        index => `t${index}.txt`,
        index => `text ${index}`,
      ),
    });
    const { fat } = only(await plan(['a/x'])).outcome.decisions;
    assert.match(fat.reason, /there are 2952 texts more than are read/);
    assert.ok(asked(hub, /\/resolve\//) < 60);
  }));
