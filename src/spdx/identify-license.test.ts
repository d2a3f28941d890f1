import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import list from 'spdx-license-list/full.js';
import {
  createLicenseIdentifier,
  createTextIdentifier,
  loadLicenseIdentifier,
  loadUsualIdentifier,
} from './identify-license.ts';
import { licenseTemplate } from './license-template.ts';

const identifier = await loadLicenseIdentifier();
const WHITELIST = ['Apache-2.0', 'MIT', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'CC0-1.0', 'Unlicense'];
/** What else the Hub's most used ids are on the SPDX list. */
const MOST_USED = [
  'AFL-3.0 AGPL-3.0 Artistic-2.0 BSD-3-Clause-Clear BSL-1.0 C-UDA-1.0 CC-BY-2.0 CC-BY-2.5 CC-BY-3.0 CC-BY-4.0',
  'CC-BY-NC-2.0 CC-BY-NC-3.0 CC-BY-NC-4.0 CC-BY-NC-ND-3.0 CC-BY-NC-ND-4.0 CC-BY-NC-SA-2.0 CC-BY-NC-SA-3.0',
  'CC-BY-NC-SA-4.0 CC-BY-ND-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CDLA-Permissive-1.0 CDLA-Permissive-2.0 CDLA-Sharing-1.0',
  'ECL-2.0 EPL-1.0 EPL-2.0 EUPL-1.1 EUPL-1.2 etalab-2.0 GFDL-1.3 GPL-2.0 GPL-3.0 LGPL-2.1 LGPL-3.0 LPPL-1.3c',
  'MPL-2.0 MS-PL NCSA ODbL-1.0 ODC-By-1.0 OFL-1.1 OpenMDW-1.0 OSL-3.0 PDDL-1.0 PostgreSQL WTFPL Zlib',
].flatMap(ids => ids.split(' '));

function textOf(id: string): string {
  const text = list[id]?.licenseText;
  assert.ok(text !== undefined, id);
  return text;
}

function assertIs(text: string, id: string): void {
  const identity = identifier.identify(text);
  assert.ok(identity.kind === 'spdx' && identity.ids.includes(id), `${id}: ${JSON.stringify(identity)}`);
}

test('each of the texts of the SPDX list is known by all its ids', () => {
  for (const [id, { licenseText }] of Object.entries(list)) assertIs(licenseText, id);
});

test('a text is taken for one license only, but for what differs outside of the text', () => {
  for (const id of [...WHITELIST, ...MOST_USED]) {
    const identity = identifier.identify(textOf(id));
    assert.ok(identity.kind === 'spdx');
    const plain = (one: string): string =>
      one.replace(/(\+|-(no-)?invariants|-only|-or-later|-no-copyleft-exception|-(no-)?RFN)+$/, '');
    assert.deepEqual([...new Set(identity.ids.map(plain))], [id]);
  }
});

/** What happens to a license's text on its way into a repository. */
const NOISE: Readonly<Record<string, (text: string, id: string) => string>> = {
  'names and years filled in': text => {
    // The examples at the end of some licenses stay as they are.
    const end = text.search(/how to apply these terms/i);
    const filled = text
      .slice(0, end === -1 ? undefined : end)
      .replace(/<year>|<yyyy>|\[yyyy\]|\[year\]/gi, '2024')
      .replace(
        /<(?:copyright holders?|owner|name of copyright owner)>|\[(?:name of copyright owner|fullname)\]/gi,
        'Acme AI, Inc.',
      );
    return filled + (end === -1 ? '' : text.slice(end));
  },
  'wrapped anew': text =>
    text
      .split(/\n{2,}/)
      .map(paragraph =>
        /copyright \(c\)|\[yyyy\]|\[xxxx\]/i.test(paragraph)
          ? paragraph
          : paragraph.replace(/(\S)\n(?=[a-z])/g, '$1 ').replace(/(.{50,80}) (?=[a-z]{3})/g, '$1\n'),
      )
      .join('\n\n'),
  'long lines': text => text.replace(/(\S)\n *(?=[a-z])/g, '$1 '),
  'Markdown with a title': (text, id) => `# ${list[id]?.name}\n\n${text.replace(/^(\w.*)$/gm, '> $1')}`,
  'an SPDX line on top': (text, id) =>
    `SPDX-License-Identifier: ${id}\nCopyright 2025 The Acme Authors.\n\n${text}`,
  'comment signs': text => text.replace(/^/gm, ' * '),
  'Windows and typography': text =>
    text.replaceAll('\n', '\r\n').replaceAll('"', '“').replaceAll("'", '’').replaceAll('-', '–'),
  'capital letters': text => text.toUpperCase(),
  'British spelling': text => text.replace(/\blicense\b/g, 'licence').replace(/\bLicense\b/g, 'Licence'),
  'other copyright lines': text =>
    `Copyright (c) 2023 DeepSeek\n© 2024 Acme. All rights reserved.\n\n${text}`,
};

