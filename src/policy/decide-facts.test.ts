import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { ModelConfig } from '../config/types.ts';
import {
  ancestor,
  community,
  hubFile,
  missing,
  modelConfig,
  policyFacts,
  textOf,
  textThatIs,
  usePolicy,
} from './decide.fixtures.ts';
import { decide } from './decide.ts';
import type { LegalText, PolicyFacts } from './facts.ts';

interface Case {
  /** A model whose card and repository look so, or what is odd about it. */
  readonly name: string;
  readonly facts: PolicyFacts;
  readonly file?: Partial<ModelConfig>;
  readonly fat: boolean;
  readonly rule: string;
  readonly spdx?: string | null;
  readonly says?: RegExp;
}

const permitted = { fat: true, rule: 'license-permitted' };
const contradicted = { fat: false, rule: 'license-contradicted' };
const badLineage = { fat: false, rule: 'lineage-not-permitted' };
const LLAMA31 = ancestor('meta-llama/Llama-3.1-8B', 'llama3.1', { gated: 'manual' });
const changed = textThatIs('LICENSE', {
  kind: 'modified',
  id: 'Apache-2.0',
  added: 'you may not use the work for surveillance',
  removed: null,
});
const HIDDEN: LegalText = {
  path: 'LICENSE',
  about: 'model',
  identity: { kind: 'unread', why: 'the model is gated', isHidden: true },
};
const unknownText = textThatIs('LICENSE', { kind: 'unknown' });

