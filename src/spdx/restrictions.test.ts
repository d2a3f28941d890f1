import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHarmless, restrictionIn } from './restrictions.ts';

const RESTRICTING = [
  'The weights may be used for non-commercial\nresearch only.',
  'You may not redistribute the weights to any third party.',
  'Commercial use needs a written agreement.',
  'For commercial use, please apply for a license at https://example.org.',
  'Built with Llama',
  'Released under the [CC-BY-NC-SA-4.0](https://creativecommons.org/licenses/by-nc-sa/4.0/) license',
  'The model is for academic use.',
  'This grant excludes the European Union.',
  'If you have more than 100 million monthly active users, prominently display our name.',
  'You must not use the model to violate the law or to develop weapons.',
  'Its use is subject to the Model License.',
  'It inherits the [llama3.1 license](https://example.org/LICENSE).',
  '本模型仅供学术研究使用。',
  '商用利用は禁止します。',
  '상업적 이용을 금지합니다.',
  'Nur für Forschungszwecke.',
  'Eine Nutzung bedarf unserer Zustimmung.',
  'It is free for academic research.',
  'This license can be revoked.',
  'The grant terminates if you use the model for commercial purposes.',
  'Weights: CC-BY-NC-4.0',
  'Réservé à un usage non commercial.',
  'Solo para uso no comercial.',
  'Только для исследований.',
];

const NOT_RESTRICTING = [
  'You must not use the model to violate any applicable law.',
  'Users are responsible for complying with all applicable laws and regulations.',
  'It may be used for commercial and non-commercial purposes.',
  'This model is licensed under the Apache License 2.0.',
  'You may not use this file except in compliance with the License.',
  'You may obtain a copy of the License at http://www.apache.org/licenses/LICENSE-2.0',
  'Neither the name of the holder nor the names of its contributors may be used to endorse or promote products.',
  'The Qwen Apache 2.0 license applies.',
  'The authors are not responsible for any misuse.',
  '允许商业使用，完全开放。',
  'It is ready for commercial/non-commercial use.',
  'These terms cannot be revoked.',
];

test('the sentence that restricts is found, in the languages of model cards', () => {
  for (const text of RESTRICTING) {
    assert.ok(restrictionIn(`Some words before.\n\n${text}\n\nAnd after.`) !== undefined, text);
    assert.equal(isHarmless(text), false, text);
  }
});

test('permission, and what the law says anyway, restrict nothing', () => {
  for (const text of NOT_RESTRICTING) assert.equal(restrictionIn(text), undefined, text);
});

test('a policy that asks for no more than to obey the law is harmless', () => {
  assert.ok(
    isHarmless(
      '# Usage policy\nWe want our tools to be safe. By using Acme-1, you agree to comply with all applicable law.',
    ),
  );
  for (const text of [
    'You must comply with all applicable laws when using this model.',
    'Users are responsible for ensuring that their use complies with applicable laws.',
    'Do not use the model for illegal purposes.',
  ])
    assert.ok(isHarmless(text), text);
  for (const text of [
    'You must comply with all applicable laws and our policy when using this model.',
    'Do not use the model for military purposes.',
    'By using Acme-1, you agree to our terms.',
    'You agree to comply with all applicable law and with our terms at https://example.org.',
    'Соблюдайте закон.',
    `${'It is safe. '.repeat(400)}`,
  ])
    assert.equal(isHarmless(text), false, text);
});

test('what is quoted is one line of bounded length', () => {
  const quoted = restrictionIn(`No commercial use ${'of this and that '.repeat(500)}`) ?? '';
  assert.match(quoted, /^No commercial use of this/);
  assert.ok(quoted.length < 170);
});
