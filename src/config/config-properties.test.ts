import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { checkArgument, toShortName } from './field-checks.ts';
import { modelsJsonSchema } from './json-schema.ts';
import { parseConfig } from './load-config.ts';
import { InvalidConfigError } from './problems.ts';
import type { Config } from './types.ts';

const RUNS = process.env.WEIGHBRIDGE_LONG === '1' ? 2000 : 300;

const MODEL_KEYS = ['id', 'short', 'publish', 'tags', 'oci', 'serve_args', 'arch'];

test('arbitrary text is a config or an InvalidConfigError', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), isConfigOrProblems), {
    numRuns: RUNS,
  });
});

test('text made of the words of YAML and of the schema is a config or an InvalidConfigError', () => {
  const word = fc.constantFrom(
    ...['models', 'defaults', 'registries', ...MODEL_KEYS, '<<'],
    ...[
      ': ',
      ':',
      '- ',
      '\n',
      '\n  ',
      '\n    ',
      '[',
      ']',
      '{',
      '}',
      ', ',
      '? ',
      '---',
      '...',
      '"',
      "'",
      '|',
      '>',
    ],
    ...[
      '&a ',
      '*a',
      '!!str ',
      '!x ',
      '#',
      ' #',
      '\t',
      '%YAML 1.1',
      'null',
      'true',
      '1',
      '~',
      'a/b',
      '__proto__',
    ],
  );
  const text = fc.array(word, { maxLength: 40 }).map(words => words.join(''));
  fc.assert(fc.property(text, isConfigOrProblems), { numRuns: RUNS });
});

test('any data under the keys of the schema is a config or an InvalidConfigError', () => {
  const key = fc.constantFrom(...MODEL_KEYS, 'files', 'include');
  const value = fc.oneof(fc.object({ key, maxDepth: 3 }), fc.jsonValue());
  const file = fc.record({ models: fc.oneof(value, fc.array(value)), defaults: value, registries: value });
  fc.assert(
    fc.property(file, data => isConfigOrProblems(stringify(data))),
    { numRuns: RUNS },
  );
});

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,4})?$/);
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });
const platform = fc.constantFrom('linux/amd64', 'linux/arm64', 'linux/arm/v7');
const shared = {
  base_image: maybe(name.map(tag => `example.org:5000/vllm:${tag}`)),
  arch: maybe(fc.oneof(platform, fc.uniqueArray(platform, { minLength: 1 }))),
  download_root: maybe(name.map(folder => `/srv/${folder}`)),
  tags: maybe(fc.constantFrom(['{variant}'], ['{version}-{variant}', 'x{revision}.{variant}'])),
  files: maybe(fc.record({ include: maybe(fc.constant(['*.json'])), exclude: maybe(fc.constant([])) })),
};
const model = fc.record({
  id: fc.tuple(name, name).map(parts => parts.join('/')),
  revision: maybe(fc.oneof(fc.constant(null), fc.stringMatching(/^[0-9a-f]{40}$/))),
  permissive: maybe(fc.constantFrom('auto', true, false)),
  gated: maybe(fc.constantFrom('auto', true, false)),
  override_spdx: maybe(fc.constantFrom(null, 'mit', 'MIT OR Apache-2.0')),
  serve_args: maybe(
    fc.array(
      fc.oneof(
        fc.string().filter(text => checkArgument(text) === undefined),
        fc.constant(8000),
      ),
    ),
  ),
  oci: maybe(fc.record({ title: maybe(name), description: maybe(fc.string()), url: maybe(fc.webUrl()) })),
  publish: maybe(fc.dictionary(fc.constantFrom('ghcr', 'dockerhub', 'lab'), fc.boolean())),
  ...shared,
});
const validFile = fc
  .record({
    defaults: maybe(
      fc.record({ ...shared, publish: maybe(fc.dictionary(fc.constant('lab'), fc.boolean())) }),
    ),
    registries: fc.constant({ lab: 'localhost:5000/models' }),
    models: fc.array(model, { minLength: 1, maxLength: 5 }),
  })
  // A number in front keeps names apart.
  .map(file => ({
    ...file,
    models: file.models.map((entry, i) => ({ ...entry, short: `m${i}-${toShortName(entry.id)}` })),
  }));

