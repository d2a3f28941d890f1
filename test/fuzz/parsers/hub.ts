import assert from 'node:assert/strict';
import fc from 'fast-check';
import mit from 'spdx-license-list/licenses/MIT.json' with { type: 'json' };
import { maxLoraRank, rankOf } from '../../../src/fit/adapter-facts.ts';
import { checkFit } from '../../../src/fit/check-fit.ts';
import { factsOf } from '../../../src/fit/model-facts.ts';
import { disguiseOf, fileFindings } from '../../../src/hub/file-findings.ts';
import { parseModelInfo, parseTreePage } from '../../../src/hub/model-info.ts';
import type { HubFile, ModelSnapshot } from '../../../src/hub/types.ts';
import { chooseFiles } from '../../../src/plan/choose-files.ts';
import { readLineageClaims } from '../../../src/plan/legal/lineage-reader.ts';
import { suggestModel } from '../../../src/plan/suggest-model.ts';
import { readModelCard } from '../../../src/policy/model-card.ts';
import { readExpression } from '../../../src/spdx/expression.ts';
import { createTextIdentifier } from '../../../src/spdx/identify-license.ts';
import { parseTagList } from '../../../src/store/registry/tag-list.ts';
import { bent, bentJson, orRefused } from '../bent.ts';
import { OID, parsedOrNothing, parser } from './table.ts';

// Lists of tags and of the Hub’s files.
{
  parser(
    'tag list',
    fc.property(bentJson({ name: 'x', tags: ['a', 'b'] }, { tags: null }), bytes => {
      const tags = orRefused(() => parseTagList(bytes, 'x'));
      assert.ok((tags ?? []).every(tag => /^\w[\w.-]{0,127}$/.test(tag)));
    }),
  );
  const sibling = {
    rfilename: 'a.safetensors',
    size: 10,
    blobId: OID,
    lfs: { sha256: '0a'.repeat(32), size: 10 },
  };
  const info = { id: 'acme/x', sha: OID, gated: false, cardData: { license: 'mit' }, siblings: [sibling] };
  parser(
    'model info',
    fc.property(bentJson(info), bytes => {
      const parsed = orRefused(() => parseModelInfo('acme/x', bytes));
      if (parsed !== undefined) assert.match(parsed.sha, /^[0-9a-f]{40}$/);
      for (const file of parsed?.files ?? []) assert.ok(Number.isSafeInteger(file.sizeBytes));
    }),
  );
  parser(
    'tree page',
    fc.property(bentJson([{ type: 'file', path: 'a', size: 1, oid: OID }]), bytes => {
      for (const file of orRefused(() => parseTreePage('acme/x', bytes)) ?? [])
        assert.ok(file.sizeBytes >= 0);
    }),
  );
}

const EVERY_FILE = { include: null, exclude: null, allowPickle: true };
const SNAPSHOT: ModelSnapshot = {
  id: 'acme/x',
  requestedId: 'acme/x',
  revision: OID,
  gated: false,
  isPrivate: false,
  tags: ['text-generation'],
  baseModels: [],
  license: { license: 'mit', licenseName: null, licenseLink: null },
  files: [],
};

