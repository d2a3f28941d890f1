import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readModelCard } from './model-card.ts';

const says = (text: string, id = 'acme/x'): string | undefined => readModelCard(text, id).restriction;

test('a card forbids in its license section, in a line of facts, and in plain words elsewhere', () => {
  for (const text of [
    '# X\n## License\nReleased under CC-BY-NC 4.0.',
    '# X\n\nLicense\n-------\nFor commercial use, apply for a license.',
    '# X\n\n**License**\n\nAcademic use only.',
    '<h2 align="center">License</h2>\nOpenRAIL-M',
    '# X\n- **License:** cc-by-nc-4.0\n- Language: en',
    '| License | OpenRAIL-M |',
    '## License\n### Weights\nFor commercial use, apply for a license.',
    'Built with Llama',
    'This model is released under the Gemma Terms of Use.',
    'The weights may be used for research purposes only.',
    '## 许可证\n本模型仅供学术研究使用。',
    '---\nlicense: mit\nextra_gated_prompt: >-\n  ### LLAMA 3.1 COMMUNITY LICENSE AGREEMENT\ntags: [a]\n---\n# X',
  ])
    assert.ok(says(text) !== undefined, text);
});

test('what a card says of data, code, other models, its purpose and its limits forbids nothing', () => {
  for (const text of [
    '## License\nMIT, see LICENSE. Commercial use is allowed.',
    '## License\nThe code is under GPL-3.0. The dataset is CC-BY-NC-4.0.',
    '## Training data\nx (CC-BY-NC-4.0)\n## License\napache-2.0',
    '## Out-of-scope use\nIt should not be used for medical advice.\n## License\nmit',
    '## License\nIt is under Apache 2.0. It is intended for research and educational use in accordance with our guidelines.',
    '| Model | License |\n|---|---|\n| Llama 3 | Llama 3 Community License |',
    '---\nextra_gated_description: If you want to learn more about how we process your personal data, please read our Privacy Policy.\n---',
    '```\nlicense: non-commercial\n```',
    '',
  ])
    assert.equal(says(text), undefined, text);
});

const SIBLINGS = `## License
The weights are licensed under the MIT License. Please note that:
- Acme-R1-Distill-Qwen-7B and Acme-R1-Distill-Qwen-14B are derived from [Qwen](https://huggingface.co/Qwen/Qwen2.5-7B), originally licensed under Apache 2.0.
- Acme-R1-Distill-Llama-8B is derived from Llama3.1-8B and is originally licensed under [llama3.1 license](https://huggingface.co/meta-llama/Llama-3.1-8B/blob/main/LICENSE).
`;

test('a card of several models counts by what it says of this one; of none of them, by all', () => {
  assert.match(says(SIBLINGS, 'acme/Acme-R1-Distill-Llama-8B') ?? '', /llama3\.1/);
  assert.equal(says(SIBLINGS, 'acme/Acme-R1-Distill-Qwen-7B'), undefined);
  assert.equal(says(SIBLINGS, 'acme/Acme-R1'), undefined);
  assert.ok(says(SIBLINGS, 'other/name') !== undefined);
  assert.deepEqual(readModelCard(SIBLINGS, 'acme/Acme-R1-Distill-Qwen-7B').bases, ['Qwen/Qwen2.5-7B']);
});

test('a card names the models that it says it was made from', () => {
  const text =
    'This model is a fine-tuned version of [acme/base](https://huggingface.co/acme/base) on the acme/data dataset. See https://example.org/a/b.';
  assert.deepEqual(readModelCard(text, 'acme/x').bases, ['acme/base', 'acme/data']);
  assert.deepEqual(readModelCard('It uses org/library.', 'acme/x').bases, []);
});

test('a large card of anything is read in time', { timeout: 60_000 }, () => {
  for (const part of ['[', '# License\n', '- ', '**', '| ', 'fine tuned a/b ', '<a '])
    readModelCard(part.repeat(200_000 / part.length), 'acme/x');
});