test('a valid file reads back as it was written, in block and in flow style', () => {
  fc.assert(
    fc.property(validFile, fc.boolean(), (file, isFlow) => {
      const config = parseConfig(stringify(file, isFlow ? { collectionStyle: 'flow' } : {}), 'models.yaml');
      for (const [index, entry] of file.models.entries()) {
        const parsed = config.models[index];
        assert.ok(parsed);
        assert.equal(parsed.id, entry.id);
        assert.equal(parsed.short, entry.short);
        assert.equal(parsed.revision, entry.revision ?? null);
        assert.equal(parsed.permissive, entry.permissive ?? 'auto');
        assert.equal(parsed.gated, entry.gated ?? 'auto');
        assert.equal(parsed.overrideSpdx, entry.override_spdx ?? null);
        assert.deepEqual(
          parsed.serveArgs,
          entry.serve_args?.map(String) ?? ['--host', '0.0.0.0', '--port', '8000'],
        );
        assert.equal(parsed.oci.description, entry.oci?.description ?? 'Slim/Fat images; see /licenses');
        assert.equal(parsed.oci.url, entry.oci?.url ?? `https://huggingface.co/${entry.id}`);
        assert.deepEqual(parsed.publish, { ...file.defaults?.publish, ...entry.publish });
        assert.equal(
          parsed.baseImage,
          entry.base_image ?? file.defaults?.base_image ?? 'vllm/vllm-openai:v0.6.0',
        );
        assert.deepEqual(parsed.arch, [entry.arch ?? file.defaults?.arch ?? 'linux/amd64'].flat());
        assert.deepEqual(parsed.files.exclude, entry.files?.exclude ?? file.defaults?.files?.exclude ?? null);
      }
    }),
  );
});

test('what parses is valid by the JSON Schema too', () => {
  const ajv = new Ajv({ strict: false });
  addFormats.default(ajv);
  const isValid = ajv.compile(modelsJsonSchema());
  fc.assert(
    fc.property(validFile, file => {
      assert.ok(isValid(JSON.parse(JSON.stringify(file))), ajv.errorsText(isValid.errors));
    }),
  );
  const right = [{ include: ['a.yaml'] }, { 'x-a': 1, models: [{ id: 'a/b', short: 'b', 'x-b': [] }] }];
  for (const data of right) assert.ok(isValid(data), ajv.errorsText(isValid.errors));
  const wrong = [
    {},
    { y: 1, include: ['a.yaml'] },
    { models: [] },
    { models: [{ id: 'a/b' }] },
    { models: [{ id: 'a/b', short: 'B' }] },
  ];
  for (const data of wrong) assert.equal(isValid(data), false, JSON.stringify(data));
});

test('a short name can be made of any model name', () => {
  assert.equal(toShortName('deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B'), 'deepseek-r1-distill-qwen-15b');
  assert.equal(toShortName('meta-llama/Llama-3.1-8B_Instruct.v2'), 'llama-31-8b-instruct-v2');
  fc.assert(
    fc.property(fc.string(), text => {
      const short = toShortName(text);
      if (short === '') return;
      const yaml = stringify({ models: [{ id: 'a/b', short }] });
      assert.equal(parseConfig(yaml, 'models.yaml').models[0]?.short, short);
    }),
  );
});

function isConfigOrProblems(text: string): void {
  let config: Config;
  try {
    config = parseConfig(text, 'models.yaml');
  } catch (error) {
    assert.ok(error instanceof InvalidConfigError, error instanceof Error ? error.stack : String(error));
    assert.ok(error.problems.length > 0);
    const lines = text.split('\n').length;
    for (const { line, column } of error.problems) assert.ok(line >= 1 && line <= lines && column >= 1);
    return;
  }
  assert.ok(config.models.length > 0);
}