const CASES: readonly Case[] = [
  // The card and the texts of the repository.
  {
    name: 'Qwen2.5-7B: Apache card and file',
    facts: policyFacts('apache-2.0', { texts: [textOf('LICENSE', 'Apache-2.0')] }),
    ...permitted,
  },
  {
    name: 'DeepSeek-R1: MIT card and file',
    facts: policyFacts('mit', { texts: [textOf('LICENSE', 'MIT')] }),
    ...permitted,
  },
  {
    name: 'a file in another spelling',
    facts: policyFacts('mit', { texts: [textOf('License.txt', 'MIT')] }),
    ...permitted,
  },
  {
    name: 'a text that does not tell -only from -or-later',
    facts: policyFacts('gpl-3.0', {
      texts: [textOf('COPYING', 'GPL-3.0', 'GPL-3.0-only', 'GPL-3.0-or-later')],
    }),
    file: { permissiveWhitelist: ['gpl-3.0'] },
    ...permitted,
  },
  {
    name: 'two licenses and both texts',
    facts: policyFacts(['apache-2.0', 'mit'], {
      texts: [textOf('LICENSE-APACHE', 'Apache-2.0'), textOf('LICENSE-MIT', 'MIT')],
    }),
    ...permitted,
  },
  {
    name: 'a choice, one text there',
    facts: policyFacts('mit OR apache-2.0', { texts: [textOf('LICENSE', 'MIT')] }),
    ...permitted,
  },
  {
    name: 'code under another license',
    facts: policyFacts('apache-2.0', {
      texts: [textOf('LICENSE', 'Apache-2.0'), { ...textOf('LICENSE-CODE', 'GPL-3.0'), about: 'part' }],
    }),
    ...permitted,
  },
  {
    name: 'a notice beside it',
    facts: policyFacts('apache-2.0', {
      texts: [textOf('LICENSE', 'Apache-2.0'), textThatIs('NOTICE', { kind: 'unknown' }, 'notice')],
    }),
    ...permitted,
  },
  {
    name: 'Apache card, Llama 2 file',
    facts: policyFacts('apache-2.0', { texts: [community('LICENSE', 'llama2')] }),
    ...contradicted,
    spdx: 'Apache-2.0 AND LicenseRef-llama2',
    says: /The Hub says apache-2\.0, but LICENSE is the text of the llama2 license\. Somebody has to read it: set `permissive: true`/,
  },
  {
    name: 'Apache card, MIT file: both are permitted, and the label has both',
    facts: policyFacts('apache-2.0', { texts: [textOf('LICENSE', 'MIT')] }),
    ...permitted,
    spdx: 'Apache-2.0 AND MIT',
    says: /Its texts are of MIT too/,
  },
  {
    name: 'Apache card, GPL file',
    facts: policyFacts('apache-2.0', { texts: [textOf('LICENSE', 'GPL-3.0')] }),
    ...contradicted,
    spdx: 'Apache-2.0 AND GPL-3.0',
    says: /write `override_spdx: GPL-3.0` if the file is right/,
  },
  {
    name: 'MIT card, non-commercial file',
    facts: policyFacts('mit', { texts: [textOf('LICENSE', 'CC-BY-NC-4.0')] }),
    ...contradicted,
    spdx: 'MIT AND CC-BY-NC-4.0',
  },
  {
    name: 'Apache with an added clause',
    facts: policyFacts('apache-2.0', { texts: [changed] }),
    ...contradicted,
    says: /a changed copy of Apache-2\.0 that adds "you may not use the work for surveillance"/,
  },
  {
    name: 'Apache card, a license of its own',
    facts: policyFacts('apache-2.0', { texts: [unknownText] }),
    ...contradicted,
    spdx: 'Apache-2.0 AND LicenseRef-LICENSE',
    says: /not the text of any license that is known/,
  },
  {
    name: 'MIT card and a use policy',
    facts: policyFacts('mit', { texts: [textOf('LICENSE', 'MIT'), usePolicy()] }),
    ...contradicted,
    says: /USE_POLICY\.md may restrict/,
  },
  {
    name: 'a license in a PDF',
    facts: policyFacts('mit', {
      texts: [
        {
          path: 'LICENSE.pdf',
          about: 'model',
          identity: { kind: 'unread', why: 'it is no plain text', isHidden: false },
        },
      ],
    }),
    ...contradicted,
    says: /could not be read \(it is no plain text\)/,
  },
  {
    name: 'vouched for in spite of it',
    facts: policyFacts('apache-2.0', { texts: [community('LICENSE', 'llama2')] }),
    file: { permissive: true },
    fat: true,
    rule: 'permissive-by-file',
    says: /Beware: LICENSE is the text of the llama2 license/,
  },
  {
    name: 'the file is right',
    facts: policyFacts('apache-2.0', { texts: [textOf('LICENSE', 'MIT')] }),
    file: { overrideSpdx: 'MIT' },
    ...permitted,
    spdx: 'MIT',
  },
  {
    name: 'somebody has read a text that nobody knows',
    facts: policyFacts('other', { texts: [unknownText] }),
    file: { overrideSpdx: 'Apache-2.0' },
    ...permitted,
  },
  {
    name: 'an override against a known text',
    facts: policyFacts('other', { texts: [community('LICENSE', 'gemma')] }),
    file: { overrideSpdx: 'Apache-2.0' },
    ...contradicted,
  },
  {
    name: 'an override against a changed text',
    facts: policyFacts('other', { texts: [changed] }),
    file: { overrideSpdx: 'Apache-2.0' },
    ...contradicted,
  },
  {
    name: 'no license on the card, MIT in the repository',
    facts: policyFacts(null, { texts: [textOf('LICENSE', 'MIT')] }),
    ...permitted,
    spdx: 'MIT',
    says: /the Hub names no license, and LICENSE is the text of MIT/,
  },
  {
    name: 'no license on the card, GPL in the repository',
    facts: policyFacts(null, { texts: [textOf('LICENSE', 'GPL-3.0')] }),
    fat: false,
    rule: 'license-unknown',
    spdx: null,
    says: /Its LICENSE is the text of GPL-3.0: write `override_spdx: GPL-3.0` if that is its license\.$/,
  },
  {
    name: 'other, Qwen license',
    facts: policyFacts('other', { texts: [community('LICENSE', 'qwen')] }),
    fat: false,
    rule: 'license-other',
    says: /Its LICENSE is the text of the qwen license/,
  },
  {
    name: 'llama2 card and file',
    facts: policyFacts('llama2', { texts: [community('LICENSE.txt', 'llama2'), usePolicy()] }),
    fat: false,
    rule: 'license-not-spdx',
    spdx: 'LicenseRef-llama2',
  },
  {
    name: 'not permitted and contradicted',
    facts: policyFacts('cc-by-nc-4.0', { texts: [textOf('LICENSE', 'MIT')] }),
    fat: false,
    rule: 'license-not-permitted',
  },
  {
    name: 'a license that only the tags name',
    facts: policyFacts(null, {
      changes: { license: { license: ['mit'], licenseName: null, licenseLink: null, isFromTags: true } },
    }),
    ...permitted,
  },

  // What it was made from.
  {
    name: 'Llama fine-tune with an MIT card',
    facts: policyFacts('mit', { ancestors: [LLAMA31] }),
    ...badLineage,
    says: /made from meta-llama\/Llama-3\.1-8B, whose license \(llama3\.1\) does not permit it.*Chain: acme\/x ← meta-llama\/Llama-3\.1-8B/,
  },
  {
    name: 'the grandchild of a Llama',
    facts: policyFacts('apache-2.0', {
      ancestors: [
        ancestor('acme/tune', 'apache-2.0'),
        ancestor('meta-llama/Meta-Llama-3-8B', 'llama3', { chain: ['acme/tune'] }),
      ],
    }),
    ...badLineage,
    says: /Chain: acme\/x ← acme\/tune ← meta-llama\/Meta-Llama-3-8B/,
  },
  {
    name: 'DeepSeek-R1-Distill-Qwen: MIT from Apache',
    facts: policyFacts('mit', { ancestors: [ancestor('Qwen/Qwen2.5-Math-1.5B', 'apache-2.0')] }),
    ...permitted,
  },
  {
    name: 'Zephyr: from a gated model under Apache',
    facts: policyFacts('mit', {
      ancestors: [ancestor('mistralai/Mistral-7B-v0.1', 'apache-2.0', { gated: 'auto', texts: [HIDDEN] })],
    }),
    ...permitted,
  },
  {
    name: 'a merge of two, one not permitted',
    facts: policyFacts('apache-2.0', {
      ancestors: [ancestor('a/one', 'apache-2.0'), ancestor('b/two', 'cc-by-nc-4.0')],
    }),
    ...badLineage,
    says: /made from b\/two/,
  },
  {
    name: 'a quantised Gemma',
    facts: policyFacts('apache-2.0', {
      ancestors: [ancestor('google/gemma-2-9b', 'gemma', { gated: 'manual' })],
    }),
    ...badLineage,
  },
  {
    name: 'an adapter of a model without a license',
    facts: policyFacts('mit', { ancestors: [ancestor('a/none', null)] }),
    ...badLineage,
  },
  {
    name: 'a base whose file says otherwise',
    facts: policyFacts('mit', {
      ancestors: [ancestor('a/base', 'mit', { texts: [community('LICENSE', 'llama2')] })],
    }),
    ...badLineage,
    says: /LICENSE is the text of the llama2 license/,
  },
  {
    name: 'a base that is not there',
    facts: policyFacts('mit', { ancestors: [missing('acme/gone')] }),
    fat: false,
    rule: 'lineage-unknown',
    says: /acme\/gone, whose license cannot be known/,
  },
  {
    name: 'a base that is a folder of the author',
    facts: policyFacts('mit', {
      ancestors: [
        {
          kind: 'missing',
          id: './out/checkpoint-500',
          chain: ['./out/checkpoint-500'],
          why: 'that is no repository of the Hub',
        },
      ],
    }),
    fat: false,
    rule: 'lineage-unknown',
  },
  {
    name: 'lineage: warn',
    facts: policyFacts('mit', { ancestors: [LLAMA31] }),
    file: { lineage: 'warn' },
    ...permitted,
    says: /Beware: it was made from meta-llama\/Llama-3\.1-8B/,
  },
  {
    name: 'lineage: off, not asked',
    facts: policyFacts('mit', { changes: { baseModels: ['meta-llama/Llama-3.1-8B'] } }),
    file: { lineage: 'off' },
    ...permitted,
  },
  {
    name: 'a Llama fine-tune vouched for',
    facts: policyFacts('mit', { ancestors: [LLAMA31] }),
    file: { permissive: true },
    fat: true,
    rule: 'permissive-by-file',
    says: /Beware: it was made from/,
  },
  {
    name: 'a base that the whitelist was made longer for',
    facts: policyFacts('mit', { ancestors: [ancestor('a/b', 'cc-by-4.0')] }),
    file: { permissiveWhitelist: ['mit', 'cc-by-4.0'] },
    ...permitted,
  },
  {
    name: 'override_spdx is about this model only',
    facts: policyFacts('other', { ancestors: [LLAMA31] }),
    file: { overrideSpdx: 'MIT' },
    ...badLineage,
  },
  {
    name: 'a gate comes before the lineage',
    facts: policyFacts('mit', { changes: { gated: 'manual', baseModels: ['a/b'] } }),
    fat: false,
    rule: 'gated',
  },

  // Files.
  {
    name: 'pickles only',
    facts: policyFacts('mit', { files: [hubFile('pytorch_model.bin')] }),
    fat: false,
    rule: 'pickle-not-allowed',
    says: /Its weights are there as pickles only \(pytorch_model\.bin\).*`files\.allow_pickle: true`/,
  },
  {
    name: 'pickles that were chosen where safetensors are there',
    facts: policyFacts('mit', {
      files: [hubFile('pytorch_model.bin')],
      changes: { files: [hubFile('model.safetensors'), hubFile('pytorch_model.bin')] },
    }),
    fat: false,
    rule: 'pickle-not-allowed',
    says: /In place of model\.safetensors it would hold pytorch_model\.bin, a format that can run code/,
  },
  {
    name: 'pickles beside the safetensors of an adapter',
    facts: policyFacts('mit', {
      files: [hubFile('pytorch_model.bin'), hubFile('lora/adapter_model.safetensors')],
    }),
    fat: false,
    rule: 'pickle-not-allowed',
    says: /Its weights are there as pickles only \(pytorch_model\.bin\)/,
  },
  {
    name: 'pickles that are allowed',
    facts: policyFacts('mit', { files: [hubFile('pytorch_model.bin')] }),
    file: { files: { include: null, exclude: null, allowPickle: true } },
    ...permitted,
  },
  {
    name: 'a pickle that was asked for',
    facts: policyFacts('mit', { files: [hubFile('model.safetensors'), hubFile('voices.pt')] }),
    fat: false,
    rule: 'pickle-not-allowed',
    says: /Beside safetensors/,
  },
  {
    name: 'vouching for a license is not trusting pickles',
    facts: policyFacts('mit', { files: [hubFile('model.ckpt')] }),
    file: { permissive: true },
    fat: false,
    rule: 'pickle-not-allowed',
  },
  {
    name: 'a file that the Hub calls unsafe',
    facts: policyFacts('mit', {
      changes: { safety: { isScanned: true, issues: [{ path: 'model.safetensors', level: 'unsafe' }] } },
    }),
    fat: false,
    rule: 'files-unsafe',
    says: /call model\.safetensors unsafe.*`files\.exclude`/,
  },
  {
    name: 'an unsafe file that is left out',
    facts: policyFacts('mit', {
      changes: { safety: { isScanned: true, issues: [{ path: 'optimizer.pt', level: 'unsafe' }] } },
    }),
    ...permitted,
  },
  {
    name: 'a doubt is told and decides nothing',
    facts: policyFacts('mit', {
      changes: { safety: { isScanned: true, issues: [{ path: 'model.safetensors', level: 'suspicious' }] } },
    }),
    ...permitted,
  },
];

