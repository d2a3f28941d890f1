import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import list from 'spdx-license-list/full.js';
import { createLicenseIdentifier, type LicenseIdentity } from './identify-license.ts';
import { licenseTemplate } from './license-template.ts';

const textOf = (id: string): string => list[id]?.licenseText ?? '';
const identifier = createLicenseIdentifier(
  ['MIT', 'Apache-2.0', 'BSD-3-Clause', 'ISC', 'CC-BY-4.0', 'CC-BY-NC-4.0', 'Unlicense'].map(id =>
    licenseTemplate(id, list[id]?.name ?? '', textOf(id)),
  ),
);
const TERMS = textOf('MIT').slice(textOf('MIT').indexOf('Permission'));
const APACHE = textOf('Apache-2.0');

function isPermissive(identity: LicenseIdentity): boolean {
  return ['spdx', 'declaration', 'harmless', 'several'].includes(identity.kind);
}

/** What a clause was tried to hide in, by where it is. */
const NOTICES = [
  'Copyright (c) 2024 Acme. This grant excludes the European Union.',
  'Copyright (c) 2024 Acme - for academic and personal evaluation purposes',
  'Copyright (c) 2024 Acme (research and teaching)',
  'Copyright (c) 2024 Acme: Ask First',
  'Copyright (c) 2024 Acme. Notify Us.',
  'Copyright (c) 2024 Acme; charges apply',
  'Copyright (c) 2024 Acme, Europe excluded',
  'Copyright (c) 2024 Acme BY-NC-ND',
  'Copyright (c) 2024 Acme Expires 2025-01-01',
  'Copyright (c) 2024 Acme Pas Pour La Vente',
  'Copyright (c) 2024 Acme Ohne Verkauf',
  'Copyright (c) 2024 Acme Tidak Boleh Dijual',
  'Copyright (c) 2024 Customers Of Acme Alone',
  'Copyright (c) 2024 Acme. Ask Acme.',
  'COPYRIGHT (C) 2024 ACME. NO MILITARY USERS',
  'COPYRIGHT 2024 ACME USAGE COMMERCIAL INTERDIT',
  '© 2024 Acme, nur für Forschung',
  '(c) 2024 Acme uso no comercial',
  'Copyright 2024 Acme только для исследований',
  'Copyright 2024 Acme (학술 연구 전용)',
  'Copyright (c) 2024 Acme, tidak untuk komersial',
  'Copyright (c) 2024 示例公司 仅供学术研究，禁止商用',
  'Copyright 2024 Acme 商用利用禁止',
  '(c) 2024 Acme: companies pay.',
  'Copyright (c) 2024 Acme https://acme.example/eula',
  'Copyright (c) 2024 Acme. See TERMS.md',
  'SPDX-FileCopyrightText: 2024 Acme, research only',
  'SPDX-License-Identifier: MIT AND LicenseRef-Acme',
  'All rights reserved except for students.',
];
const HEADINGS = [
  'MIT License (research edition)',
  'MIT License for Schools',
  'The code is released under the MIT license; weights are not.',
  'Licensed to Acme customers under the MIT license',
  'Acme Evaluation Copy',
  'Commercial License',
  'CC BY-NC 4.0',
  'Nur Forschung',
  '仅供研究',
  'Students Only',
];
const MARKUP = [
  '<b non-commercial use only>',
  '<p title="not for commercial use">Acme</p>',
  '<!-- not for commercial use -->',
  '<a href="https://acme.example/terms">MIT License</a>',
  '[MIT License](https://acme.example/commercial-terms.html)',
  '[MIT License](TERMS.md)',
  '[MIT License][1]\n\n[1]: https://acme.example/commercial',
  'Ⓝⓞⓣ ⓕⓞⓡ ⓢⓐⓛⓔ',
  '\u{1f15d}\u{1f15e}\u{1f163} for sale',
  '&#110;on-commercial',
  '(n) (o) (t) (f) (o) (r) (s) (a) (l) (e)',
  '1. a. not. for. sale.',
];

