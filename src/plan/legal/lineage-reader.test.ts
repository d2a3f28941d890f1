import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { card, LLAMA, only, withWorld } from './legal-reader.fixtures.ts';

const json = JSON.stringify;

interface Case {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** The rule that decides on the fat image. */
  readonly rule: string;
  readonly says?: RegExp;
}

const permitted = 'license-permitted';
const refused = 'lineage-not-permitted';
const unknown = 'lineage-unknown';
const suspected = 'lineage-suspected';

const CASES: readonly Case[] = [
  {
    name: 'adapter_config.json names a base',
    files: { 'adapter_config.json': json({ base_model_name_or_path: 'meta/llama' }) },
    rule: refused,
    says: /Chain: a\/x0 ← meta\/llama/,
  },
  {
    name: 'a file with the name of what every object has',
    files: { constructor: 'x', toString: 'x' },
    rule: permitted,
  },
  {
    name: 'a permitted base',
    files: { 'adapter_config.json': json({ base_model_name_or_path: 'acme/base' }) },
    rule: permitted,
  },
  {
    name: 'no base at all',
    files: { 'adapter_config.json': json({ base_model_name_or_path: null }) },
    rule: permitted,
  },
  {
    name: "a folder of the trainer's",
    files: { 'adapter_config.json': json({ base_model_name_or_path: '/data/base' }) },
    rule: unknown,
    says: /made from \/data\/base, which is not the id of a model \(adapter_config\.json, base_model_name_or_path\)/,
  },
  {
    name: "a folder of the trainer's that the card explains",
    files: {
      'README.md': card('mit', 'acme/base'),
      'adapter_config.json': json({ base_model_name_or_path: '/data/base' }),
    },
    rule: permitted,
  },
  { name: 'an adapter config that is not JSON', files: { 'adapter_config.json': '{' }, rule: unknown },
  {
    name: "config.json's _name_or_path",
    files: { 'config.json': json({ _name_or_path: 'meta/llama' }) },
    rule: refused,
  },
  {
    name: '_name_or_path in a part of the config',
    files: { 'config.json': json({ text_config: { _name_or_path: 'meta/llama' } }) },
    rule: refused,
  },
  {
    name: 'the language model of a config',
    files: { 'config.json': json({ llm_cfg: { text_model_id: 'meta/llama' } }) },
    rule: refused,
  },
  {
    name: 'the config of a merge under another name',
    files: { 'config.yaml': 'models:\n - model: meta/llama\n - model: acme/base\nmerge_method: slerp\n' },
    rule: refused,
  },
  {
    name: 'another file of that name',
    files: { 'config.yaml': 'model: meta/llama\n', 'merges.yml': '[' },
    rule: permitted,
  },
  {
    name: 'a merge that the card shows',
    files: { 'README.md': `${card('mit')}\`\`\`yaml\nmerge_method: slerp\nbase_model: meta/llama\n\`\`\`\n` },
    rule: refused,
  },
  {
    name: 'a family that the card names in words',
    files: { 'README.md': `${card('mit')}# X\nA fine-tuned version of Llama 3.1 8B on our data.\n` },
    rule: suspected,
    says: /README\.md is llama 3\.1 8b/,
  },
  {
    name: 'a family that a notice names',
    files: { 'README.md': card('mit'), NOTICE: 'This model is derived from Gemma 2 by Google.\n' },
    rule: suspected,
    says: /NOTICE is gemma 2/,
  },
  {
    name: 'a family that the base explains',
    files: {
      'README.md': `${card('mit', 'acme/base')}# X\nA fine-tuned version of Llama 3.1 8B on our data.\n`,
    },
    rule: permitted,
  },
  {
    name: "license_link to another model's page",
    files: { 'README.md': '---\nlicense: mit\nlicense_link: https://huggingface.co/meta/llama\n---\n' },
    rule: refused,
  },
  {
    name: '_name_or_path is the model itself',
    files: { 'config.json': json({ _name_or_path: 'A/X8' }) },
    rule: permitted,
  },
  {
    name: '_name_or_path is a folder',
    files: { 'config.json': json({ _name_or_path: '/fsx/checkpoint' }) },
    rule: permitted,
  },
  {
    name: '_name_or_path of the same maker, not there',
    files: { 'config.json': json({ _name_or_path: 'a/earlier' }) },
    rule: permitted,
  },
  {
    name: '_name_or_path of another maker, not there',
    files: { 'config.json': json({ _name_or_path: 'b/gone' }) },
    rule: unknown,
  },
  {
    name: '_name_or_path is a folder with a name',
    files: { 'config.json': json({ _name_or_path: '/data/Llama-2-7b-hf' }) },
    rule: suspected,
    says: /_name_or_path in config\.json is \/data\/Llama-2-7b-hf/,
  },
  {
    name: 'a shape',
    files: { 'config.json': json({ model_type: 'gemma2' }) },
    rule: suspected,
    says: /the Gemma Terms of Use/,
  },
  {
    name: 'a shape that the named base does not have',
    files: { 'README.md': card('mit', 'acme/base'), 'config.json': json({ model_type: 'gemma2' }) },
    rule: suspected,
  },
  {
    name: 'a weight file with a name',
    files: { 'Llama-3-8B.safetensors': 'x' },
    rule: suspected,
    says: /file name/,
  },
  {
    name: 'a weight file with a name, and a base',
    files: { 'README.md': card('mit', 'acme/base'), 'Llama-3-8B.safetensors': 'x' },
    rule: permitted,
  },
  {
    name: 'a merge with one that is not permitted',
    files: {
      'mergekit_config.yml': 'slices:\n  - sources:\n      - model: acme/base\n      - model: meta/llama\n',
    },
    rule: refused,
  },
  {
    name: 'a merge with an adapter',
    files: { 'mergekit_config.yml': 'models:\n  - model: acme/base+meta/llama\n' },
    rule: refused,
  },
  {
    name: 'a permitted merge',
    files: { 'mergekit_config.yml': 'models:\n  - model: {model: {path: acme/base}}\n' },
    rule: permitted,
  },
  {
    name: 'a merge with a folder',
    files: { 'mergekit_config.yml': 'models:\n  - model: ./merged\n' },
    rule: unknown,
  },
  {
    name: 'configs of merges that are too long together',
    files: {
      'config.yml': `models: []\n${'#'.repeat(90_000)}`,
      'merge-1.yml': `merge_method: slerp\nbase_model: acme/base\n#${'1'.repeat(30_000)}`,
      'merge-2.yml': `merge_method: slerp\nbase_model: acme/base\n#${'2'.repeat(30_000)}`,
    },
    rule: unknown,
    says: /made from a file that is too long to be read, .* \(merge-2\.yml\)/,
  },
  {
    name: 'files that are only called like those, and too long together',
    files: { 'config.yml': `a: ${'1'.repeat(90_000)}`, 'merge.yml': `b: ${'2'.repeat(90_000)}` },
    rule: permitted,
  },
  { name: 'a merge that is not YAML', files: { 'mergekit_config.yml': 'a: [' }, rule: unknown },
  {
    name: 'aliases that would fill the memory',
    files: {
      'mergekit_config.yml': `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
        .split('')
        .map((to, index) => `${to}: &${to} [${Array(9).fill(`*${'abcdefghij'[index]}`).join(',')}]\n`)
        .join('')}`,
    },
    rule: unknown,
  },
  {
    name: "the card's own words",
    files: {
      'README.md': `${card('mit')}This is a fine-tuned version of [meta/llama](https://huggingface.co/meta/llama).`,
    },
    rule: refused,
  },
  {
    name: "the card's own words, about a data set",
    files: { 'README.md': `${card('mit')}It was fine-tuned on acme/data.` },
    rule: permitted,
  },
  {
    name: "license_link to another model's license",
    files: {
      'README.md':
        '---\nlicense: mit\nlicense_link: https://huggingface.co/meta/llama/blob/main/LICENSE\n---\n',
    },
    rule: refused,
  },
];

