import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLinkToOtherTerms } from './license-link.ts';

test('an address tells of terms by its words', () => {
  for (const link of [
    'https://ai.google.dev/gemma/terms',
    'https://mistral.ai/licenses/MRL-0.1.md',
    'https://creativecommons.org/licenses/by-nc/4.0/',
    'https://github.com/Tencent/Tencent-Hunyuan-Large/blob/main/License.docx',
    'https://github.com/meta-llama/llama-models/blob/main/models/llama3_3/LICENSE',
    'https://huggingface.co/spaces/CompVis/stable-diffusion-license',
    'https://acme.example/LICENSE.pdf',
    'TERMS.md',
  ])
    assert.ok(isLinkToOtherTerms(link), link);
});

test('publishers of licenses, pages of models and plain files tell nothing', () => {
  for (const link of [
    '',
    'LICENSE',
    'https://www.apache.org/licenses/LICENSE-2.0',
    'https://choosealicense.com/licenses/mit/',
    'https://github.com/acme/x/blob/main/LICENSE',
    'https://huggingface.co/meta-llama/Llama-3.1-8B/blob/main/LICENSE',
    'https://ai.google.dev/gemma/docs/gemma_4_license',
  ])
    assert.equal(isLinkToOtherTerms(link), false, link);
});
