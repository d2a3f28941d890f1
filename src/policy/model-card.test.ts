import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readModelCard } from './model-card.ts';

const says = (text: string, id = 'acme/x'): string | undefined => readModelCard(text, id).restriction;

/** Each with its text. */
const SECTIONS = [
  'Licence\nCe modèle est réservé à un usage de recherche et ne peut être redistribué.',
  'Lizenz\nDie Weitergabe der Gewichte an Dritte bedarf unserer Zustimmung.',
  'Licença\nUso exclusivo para pesquisa.',
  'Licenza\nIl modello è destinato esclusivamente a scopi di ricerca.',
  'Lisans\nBu model yalnızca araştırma amaçlı kullanılabilir.',
  'Giấy phép\nMô hình chỉ dành cho mục đích nghiên cứu.',
  'Lisensi\nModel ini hanya untuk penelitian.',
  'مجوز\nاستفاده از این مدل فقط برای اهداف پژوهشی مجاز است.',
  'Licentie\nAlleen voor onderzoeksdoeleinden.',
  'Ліцензія\nМодель призначена лише для досліджень.',
  'लाइसेंस\nयह मॉडल केवल अनुसंधान के लिए है।',
  'Άδεια\nΜόνο για ερευνητική χρήση.',
  'Licenc\nCsak kutatási célra használható.',
  'Lisenssi\nVain tutkimuskäyttöön.',
  'Licență\nDoar pentru cercetare.',
  'Licens\nModellen må kun bruges til forskning.',
  'רישיון\nלשימוש מחקרי בלבד.',
  'License\nThis model is free for academic research.',
  'License\nResearch use.',
  'License\nllama3.1',
  'License\nother',
  'License\nThe license is the same as the original Llama 2 model.',
  'License\nThe license can be revoked at any time.',
  'License\nBoth code and weights are under the [Modified MIT License](LICENSE).',
  'License\nYou must prominently display "Acme" on your website.',
];

const PLAIN_WORDS = [
  'This release is for research purposes only in support of an academic paper.',
  'Please do not redistribute the weights.',
  'You are not allowed to use this model in merges without asking.',
  'For personal use only.',
  'Commercial use requires a license.',
  'If you want to use it commercially, reach out to us.',
  'It is intended only for academic research and any commercial use is prohibited.',
  'It is open for academic research and free for commercial use, with permission via applications.',
  'The use of MedX is governed by the Health AI Developer Foundations terms of use.',
];

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
    ...SECTIONS.map(section => `# X\n## ${section}`),
    `## License\n${'word '.repeat(400)}may only be used for non-commercial research.`,
    '---\nlicense: mit\nextra_gated_fields:\n  I agree to use this model for non-commercial use ONLY: checkbox\n---\n# X',
    ...PLAIN_WORDS.map(words => `# X\n${words}`),
    '# X\n**Built with Llama**',
    '# X\n<details><summary>License</summary>\n\nYou may not redistribute the weights.\n\n</details>',
    '**Usage and License Notices**: Users must comply with the terms of the original licenses (e.g. Llama community license for LLaMA-2).',
    '| part | license |\n|---|---|\n| code | MIT |\n| weights | CC BY-NC 4.0 |',
    '**Terms of Use**: [Terms][terms]\n\n[terms]: https://ai.google.dev/gemma/terms',
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
    '## License\nModel: Apache 2.0. Dataset: CC-BY-SA 4.0.',
    '## License\nThe models are under the Apache License 2.0. This license permits commercial use, subject to its terms and conditions.',
    '## License\nThis model follows the Apache 2.0 license of its base model.',
    '**License**: [Apache 2.0](https://ai.google.dev/gemma/docs/gemma_4_license) | **Authors**: [Acme](https://acme.example/models/gemma/)',
    'This model is ready for commercial/non-commercial use.',
    'Built with LLaMA-Factory.',
    '**Dataset license**: CC-BY-NC-4.0',
    '**Training data license:** CC-BY-NC-4.0',
    'For commercial support contact us.',
    'Please consult an attorney before using this model for commercial purposes.',
    '- **License:** [More Information Needed]',
    '| Weights | 14 GB |',
    '---\nextra_gated_fields:\n  Name: text\n  Purpose:\n    type: select\n    options: [Research, Education, Other]\n---\n# X',
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

test('a card of several models that has their addresses tells them apart', () => {
  const text = `${[
    'Acme-R1',
    'Acme-R1-Zero',
    'Acme-R1-Distill-Llama-8B',
    'Acme-R1-Distill-Qwen-7B',
    'Acme-R1-Distill-Qwen-14B',
  ]
    .map(name => `| [${name}](https://huggingface.co/acme/${name}) |`)
    .join('\n')}\n${SIBLINGS}`;
  assert.equal(says(text, 'acme/Acme-R1-Zero'), undefined);
  assert.ok(says(text, 'other/Acme-R1-Zero') !== undefined);
  assert.ok(says(text, 'acme/Acme-R1-Distill-Llama-8B') !== undefined);
});

test('a card names the family that the model was, not what it resembles or was taught by', () => {
  const familyOf = (text: string): string | undefined => readModelCard(text, 'acme/x').family?.family;
  for (const text of [
    'This is a fine-tuned version of Llama 3.1 8B Instruct on our data.',
    'Fine-tuned from LLaMA. These are delta weights.',
    'A LoRA fine-tune of Meta Llama 3 8B.',
    'It is based on Llama 2 13B.',
    'It contains the weights of Llama 3.',
    'This is a merge of Llama-3-8B models.',
    '- **Finetuned from model :** unsloth/llama-3-8b-bnb-4bit',
  ])
    assert.equal(familyOf(text), 'Llama', text);
  assert.equal(familyOf('It was fine-tuned from Gemma-2-2b using a library.'), 'Gemma');
  for (const text of [
    'Fine-tuned from Gemma 4 E4B.',
    'Fine-tuned from falcon-7b.',
    'Fine-tuned on data generated with Llama 3.1 405B.',
    'A version of the Llama 2 architecture trained from scratch.',
    'It uses a variant of the Llama-2 tokenizer.',
    'It is based on the Llama 2 architecture.',
    'This is a quantized version of Qwen2.5-7B, made with llama.cpp.',
    'It outperforms Llama 2 13B.',
  ])
    assert.equal(familyOf(text), undefined, text);
});

test('a merge that the card shows names what was merged', () => {
  const merge = 'models:\n  - model: acme/a\n  - model: acme/b+acme/lora\nbase_model: acme/base\n';
  assert.deepEqual(readModelCard(`\`\`\`yaml\n${merge}merge_method: slerp\n\`\`\``, 'acme/x').bases, [
    'acme/a',
    'acme/b',
    'acme/lora',
    'acme/base',
  ]);
  assert.deepEqual(readModelCard(`\`\`\`yaml\n${merge}\`\`\``, 'acme/x').bases, []);
});

test('a large card of anything is read in time', { timeout: 60_000 }, () => {
  for (const part of ['[', '# License\n', '- ', '**', '| ', 'fine tuned a/b ', '<a '])
    readModelCard(part.repeat(200_000 / part.length), 'acme/x');
});