describe('noise is no difference', () => {
  for (const [name, noise] of Object.entries(NOISE)) {
    test(name, () => {
      for (const id of [...WHITELIST, ...MOST_USED]) assertIs(noise(textOf(id), id), id);
    });
  }
});

test('copies without the parts that are no terms', () => {
  const apache = textOf('Apache-2.0');
  assertIs(apache.slice(0, apache.indexOf('APPENDIX')), 'Apache-2.0');
  assertIs(apache.slice(0, apache.indexOf('END OF TERMS')), 'Apache-2.0');
  assertIs(
    apache.replace('Copyright [yyyy] [name of copyright owner]', 'Copyright 2024 Alibaba Cloud'),
    'Apache-2.0',
  );
  const gpl = textOf('GPL-3.0');
  assertIs(gpl.slice(0, gpl.indexOf('How to Apply')), 'GPL-3.0');
  const mit = textOf('MIT');
  assertIs(mit.slice(mit.indexOf('Permission')), 'MIT');
  assertIs(
    textOf('BSD-3-Clause').replace(
      'the copyright holder nor the names of its',
      'Acme, Inc. nor the names of its',
    ),
    'BSD-3-Clause',
  );
  assertIs(
    textOf('BSD-3-Clause').replaceAll('COPYRIGHT HOLDERS AND CONTRIBUTORS', 'REGENTS AND CONTRIBUTORS'),
    'BSD-3-Clause',
  );
  assertIs(textOf('ISC').replaceAll(/\bISC (?=DISCLAIMS|BE LIABLE)/g, 'THE AUTHOR '), 'ISC');
});

const after = (id: string, anchor: string, added: string): string => {
  const text = textOf(id);
  assert.ok(text.includes(anchor), anchor);
  return text.replace(anchor, () => `${anchor}${added}`);
};
const swapped = (id: string, from: string, to: string): string => {
  const text = textOf(id);
  assert.ok(text.includes(from), from);
  return text.replace(from, to);
};