// Cards, licenses and configs of models.
{
  const card = bent(
    '---\nlicense: mit\n---\n# License\n\nThis model is for research only. Based on [b](https://huggingface.co/a/b).\n',
    'Finetuned from `acme/base`, under the terms of the GPL-3.0.',
  );
  parser(
    'model cards',
    fc.property(card, text => {
      const { bases } = readModelCard(text, 'acme/x');
      assert.ok(bases.every(id => typeof id === 'string'));
    }),
  );
  const expression = bent('MIT OR (Apache-2.0 AND GPL-3.0-only WITH Classpath-exception-2.0)', 'mit', '()');
  parser(
    'SPDX expressions',
    fc.property(expression, text => {
      const read = readExpression(text);
      if (read !== undefined) assert.equal(readExpression(read.spdx)?.spdx, read.spdx);
    }),
  );
  const identify = createTextIdentifier();
  const texts = bent(
    mit.licenseText,
    `${mit.licenseText}\nNon-commercial use only.`,
    'Permission is hereby granted',
  );
  parser(
    'license texts',
    fc.asyncProperty(texts, async text => {
      await identify(text);
    }),
  );
  const config = {
    architectures: ['LlamaForCausalLM'],
    num_hidden_layers: 2,
    hidden_size: 64,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 4096,
    torch_dtype: 'bfloat16',
    quantization_config: { quant_method: 'fp8', bits: 8 },
    rope_scaling: { type: 'yarn', factor: 4 },
    text_config: { hidden_size: 1, _name_or_path: 'acme/base' },
    _name_or_path: 'acme/base',
  };
  parser(
    'model configs',
    fc.property(
      bentJson(config),
      bentJson({ chat_template: 'x', model_max_length: 1 }),
      (bytes, tokenizer) => {
        const [value, tokenizerConfig] = [bytes, tokenizer].map(parsedOrNothing);
        const documents = { config: value, tokenizerConfig };
        const files = [{ path: 'model.safetensors', sizeBytes: 10 }];
        const { weightBytes, gpus } = factsOf({ files, documents });
        assert.ok(
          Number.isFinite(weightBytes) && gpus.every(({ count }) => Number.isInteger(count) && count > 0),
        );
        const { findings } = checkFit({
          ...{ modelId: 'acme/x', baseImage: 'vllm/vllm-openai:v0.11.0', fit: 'warn', isOffline: true },
          ...{ serveArgs: ['--max-model-len', '8192', '--tensor-parallel-size', '2'], fileFindings: [] },
          ...{ files, documents },
        });
        assert.ok(findings.every(({ message }) => message !== '' && !/undefined|NaN|\[object/.test(message)));
      },
    ),
  );
  const adapter = {
    ...{ peft_type: 'LORA', r: 16, rank_pattern: { q: 32 }, use_dora: false, target_modules: ['q_proj'] },
    base_model_name_or_path: 'acme/base',
  };
  parser(
    'adapter configs',
    fc.property(bentJson(adapter), bentJson(config), (bytes, modelConfig) => {
      const adapterConfig = parsedOrNothing(bytes);
      const rank = maxLoraRank([rankOf(adapterConfig) ?? null], undefined);
      assert.ok(rank === undefined || Number.isInteger(rank));
      const bases = [{ written: 'acme/base', id: 'acme/base', madeFrom: ['acme/x'] }];
      const tensors = [{ name: 'base_model.model.layers.0.q_proj.lora_A.weight', shape: [16, 64] }];
      const adapters = [{ name: 'sql', id: 'acme/sql', config: adapterConfig, bases, tensors }];
      const { findings } = checkFit({
        ...{ modelId: 'acme/x', baseImage: 'vllm/vllm-openai:v0.11.0', fit: 'warn', isOffline: true },
        ...{ serveArgs: ['--enable-lora', '--max-lora-rank', '8'], fileFindings: [], files: [] },
        ...{ documents: { config: parsedOrNothing(modelConfig), tokenizerConfig: undefined } },
        ...{ adapters, adapted: { ids: ['acme/x'], madeFrom: ['acme/base'] } },
      });
      assert.ok(findings.every(({ message }) => message !== '' && !/undefined|NaN|\[object/.test(message)));
      const snapshot = { ...SNAPSHOT, files: [{ path: 'adapter_config.json', sizeBytes: 10 } as HubFile] };
      const { model } = suggestModel(snapshot, parsedOrNothing(modelConfig), new Set(['x']), {
        adapterConfig,
      });
      assert.match(model.short, /^[a-z0-9]/);
    }),
  );
  const name = bent(
    ...['model-00001-of-00002.safetensors', 'model.safetensors.index.json', 'adapter_model.bin'],
    ...[
      'consolidated.00.pth',
      'x.gguf',
      'a/b/model.fp16.safetensors',
      'original/x.bin',
      'checkpoint-5/x.bin',
    ],
  );
  parser(
    'names of weights',
    fc.property(fc.array(name, { maxLength: 6 }), bentJson(config), (paths, bytes) => {
      const files = paths.map(path => ({ path, sizeBytes: 5 }) as HubFile);
      const disguised = paths.flatMap(path => disguiseOf(path, bytes) ?? []);
      const facts = { files, all: files, serveArgs: ['--load-format', 'auto'], disguised, id: 'acme/x' };
      for (const { message, evidence, remedy = 'x' } of fileFindings(facts)) {
        assert.ok([message, evidence, remedy].every(text => text !== '' && !/undefined|NaN/.test(text)));
      }
      const chosen = chooseFiles({ ...SNAPSHOT, files }, { files: EVERY_FILE, serveArgs: [] });
      assert.ok(chosen.files.length + chosen.leftOut.length === files.length);
    }),
  );
  const lineage = bentJson(config, { base_model_name_or_path: 'acme/base', peft_type: 'LORA' });
  const merge = bent(
    'models:\n  - model: a/b\n    parameters: {weight: 1}\nmerge_method: slerp\n',
    'base_model: &a [*a]',
  );
  parser(
    'lineage claims',
    fc.asyncProperty(
      fc.constantFrom('config.json', 'adapter_config.json', 'mergekit_config.yml'),
      fc.oneof(
        lineage,
        merge.map(text => Buffer.from(text)),
      ),
      async (path, bytes) => {
        const file = { path, sizeBytes: bytes.length } as HubFile;
        const claims = await readLineageClaims(
          { read: async () => bytes },
          { ...SNAPSHOT, files: [file] },
          [],
          { bases: [], family: undefined },
        );
        assert.ok(claims.bases.every(({ id }) => typeof id === 'string' && id !== ''));
      },
    ),
  );
}