describe('a clause hides nowhere', () => {
  for (const [place, clauses] of Object.entries({ NOTICES, HEADINGS, MARKUP })) {
    for (const clause of clauses) {
      test(`${place}: ${clause}`, () => {
        const above = identifier.identify(`MIT License\n\n${clause}\n\n${TERMS}`);
        assert.ok(!isPermissive(above), JSON.stringify(above));
        const below = identifier.identify(
          `MIT License\n\nCopyright (c) 2024 Acme\n\n${TERMS}\n\n${clause}\n`,
        );
        assert.ok(!isPermissive(below), JSON.stringify(below));
      });
    }
  }

  const bsd = textOf('BSD-3-Clause');
  const changed: Readonly<Record<string, string>> = {
    'in the name that may not be used': bsd.replace(
      'the copyright holder nor',
      'Acme (which forbids all commercial use of this software) nor',
    ),
    'in capital letters there': bsd.replace('the copyright holder nor', 'ACME WHO FORBIDS SALE nor'),
    'with who provides it': bsd.replace(
      'BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS',
      'BY ACME TO ACADEMIC USERS ONLY, NOT FOR SALE,',
    ),
    'with who is not liable': bsd.replace(
      'SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS',
      'SHALL ACME, WHICH CHARGES FEES,',
    ),
    'with who disclaims': textOf('ISC').replace('ISC DISCLAIMS', 'THE AUTHOR, WHO FORBIDS RESALE, DISCLAIMS'),
    'in the notice of an appendix': APACHE.replace(
      '[name of copyright owner]',
      '[name of copyright owner], for research only',
    ),
    'far below': `${textOf('MIT')}${'\n'.repeat(5000)}Not for commercial use.`,
    'as a tail of words of titles': `${textOf('MIT')}\nThis license is version 2.0 of the terms`,
  };
  for (const [place, text] of Object.entries(changed)) {
    test(place, () => {
      const identity = identifier.identify(text);
      assert.ok(!isPermissive(identity), JSON.stringify(identity));
    });
  }
});

test('a reason has the longest addition, not the title', () => {
  const clause = 'You must show the name of Acme in every product with more than a million users.';
  const identity = identifier.identify(`Acme MIT\n\n${TERMS}\n\n${clause}\n`);
  assert.ok(identity.kind === 'modified', JSON.stringify(identity));
  assert.match(identity.added ?? '', /^you must show the name of acme in every product with more than/);
});

const HOLDERS = [
  'Copyright Jason R. Coombs.',
  'Copyright (c) 2023-2024 Jane Roe <jane@example.org>\nCopyright (c) 2024 Example AI, Inc. and affiliates.',
  'Copyright (c) 2024 Example AI and contributors (see AUTHORS file)',
  'Copyright © 2024 Société Générale d’IA',
  'Copyright (c) 2023-2025 The ggml authors',
  'Copyright (c) 2024 xAI Corp.',
  'Copyright (c) 2022, Salesforce.com, Inc.\nAll rights reserved.',
  'Copyright (c) 2023 Allen Institute for AI',
  'Copyright 2018- The Hugging Face team. All rights reserved.',
  'Copyright (C) 2024 01.AI',
  '(C) Copyright 2024 IBM Corp.',
  '版权所有 (c) 2024 示例公司',
  'Copyright 2024 上海人工智能实验室',
  'Copyright (c) 2023 潘其威(William)',
  'copyright (c) 2024 stability ai',
  'Copyright (c) the authors of acme/tiny-1b',
  'SPDX-FileCopyrightText: Copyright (c) 2024 NVIDIA CORPORATION & AFFILIATES. All rights reserved.\nSPDX-License-Identifier: MIT',
  'SPDX-FileCopyrightText: 2024 Acme AI',
  'Copyright \ufffd 2024 Soci\ufffdt\ufffd G\ufffdn\ufffdrale',
];
const TITLES = [
  'Microsoft.',
  '# DeepSeek-V3',
  'The MIT License (MIT)',
  'License: MIT',
  'MIT LICENSE\n===========',
  '---\nlicense: mit\n---',
  '<h1>MIT License</h1>',
  '# The [MIT License](https://opensource.org/licenses/MIT)',
  'ExampleLM is released under the MIT License.',
  'The model weights and code are licensed under the MIT License.',
  'This repository is licensed under the MIT License (see below).',
];