/** Texts that a hurried reader takes for a permissive license. */
const NEAR_MISSES: Readonly<Record<string, { text: string; near?: string; added?: RegExp }>> = {
  'Apache with a clause on use': {
    text: after(
      'Apache-2.0',
      'END OF TERMS AND CONDITIONS',
      '\n\n10. Field of Use. You may not use the Work for military purposes.',
    ),
    near: 'Apache-2.0',
    added: /field of use you may not use the work for military purposes/,
  },
  'Apache with a limit on users': {
    text: after(
      'Apache-2.0',
      'otherwise complies with the conditions stated in this License.',
      ' You must request a license if you have more than 700 million monthly active users.',
    ),
    near: 'Apache-2.0',
  },
  'Apache and a prohibited use policy behind it': {
    text: `${textOf('Apache-2.0')}\n\nAttachment A\n\nUse Restrictions\n\nYou agree not to use the Model to harm minors.\n`,
    near: 'Apache-2.0',
  },
  'Apache without its patent grant': {
    text: textOf('Apache-2.0').replace(/3\. Grant of Patent License[\s\S]*?(?=4\. Redistribution)/, ''),
    near: 'Apache-2.0',
  },
  'Apache with a condition in the title': {
    text: `Apache License 2.0 for non-commercial use\n\n${textOf('Apache-2.0')}`,
  },
  'Apache with a condition in the copyright line': {
    text: `Copyright 2024 Acme, for research use only\n\n${textOf('Apache-2.0')}`,
    near: 'Apache-2.0',
    added: /for research use only/,
  },
  'MIT for some fields': {
    text: after('MIT', 'without restriction', ', except for surveillance'),
    near: 'MIT',
    added: /except for surveillance/,
  },
  'MIT for non-commercial use': {
    text: swapped('MIT', 'to any person', 'to any person for non-commercial use'),
    near: 'MIT',
  },
  'MIT without the right to sell': { text: swapped('MIT', ', and/or sell\ncopies', ' copies'), near: 'MIT' },
  'MIT that asks to show a name': {
    text: `${textOf('MIT')}\n\nOur only modification is that products with more than 100 million users shall display "Acme".\n`,
    near: 'MIT',
  },
  'MIT named modified': {
    text: `Modified MIT License\n\n${textOf('MIT').slice(textOf('MIT').indexOf('Permission'))}`,
  },
  'MIT with one word taken out': { text: swapped('MIT', 'free of charge, ', ''), near: 'MIT' },
  'MIT and another licence': { text: `${textOf('MIT')}\n\n${textOf('CC-BY-NC-4.0')}` },
  'BSD with a restriction': {
    text: `${textOf('BSD-3-Clause')}\n\n4. Redistribution to competitors is not permitted.\n`,
    near: 'BSD-3-Clause',
  },
  'BSD for education': {
    text: swapped('BSD-2-Clause', 'Redistribution and use', 'Redistribution and educational use'),
    near: 'BSD-2-Clause',
  },
  'BSD without modification': {
    text: swapped('BSD-2-Clause', 'with or without modification', 'without modification'),
    near: 'BSD-2-Clause',
  },
  'ISC with a fee': { text: swapped('ISC', 'with or without fee', 'with a fee'), near: 'ISC' },
  'CC0 with a promise': {
    text: `${textOf('CC0-1.0')}\n\n5. Affirmer asks that the Work is not used to train models.\n`,
    near: 'CC0-1.0',
  },
  'Unlicense for individuals': {
    text: swapped('Unlicense', 'Anyone is free', 'Any individual is free'),
    near: 'Unlicense',
  },
  'a licence that names MIT': {
    text: 'This model is released under terms similar to the MIT License. Ask us.',
  },
  'a link in place of a text': {
    text: 'Apache License 2.0: see https://www.apache.org/licenses/LICENSE-2.0',
  },
};

describe('near misses are none', () => {
  for (const [name, { text, near, added }] of Object.entries(NEAR_MISSES)) {
    test(name, () => {
      const identity = identifier.identify(text);
      assert.notEqual(identity.kind, 'spdx', JSON.stringify(identity));
      if (near === undefined) return;
      assert.ok(identity.kind === 'modified' && identity.id === near, JSON.stringify(identity));
      if (added !== undefined) assert.match(identity.added ?? '', added);
    });
  }
});

