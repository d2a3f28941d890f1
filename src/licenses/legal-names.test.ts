import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOfName, type LegalKind, partWords } from './legal-names.ts';

const NAMES: Readonly<Record<LegalKind | 'none', readonly string[]>> = {
  license: [
    ...[
      'LICENSE',
      'license.txt',
      'LICENCE.md',
      'COPYING',
      'LICENSING.md',
      'LlamaLicense.txt',
      'LICENSE_3.1',
      'LICENSE.llama',
    ],
    ...[
      'CodeLlama-LICENSE.txt',
      'ModelLicenseAgreement.txt',
      'EULA',
      'MODEL_AGREEMENT.txt',
      'OpenRAIL.txt',
      'RAIL-M.md',
    ],
    ...[
      'NON-COMMERCIAL.txt',
      'CC-BY-NC-4.0.txt',
      'LIZENZ.txt',
      'LICENCIA.md',
      '许可协议.txt',
      'ライセンス',
      '라이선스.md',
      'лицензия.txt',
    ],
    ...[
      'LICENSES/MIT.txt',
      'license/llama.txt',
      'third/LICENSE',
      'LICENSE.json',
      'LICENSE.docx',
      'Acme_LICENSE.pdf',
    ],
  ],
  notice: ['NOTICE', 'Notice.txt', 'THIRD_PARTY_NOTICES.txt'],
  policy: [
    ...[
      'USE_POLICY.md',
      'USAGE_POLICY',
      'docs/ACCEPTABLE_USE_POLICY.md',
      'ACCEPTABLE_USE.txt',
      'AUP.md',
      'Responsible_Use.md',
    ],
    ...['TERMS.md', 'ToU.txt', '使用条款.md', 'Nutzungsbedingungen.txt'],
  ],
  statement: [
    'DISCLAIMER.md',
    'COPYRIGHT',
    'PATENTS',
    'Attribution.txt',
    'third-party-licenses.txt',
    '免责声明.md',
  ],
  none: [
    ...[
      'README.md',
      'CHANGELOG.md',
      'CODE_OF_CONDUCT.md',
      'PRIVACY_POLICY.md',
      'SECURITY.md',
      'requirements.txt',
      'merges.txt',
    ],
    ...['policy_config.json', 'license_plates.jpg', 'LICENSES/README.md', 'usage.md'],
  ],
};

test('a name tells a legal text, in the languages and scripts that people write', () => {
  for (const [kind, names] of Object.entries(NAMES))
    for (const name of names) assert.equal(kindOfName(name) ?? 'none', kind, name);
});

test('code and others are words of a name, not letters in it', () => {
  for (const name of [
    'LICENSE-CODE',
    'code_license.txt',
    'CodeLicense.md',
    'LICENSE.code',
    'third-party-LICENSE',
  ])
    assert.ok(partWords(name), name);
  for (const name of [
    'CodeLlama-LICENSE.txt',
    'LICENSE-StarCoder',
    'encoder-LICENSE',
    'LICENSE',
    'Code-Llama-LICENSE',
    'LICENSE-thirdeye',
  ])
    assert.ok(!partWords(name), name);
});