describe('what the repository and its ancestors say', () => {
  for (const { name, facts, file, fat, rule, spdx, says } of CASES) {
    test(name, () => {
      const { license, decisions, findings, remedies } = decide(modelConfig(file), facts);
      assert.deepEqual(
        { fat: decisions.fat.build, rule: decisions.fat.rule },
        { fat, rule },
        decisions.fat.reason,
      );
      if (spdx !== undefined) assert.equal(license.spdx, spdx);
      if (says !== undefined) assert.match(decisions.fat.reason, says);
      assert.match(decisions.fat.reason, /^([A-Z`]|models\.yaml ).*\.$/);
      assert.equal(decisions.slim.build, true);
      // The explanation agrees with the decision, and every refusal but a gate's has a way out.
      assert.equal(
        findings.some(({ verdict }) => verdict === 'stop'),
        !fat,
      );
      assert.equal(remedies.length > 0, rule !== 'gated');
    });
  }

  test('every rule is explained in docs/policy.md', () => {
    const docs = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8');
    for (const rule of new Set(CASES.map(({ rule }) => rule))) assert.ok(docs.includes(`\`${rule}\``), rule);
  });

  test('code that vLLM would have to trust is named, and whether it is trusted', () => {
    const facts = policyFacts('mit', { files: [hubFile('model.safetensors'), hubFile('modeling_x.py')] });
    const told = (serveArgs: string[]): string =>
      decide(modelConfig({ serveArgs }), facts).findings.find(({ check }) => check === 'remote code')?.says ??
      '';
    assert.match(told([]), /modeling_x\.py.*does not now/);
    assert.match(told(['--trust-remote-code']), /modeling_x\.py runs in the server/);
    assert.match(told(['--trust_remote_code']), /modeling_x\.py runs in the server/);
  });
});