describe('licenses that SPDX has no id for are known by their titles', () => {
  const cases: ReadonlyArray<[string, string]> = [
    ['LLAMA 2 COMMUNITY LICENSE AGREEMENT\nLlama 2 Version Release Date: July 18, 2023', 'llama2'],
    [
      'META LLAMA 3 COMMUNITY LICENSE AGREEMENT\n\nMeta Llama 3 Version Release Date: April 18, 2024',
      'llama3',
    ],
    ['LLAMA 3.1 COMMUNITY LICENSE AGREEMENT\n\nLlama 3.1 Version Release Date: July 23, 2024', 'llama3.1'],
    ['**LLAMA 3.2 COMMUNITY LICENSE AGREEMENT**', 'llama3.2'],
    ['LLAMA 3.3 COMMUNITY LICENSE AGREEMENT', 'llama3.3'],
    ['LLAMA 4 COMMUNITY LICENSE AGREEMENT', 'llama4'],
    ['# Llama 3.1 Acceptable Use Policy', 'llama3.1'],
    ['Gemma Terms of Use\n\nLast modified: April 1, 2024', 'gemma'],
    ['DEEPSEEK LICENSE AGREEMENT\n\nVersion 1.0, 23 October 2023', 'deepseek'],
    ['Qwen LICENSE AGREEMENT\n\nQwen LICENSE AGREEMENT Release Date: September 19, 2024', 'qwen'],
    ['Qwen RESEARCH LICENSE AGREEMENT', 'qwen-research'],
    ['Tongyi Qianwen LICENSE AGREEMENT', 'tongyi-qianwen'],
    ['Falcon 2 11B TII License Version 1.0\nMay 2024', 'falcon-llm-license'],
    ['BigScience RAIL License v1.0\n\ndated May 19, 2022', 'bigscience-bloom-rail-1.0'],
    ['BigScience Open RAIL-M License\n\ndated August 18, 2022', 'bigscience-openrail-m'],
    ['BigCode Open RAIL-M v1 License Agreement', 'bigcode-openrail-m'],
    [
      'Copyright (c) 2022 Robin Rombach\n\nCreativeML Open RAIL-M\ndated August 22, 2022',
      'creativeml-openrail-m',
    ],
    ['CreativeML Open RAIL++-M License\ndated November 24, 2022', 'openrail++'],
    ['STABILITY AI COMMUNITY LICENSE AGREEMENT', 'stabilityai-ai-community'],
    ['FLUX.1 [dev] Non-Commercial License', 'flux-1-dev-non-commercial-license'],
    ['Mistral AI Research License\n\nIf You want to use a Mistral Model', 'mrl'],
    ['NVIDIA Open Model License Agreement', 'nvidia-open-model-license'],
    ['TENCENT HUNYUAN COMMUNITY LICENSE AGREEMENT', 'hunyuan-community'],
  ];
  for (const [text, id] of cases) {
    test(id, () => {
      const identity = identifier.identify(
        `${text}\n\nBy clicking "I Accept" you agree to be bound by this Agreement.\n`,
      );
      assert.ok(identity.kind === 'community' && identity.id === id, JSON.stringify(identity));
    });
  }
  const notices: ReadonlyArray<[string, string]> = [
    [
      'Llama 3.2 is licensed under the Llama 3.2 Community License, Copyright © Meta. All Rights Reserved.',
      'llama3.2',
    ],
    ['Built with Llama. See the model card of the base model for its terms.', 'llama-unversioned'],
    [
      'Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms',
      'gemma',
    ],
    [
      'DBRX is provided under and subject to the Databricks Open Model License, Copyright © Databricks, Inc.',
      'databricks-open-model-license',
    ],
    [
      'Qwen is licensed under the Qwen LICENSE AGREEMENT, Copyright (c) Alibaba Cloud. All Rights Reserved.',
      'qwen',
    ],
    [
      'This Stability AI Model is licensed under the Stability AI Community License.',
      'stabilityai-ai-community',
    ],
    ['Licensed by NVIDIA Corporation under the NVIDIA Open Model License.', 'nvidia-open-model-license'],
    [
      'Tencent Hunyuan is licensed under the Tencent Hunyuan Community License Agreement.',
      'hunyuan-community',
    ],
    ['You agree to the use-based restrictions as referenced in paragraph 5.', 'openrail'],
    [`${'lorem ipsum '.repeat(80)}\nLLAMA 2 COMMUNITY LICENSE AGREEMENT`, 'llama2'],
    [`${textOf('MIT')}\n\nLlama 3.1 Acceptable Use Policy`, 'llama3.1'],
  ];
  test('a permissive license beside a name of theirs is not one of them', () => {
    for (const text of [
      'Built with llama.cpp, which is under the MIT license.',
      'This product includes software developed by NVIDIA under the Apache License.',
      'GLM 5 under MIT license',
      'Skywork weights are under the Apache license',
    ]) {
      assert.notEqual(identifier.identify(text).kind, 'community', text);
    }
  });
  for (const [text, id] of notices) {
    test(`by their words in a notice: ${id}`, () => {
      const identity = identifier.identify(text);
      assert.ok(identity.kind === 'community' && identity.id === id, JSON.stringify(identity));
    });
  }
});

