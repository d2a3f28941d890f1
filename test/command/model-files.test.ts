import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { startHub } from '../../src/testkit/hub.ts';
import { weighbridge } from '../support/command.ts';
import { temporaryFolder } from '../support/tools.ts';

const CARD = { 'README.md': '---\nlicense: mit\n---\n', 'config.json': '{}' };
const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 1234567\n`;
const PAGE = `<!DOCTYPE html>\n<html><body>${'x'.repeat(200)}</body></html>\n`;
const SHARDS = { 'model-00001-of-00001.safetensors': 'w', 'model.safetensors.index.json': '{}' };

const indexOf = (...names: string[]): string =>
  JSON.stringify({ weight_map: Object.fromEntries(names.map((name, index) => [`t${index}`, name])) });

interface Case {
  readonly files: Readonly<Record<string, string>>;
  readonly yaml?: string;
  readonly left?: readonly string[];
  /** Of what keeps vLLM from starting. */
  readonly warning?: RegExp;
  readonly fat?: boolean;
}

const CASES: Readonly<Record<string, Case>> = {
  mistral: {
    files: { ...CARD, ...SHARDS, 'consolidated.safetensors': 'w', 'params.json': '{}', 'tekken.json': '{}' },
    yaml: 'serve_args: [--load-format, mistral]',
    left: Object.keys(SHARDS),
  },
  dense: {
    files: { ...CARD, 'model.safetensors': 'w', '2_Dense/pytorch_model.bin': 'w' },
    fat: false,
  },
  trusted: {
    files: { ...CARD, 'model.safetensors': 'w', '2_Dense/pytorch_model.bin': 'w' },
    yaml: 'files: { allow_pickle: true }',
  },
  lora: {
    files: { ...CARD, 'pytorch_model.bin': 'w', 'lora/adapter_model.safetensors': 'w' },
    fat: false,
  },
  others: {
    files: {
      ...CARD,
      'model.safetensors': 'w',
      'm.onnx_data_1': 'w',
      'm.pte': 'w',
      'm.task': 'w',
      'm.engine': 'w',
    },
    left: ['m.engine', 'm.onnx_data_1', 'm.pte', 'm.task'],
  },
  gguf: { files: { ...CARD, 'q4.gguf': 'w' }, warning: /GGUF files only/ },
  adapter: {
    files: { ...CARD, 'adapter_model.safetensors': 'w' },
    warning: /an adapter \(LoRA\) without the model/,
  },
  none: { files: CARD, warning: /no weights that vLLM could load/ },
  pointer: {
    files: { ...CARD, 'model.safetensors': POINTER },
    warning: /not the weights but a Git LFS pointer/,
  },
  page: { files: { ...CARD, 'model.safetensors': PAGE }, warning: /not the weights but a web page/ },
  empty: {
    files: { ...CARD, 'model.safetensors': '', 'pytorch_model.bin': 'w' },
    left: ['pytorch_model.bin'],
    warning: /model\.safetensors is empty: it holds no weights\./,
  },
  gap: {
    files: {
      ...CARD,
      'model-00001-of-00002.safetensors': 'w',
      'model.safetensors.index.json': indexOf(
        './model-00001-of-00002.safetensors',
        'model-00002-of-00002.safetensors',
      ),
    },
    warning: /weights are incomplete: model-00002-of-00002\.safetensors is missing\./,
  },
  meant: {
    files: {
      ...CARD,
      'model-00001-of-00002.safetensors': 'w',
      'model.safetensors.index.json': indexOf('model-00001-of-00002.safetensors'),
    },
  },
  stale: {
    files: {
      ...CARD,
      'model.safetensors': 'w',
      'model.safetensors.index.json': indexOf('model-00001-of-00002.safetensors'),
    },
    warning: /index\.json names model-00001-of-00002\.safetensors, and the weights are in model\.safetensors/,
  },
  unread: {
    files: { ...CARD, 'model.safetensors': 'w', 'model.safetensors.index.json': 'Entry not found' },
  },
  flag: {
    files: { ...CARD, 'model.safetensors': 'w' },
    yaml: 'serve_args: [--load_format=mistral]',
    warning: /With `--load-format mistral` vLLM looks for consolidated\*\.safetensors .* weights/,
  },
  llama: {
    files: { ...CARD, 'consolidated.00.pth': 'w', 'params.json': '{}' },
    warning: /looks for \*\.safetensors, \*\.bin, \*\.pt .* none of the weights/,
    fat: false,
  },
  steps: {
    files: { ...CARD, 'model.safetensors': 'w', 'checkpoint-5/model.safetensors': 'w' },
    left: ['checkpoint-5/model.safetensors'],
  },
  odd: {
    files: { ...CARD, 'model.safetensors': 'w' },
    yaml: String.raw`files: { exclude: ['odd\name.txt'] }`,
    left: ['odd\\name.txt'],
  },
};

test('plan: which files are taken, what is left out and why, and what will not start', async t => {
  await using hub = await startHub();
  for (const [name, { files }] of Object.entries(CASES)) await hub.addModel({ id: `acme/${name}`, files });
  const odd = `{"rfilename":"odd\\\\name.txt","size":3,"blobId":"${'c'.repeat(40)}"},`;
  hub.faults.add({
    match: /\/api\/models\/acme\/odd\//,
    kind: 'edit',
    editBody: text => text.replace('"siblings":[', `"siblings":[${odd}`),
    times: 100,
  });
  const entries = Object.entries(CASES).map(
    ([name, { yaml = 'revision: main' }]) => `  - id: acme/${name}\n    short: ${name}\n    ${yaml}\n`,
  );
  const file = path.join(await temporaryFolder(t), 'models.yaml');
  await writeFile(file, `registries: { lab: "registry.invalid/acme" }\nmodels:\n${entries.join('')}`);
  const args = ['plan', '--config', file, '--json', '--no-registry-state'];
  const { status, stdout, stderr } = await weighbridge(args, { env: { HF_ENDPOINT: hub.url } });
  assert.equal(status, 0, stderr);

  const { models } = JSON.parse(stdout) as { models: readonly PlannedJson[] };
  for (const { short, files, leftOut = [], decisions } of models) {
    const { files: all, left = [], warning, fat = true } = CASES[short] as Case;
    assert.deepEqual(leftOut.map(one => one.path).sort(), left, short);
    assert.deepEqual(
      files.map(one => one.path).sort(),
      Object.keys(all)
        .filter(one => !left.includes(one))
        .sort(),
    );
    assert.ok(leftOut.every(({ reason, rule }) => reason !== '' && rule !== ''));
    assert.equal(decisions.fat.build, fat, short);
    const said = stderr
      .split('\n')
      .filter(line => line.includes(`${short}: `) && /weights|GGUF|LoRA/.test(line));
    if (warning === undefined) assert.deepEqual(said, [], short);
    else assert.match(said.join('\n'), warning);
  }
  assert.equal(models.length, Object.keys(CASES).length);
});

interface PlannedJson {
  readonly short: string;
  readonly files: readonly { readonly path: string }[];
  readonly leftOut?: readonly { readonly path: string; readonly rule: string; readonly reason: string }[];
  readonly decisions: { readonly fat: { readonly build: boolean } };
}

test('add: what a look at the files shows is said as plan says it', async t => {
  await using hub = await startHub();
  const file = path.join(await temporaryFolder(t), 'models.yaml');
  await writeFile(file, 'models:\n  - id: acme/first\n    short: first\n');
  for (const [name, said] of [
    ['pointer', /model\.safetensors is not the weights but a Git LFS pointer to them\./],
    ['gap', /The weights are incomplete: model-00002-of-00002\.safetensors is missing\./],
    [
      'empty',
      /model\.safetensors is empty: it holds no weights\. Leave it out .* pytorch_model\.bin counts then\./,
    ],
    ['llama', /none of the weights in the image has such a name\./],
  ] as const) {
    await hub.addModel({ id: `acme/${name}`, files: CASES[name]?.files ?? {} });
    const args = ['add', `acme/${name}`, '--config', file];
    const { status, stdout, stderr } = await weighbridge(args, { env: { HF_ENDPOINT: hub.url } });
    assert.equal(status, 0, stderr);
    assert.match(stdout + stderr, said);
    assert.doesNotMatch(stdout, /mistral/);
  }
});