describe('who holds the copyright, and what stands above a license, is not a change', () => {
  for (const line of HOLDERS) {
    test(line.replaceAll('\n', ' / '), () => {
      const identity = identifier.identify(`MIT License\n\n${line}\n\n${TERMS}`);
      assert.deepEqual(identity, { kind: 'spdx', ids: ['MIT'] });
    });
  }
  for (const title of TITLES) {
    test(title.replaceAll('\n', ' / '), () => {
      const identity = identifier.identify(`${title}\n\nCopyright (c) 2024 Acme AI\n\n${TERMS}`);
      assert.deepEqual(identity, { kind: 'spdx', ids: ['MIT'] });
    });
  }
  test('Unlicense without its last line', () => {
    const short = textOf('Unlicense').replace(/For more information[\s\S]*/, '');
    assert.deepEqual(identifier.identify(short), { kind: 'spdx', ids: ['Unlicense'] });
  });
  test('two licenses in one file', () => {
    const text = `# MIT License\n\nCopyright (c) 2024 Acme\n\n${TERMS}\n\n# Apache License\n\n${APACHE}`;
    assert.deepEqual(identifier.identify(text), {
      kind: 'several',
      parts: [
        { kind: 'spdx', ids: ['MIT'] },
        { kind: 'spdx', ids: ['Apache-2.0'] },
      ],
    });
  });
});

describe('a text that only says which license it is', () => {
  const notice = APACHE.slice(APACHE.lastIndexOf('Licensed under the Apache'));
  const declared: ReadonlyArray<readonly [string, string]> = [
    ['SPDX-License-Identifier: Apache-2.0', 'Apache-2.0'],
    ['SPDX-License-Identifier: MIT OR Apache-2.0', 'MIT OR Apache-2.0'],
    ['This model is licensed under the Apache License 2.0.', 'Apache-2.0'],
    ['This model is released under the Apache 2.0 license. See LICENSE for details.', 'Apache-2.0'],
    ['MIT License\n\nCopyright (c) 2024 Acme AI\n', 'MIT'],
    ['Apache License\nVersion 2.0, January 2004\nhttp://www.apache.org/licenses/', 'Apache-2.0'],
    [`Copyright 2024 Acme AI\n\n${notice}`, 'Apache-2.0'],
    ['https://www.apache.org/licenses/LICENSE-2.0.txt', 'Apache-2.0'],
    [
      '# License\n\nThe weights are released under the [MIT license](https://opensource.org/license/mit).',
      'MIT',
    ],
    ['Model weights: Apache 2.0', 'Apache-2.0'],
    ['This work is licensed under a Creative Commons Attribution 4.0 International License.', 'CC-BY-4.0'],
    ['license: cc-by-nc-4.0', 'CC-BY-NC-4.0'],
  ];
  for (const [text, spdx] of declared) {
    test(text.slice(0, 60), () => assert.deepEqual(identifier.identify(text), { kind: 'declaration', spdx }));
  }

  const others = [
    'The code is licensed under the MIT license, the weights are not.',
    'This model is dual licensed under the MIT license.',
    'This model is released under terms similar to the MIT license.',
    'Released under the MIT license to students.',
    'MIT license, see https://acme.example/terms',
    'Anyone from a school may run this model.',
  ];
  for (const text of others) {
    test(`not: ${text}`, () => assert.ok(!isPermissive(identifier.identify(text)), text));
  }

  test('what says nothing is harmless', () => {
    for (const text of [
      '',
      ' \n\u00a0\n',
      'Copyright (c) 2024 Acme AI\n',
      'By using it you agree to comply with all applicable law.',
    ]) {
      assert.equal(identifier.identify(text).kind, 'harmless', text);
    }
  });
});