/** Words that change what a license permits, each of them tried at another place of it. */
const ADDED = 'not only except non-commercial shall research military fee Acme'.split(' ');
/** How many places apart: each one in the long form. */
const STRIDE = process.env.WEIGHBRIDGE_LONG === '1' ? 1 : 23;

describe('no word can be put into a permitted license, or taken out of it, and it stays that license', () => {
  const permitted = createLicenseIdentifier(
    WHITELIST.map(id => licenseTemplate(id, list[id]?.name ?? '', textOf(id))),
  );
  for (const id of WHITELIST) {
    test(id, () => {
      const text = textOf(id);
      const words = text
        .slice(text.search(/Permission|Redistribution|TERMS AND|Statement of Purpose|This is free/))
        .split(/(\s+)/);
      const assertChanged = (changed: string[], index: number): void => {
        const place = changed.slice(Math.max(0, index - 12), index + 12).join('');
        assert.notEqual(permitted.identify(changed.join('')).kind, 'spdx', place);
      };
      let changes = 0;
      for (let index = 0; index < words.length; index += 2 * STRIDE) {
        // What may be filled in (names, titles) is elsewhere; here every word is the license's own.
        if (isFilledIn(words, index)) continue;
        const added = words.toSpliced(index, 0, ADDED[index % ADDED.length] ?? '', ' ');
        if (!isFilledIn(added, index)) assertChanged(added, index);
        const isWord = /\w{3}/.test(words[index] ?? '') && !NUMBERING.test(words[index] ?? '');
        if (isWord) assertChanged(words.toSpliced(index, 1), index);
        changes += 1;
      }
      assert.ok(changes > 0);
    });
  }
});

/** Any numbering will do, and none, says the SPDX guideline. */
const NUMBERING = /^\([ivx]+\)$|^[ivx]+\.$/;

/**
 * Whether a word stands where each has his own: names of holders, the notice to attach, how to apply it. SPDX's template of
 * BSD-2-Clause lets the word after "use of this" be left out.
 */
function isFilledIn(words: readonly string[], index: number): boolean {
  const before = words
    .slice(Math.max(0, index - 30), index)
    .join('')
    .toLowerCase()
    .replace(/\s+/g, ' ');
  const behind = words
    .slice(index, index + 30)
    .join('')
    .toLowerCase()
    .replace(/\s+/g, ' ');
  const all = `${before}${behind}`;
  return /copyright|in no event (shall|will)|provided by|disclaims|neither the name|end of terms|unlicense\.org|curly|out of the use of this/.test(
    all,
  );
}

test('the usual licenses among themselves are found as they are among all, and nothing else is', async () => {
  const usual = await loadUsualIdentifier();
  let found = 0;
  for (const [id, { licenseText: text }] of Object.entries(list)) {
    const quick = usual.identify(text);
    if (quick.kind !== 'spdx') continue;
    found += 1;
    assert.deepEqual(quick, identifier.identify(text), id);
  }
  assert.ok(found >= 6);
  const identify = createTextIdentifier();
  assert.deepEqual(await identify(textOf('Zlib')), { kind: 'spdx', ids: ['Zlib'] });
});