describe('what a model was made from', () => {
  test('is told by its files', () =>
    withWorld(async ({ add, plan }) => {
      await add('meta/llama', { 'README.md': card('llama3.1'), LICENSE: LLAMA });
      await add('acme/base', { 'README.md': card('mit') });
      for (const [index, { files }] of CASES.entries())
        await add(`a/x${index}`, { 'README.md': card('mit'), ...files });
      const whole = await plan(CASES.map((_, index) => `a/x${index}`));
      for (const [index, { name, rule, says }] of CASES.entries()) {
        const { fat } = only({ ...whole, models: whole.models.slice(index, index + 1) }).outcome.decisions;
        assert.equal(fat.rule, rule, `${name}: ${fat.reason}`);
        if (says !== undefined) assert.match(fat.reason, says, name);
      }
    }));

  test('counts for each of its bases as well, with the revision it was read at', () =>
    withWorld(async ({ add, plan }) => {
      await add('a/x', { 'README.md': card('mit', 'a/y') });
      await add('a/y', { 'README.md': card('mit'), 'config.json': json({ model_type: 'mllama' }) });
      const { fat } = only(await plan(['a/x'])).outcome.decisions;
      assert.equal(fat.rule, suspected);
      const evidence = fat.evidence.find(({ value }) => value === 'mllama');
      assert.equal(evidence?.field, 'config.json, model_type of a/y');
      assert.match(evidence?.revision ?? '', /^[0-9a-f]{40}$/);
    }));

  test('is told and decides nothing with `lineage: warn`, and is not looked at with `lineage: off`', () =>
    withWorld(async ({ add, plan }) => {
      await add('a/x', { 'README.md': card('mit'), 'config.json': json({ model_type: 'gemma2' }) });
      const warned = only(await plan(['a/x'], 'defaults: { lineage: warn }\n')).outcome.decisions.fat;
      assert.deepEqual([warned.build, /Beware: it seems to be made from/.test(warned.reason)], [true, true]);
      const off = only(await plan(['a/x'], 'defaults: { lineage: off }\n')).outcome.decisions.fat;
      assert.deepEqual([off.build, /Beware/.test(off.reason)], [true, false]);
    }));
});
