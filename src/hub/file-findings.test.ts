import assert from 'node:assert/strict';
import { test } from 'node:test';
import { disguiseOf, fileFindings } from './file-findings.ts';

const rulesOf = (paths: readonly string[], serveArgs: readonly string[] = [], all = paths): string[] =>
  fileFindings({
    files: paths.map(path => ({ path, sizeBytes: 1 })),
    all: all.map(path => ({ path })),
    serveArgs,
    disguised: [],
  }).map(({ rule }) => rule);

for (const [what, paths, rules] of [
  ['safetensors', ['model.safetensors'], []],
  ['PyTorch files', ['pytorch_model.bin'], []],
  ["Mistral's own format", ['consolidated.safetensors'], []],
  ['an adapter and its model', ['model.safetensors', 'adapter_model.safetensors'], []],
  ['an adapter', ['adapter_model.safetensors', 'adapter_config.json'], ['adapter-alone']],
  ['an adapter as a pickle', ['adapter_model.bin'], ['adapter-alone']],
  ['a LoRA for pictures', ['pytorch_lora_weights.safetensors'], ['adapter-alone']],
  ['GGUF files', ['a-q4.gguf', 'b/a-q8.gguf', 'config.json'], ['gguf-alone']],
  ['weights in folders', ['fp16/model.safetensors', 'config.json'], ['no-weights']],
  ['a card', ['README.md'], ['no-weights']],
  ['ONNX', ['model.onnx'], ['no-weights']],
] as const) {
  test(`findings: ${what}`, () => assert.deepEqual(rulesOf(paths), rules));
}

test('weights that are left out are no weights', () => {
  assert.deepEqual(rulesOf(['config.json'], [], ['config.json', 'model.safetensors']), ['no-weights']);
});

test('--load-format dummy needs no weights', () => {
  assert.deepEqual(rulesOf(['config.json'], ['--load-format=dummy']), []);
});

const at = (...paths: string[]) => paths.map(path => ({ path, sizeBytes: 1 }));
const INDEX = 'model.safetensors.index.json';

for (const [what, paths, names, message] of [
  ['all that it names', ['a.safetensors', 'b/c.safetensors'], ['a.safetensors', 'b/c.safetensors'], []],
  [
    'one that is not there',
    ['model-00001-of-00002.safetensors'],
    ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'],
    ['The weights are incomplete: model-00002-of-00002.safetensors is missing.'],
  ],
  // Numbers may have gaps, if the index says so: `nvidia` and others leave out what they changed.
  ['fewer than are numbered', ['model-00001-of-00002.safetensors'], ['model-00001-of-00002.safetensors'], []],
  [
    'an earlier division',
    ['model.safetensors'],
    ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'],
    [
      `${INDEX} names model-00001-of-00002.safetensors, model-00002-of-00002.safetensors, and the weights are in model.safetensors: vLLM loads only what it names.`,
    ],
  ],
  [
    'nothing',
    ['model.safetensors'],
    [],
    [`${INDEX} names no files, and the weights are in model.safetensors: vLLM loads only what it names.`],
  ],
] as const) {
  test(`an index that names ${what}`, () => {
    const files = at(...paths, INDEX);
    const indexes = [{ path: INDEX, names }];
    const found = fileFindings({ files, all: files, serveArgs: [], disguised: [], indexes });
    assert.deepEqual(
      found.filter(({ rule }) => rule === 'weights-incomplete').map(one => one.message),
      message,
    );
  });
}

test('a gap in the numbers is told without an index, and not where one was not read', () => {
  const paths = ['m-1-of-12.safetensors', 'm-2-of-12.safetensors'];
  const found = (...more: string[]) =>
    fileFindings({ files: at(...paths, ...more), all: at(...paths), serveArgs: [], disguised: [] });
  assert.match(
    found()[0]?.message ?? '',
    /: m-3-of-12\.safetensors, m-4-of-12\.safetensors, .* and 6 more are missing\.$/,
  );
  assert.deepEqual(found('m.safetensors.index.json'), []);
  assert.deepEqual(found('m.safetensors'), []);
});

test('weights of another format are named where the first are incomplete', () => {
  const files = at('model-1-of-2.safetensors');
  const all = [...files, ...at('pytorch_model.bin')];
  const [found] = fileFindings({ files, all, serveArgs: [], disguised: [] });
  assert.match(found?.remedy ?? '', /^Leave what is there of them out .* pytorch_model\.bin counts then\./);
});

test('what is left out by models.yaml is to be looked for there', () => {
  const all = at('m-1-of-2.safetensors', 'm-2-of-2.safetensors');
  const [found] = fileFindings({ files: all.slice(1), all, serveArgs: [], disguised: [] });
  assert.equal(found?.remedy, 'Check `files.include` and `files.exclude`.');
});

test('an empty file is told, with the file that is to be used instead', () => {
  const files = [{ path: 'model.safetensors', sizeBytes: 0 }];
  const remedy = (...others: string[]) =>
    fileFindings({ files, all: [...files, ...at(...others)], serveArgs: [], disguised: [] })[0];
  assert.equal(remedy()?.message, 'model.safetensors is empty: it holds no weights.');
  assert.match(remedy()?.remedy ?? '', /the weights were not uploaded/);
  assert.match(
    remedy('adapter_model.bin', 'pytorch_model.bin')?.remedy ?? '',
    /^Leave it out with `files\.exclude`: pytorch_model\.bin counts then\./,
  );
});

test('weights that a flag makes vLLM pass over are told with the flag', () => {
  const about = (path: string, ...serveArgs: string[]) =>
    fileFindings({ files: at(path), all: at(path), serveArgs, disguised: [] }).map(
      ({ message, remedy }) => `${message} ${remedy}`,
    );
  assert.deepEqual(about('model.safetensors', '--load-format', 'mistral'), [
    'With `--load-format mistral` vLLM looks for consolidated*.safetensors at the top of the repository, and none of the weights in the image has such a name. Remove `--load-format mistral` from serve_args.',
  ]);
  assert.match(
    about('x.pth')[0] ?? '',
    /^vLLM looks for \*\.safetensors, \*\.bin, \*\.pt .* as \*\.safetensors\.$/,
  );
  // What a plugin looks for is not known.
  assert.deepEqual(about('model.safetensors', '--load-format', 'own'), []);
});

test('GGUF that a flag asks for is told with the weights that are there too', () => {
  const [found] = fileFindings({
    files: at('x.gguf'),
    all: at('x.gguf', 'model.safetensors'),
    serveArgs: ['-q', 'gguf'],
    disguised: [],
  });
  assert.match(found?.message ?? '', /^Of its weights only GGUF files are taken: /);
  assert.match(
    found?.remedy ?? '',
    /^Remove what asks for GGUF .* leaves out model\.safetensors from `files`\.$/,
  );
});

test('a pointer and a page are not weights, and bytes that may be are let be', () => {
  const is = (text: string) => disguiseOf('model.safetensors', Buffer.from(text))?.is;
  assert.equal(is('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n'), 'lfs-pointer');
  for (const page of ['<!DOCTYPE html><html>', '\n <html lang="en">', '\ufeff<!doctype HTML>'])
    assert.equal(is(page), 'html');
  for (const other of ['', 'GGUF', '<', 'PK\u0003\u0004', '{"__metadata__":{}}'])
    assert.equal(is(other), undefined);
});
