import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { digestOf } from '../core/digest.ts';
import { ConfigError, describeError } from '../core/errors.ts';
import { loadConfig, parseConfig } from './load-config.ts';
import { InvalidConfigError } from './problems.ts';
import type { ModelConfig } from './types.ts';
import { NO_SIGNING } from './types.ts';

const FIRST_EXAMPLE = `models:
  - id: "your-org/your-model"
    short: "your-model-short-name"
    revision: null                    # optional: specific commit SHA
    permissive: auto                  # auto | true | false
    gated: auto                       # auto | true | false
    serve_args: ["--host", "0.0.0.0", "--port", "8000"]
    oci:
      title: "vLLM + Your Model"
      description: "Slim/Fat images; see /licenses"
      url: "https://huggingface.co/your-org/your-model"
    publish:
      ghcr: true
      dockerhub: true
`;

const ORIGINAL_WHITELIST = [
  'apache-2.0',
  'mit',
  'bsd-2-clause',
  'bsd-3-clause',
  'isc',
  'cc0-1.0',
  'unlicense',
];
const BUILT_IN_WHITELIST = [
  ...ORIGINAL_WHITELIST,
  ...[
    '0bsd',
    'afl-3.0',
    'blueoak-1.0.0',
    'bsd-3-clause-clear',
    'bsl-1.0',
    'ecl-2.0',
    'mit-0',
    'mulanpsl-2.0',
  ],
  ...['ncsa', 'openmdw-1.0', 'postgresql', 'upl-1.0', 'wtfpl', 'zlib'],
  ...['cc-by-2.0', 'cc-by-2.5', 'cc-by-3.0', 'cc-by-4.0', 'cdla-permissive-1.0', 'cdla-permissive-2.0'],
  ...['etalab-2.0', 'odc-by-1.0', 'pddl-1.0'],
];

const SERVER_TAGS = ['{version}-{variant}', 'r{revision}-{variant}', '{version}-r{revision8}-{variant}'];

const BUILT_IN = {
  baseImage: 'vllm/vllm-openai:v0.6.0',
  arch: ['linux/amd64'],
  downloadRoot: '/models',
  hfCacheDir: '/root/.cache/huggingface',
  permissiveWhitelist: BUILT_IN_WHITELIST,
  files: { include: null, exclude: null, allowPickle: false },
  variants: ['slim', 'fat'],
  modelpack: 'raw',
  layerOrder: 'auto',
  layerTargetBytes: null,
  tags: {
    slim: SERVER_TAGS,
    fat: SERVER_TAGS,
    weights: ['{variant}', 'r{revision}-{variant}'],
    modelpack: ['{variant}', 'r{revision}-{variant}'],
  },
  env: {},
  labels: {},
};

test('the first example of the original document means what it says', () => {
  assert.deepEqual(parseConfig(FIRST_EXAMPLE, 'models.yaml'), {
    file: 'models.yaml',
    included: [],
    digest: digestOf(FIRST_EXAMPLE),
    registries: {},
    connections: [],
    hasRegistries: false,
    layerLimits: {},
    scan: { severity: ['CRITICAL', 'HIGH'], failOn: [], ignoreFile: null },
    signing: NO_SIGNING,
    vex: [],
    retention: { keep: 3, youngerThanDays: null },
    models: [
      {
        id: 'your-org/your-model',
        short: 'your-model-short-name',
        folder: 'your-model-short-name',
        revision: null,
        permissive: 'auto',
        overrideSpdx: null,
        gated: 'auto',
        lineage: 'enforce',
        fit: 'warn',
        serveArgs: ['--host', '0.0.0.0', '--port', '8000'],
        adapters: [],
        oci: {
          title: 'vLLM + Your Model',
          description: 'Slim/Fat images; see /licenses',
          url: 'https://huggingface.co/your-org/your-model',
        },
        publish: { ghcr: true, dockerhub: true },
        ...BUILT_IN,
        position: { file: 'models.yaml', line: 2, column: 5 },
      },
    ],
  });
});

test('what a scan reports and fails for can be set', () => {
  const text = 'scan: {severity: [LOW], fail_on: [CRITICAL], ignore_file: .trivyignore}\n';
  const { scan } = parseConfig(`${text}${FIRST_EXAMPLE}`, 'models.yaml');
  assert.deepEqual(scan, { severity: ['LOW'], failOn: ['CRITICAL'], ignoreFile: '.trivyignore' });
  assert.throws(() => parseConfig(`scan: {severity: [high]}\n${FIRST_EXAMPLE}`, 'models.yaml'), /CRITICAL/);
});

test('the second example of the original document parses unchanged', () => {
  const text = `defaults:
  base_image: "vllm/vllm-openai:v0.6.0"
  arch: "linux/amd64"
  download_root: "/models"
  hf_cache_dir: "/root/.cache/huggingface"
  spdx_permissive_whitelist:
    - apache-2.0
    - mit
    - bsd-2-clause
    - bsd-3-clause
    - isc
    - cc0-1.0
    - unlicense
  publish:
    ghcr: true
    dockerhub: true

models:
  - id: "org/model-name"              # Required: HF repo ID
    short: "model-short-name"         # Required: kebab-case short name
    revision: null                    # Optional: HF commit SHA (default: latest)
    permissive: auto                  # auto | true | false
    override_spdx: null               # Optional: force SPDX ID
    gated: auto                       # auto | true | false
    serve_args: ["--host", "0.0.0.0", "--port", "8000"]
    oci:
      title: "vLLM + Model Name"
      description: "Image description"
      url: "https://huggingface.co/org/model-name"
    publish:
      ghcr: true
      dockerhub: true
`;
  const model = only(text);
  const expected = { ...BUILT_IN, permissiveWhitelist: ORIGINAL_WHITELIST };
  assert.deepEqual(pick(model, expected), expected);
  assert.deepEqual(model.publish, { ghcr: true, dockerhub: true });
  assert.equal(model.oci.description, 'Image description');
  assert.deepEqual(model.position, { file: 'models.yaml', line: 19, column: 5 });
});

test('id and short are enough: the rest has built-in values', () => {
  const model = only('models: [{id: org/Some-Model, short: some-model}]');
  assert.deepEqual(pick(model, BUILT_IN), BUILT_IN);
  assert.deepEqual(model.serveArgs, ['--host', '0.0.0.0', '--port', '8000']);
  assert.deepEqual(model.oci, {
    title: 'vLLM + Some-Model',
    description: 'Slim/Fat images; see /licenses',
    url: 'https://huggingface.co/org/Some-Model',
  });
  assert.deepEqual(
    [model.revision, model.permissive, model.gated, model.overrideSpdx],
    [null, 'auto', 'auto', null],
  );
  assert.deepEqual(model.publish, {}, 'only what was written');
  assert.equal(only('models: [{id: gpt2, short: gpt2}]').oci.title, 'vLLM + gpt2');
});

test('a model goes before the defaults, and publish and files are overlaid key by key', () => {
  const model = only(`
defaults:
  base_image: vllm/vllm-openai:v0.6.0
  arch: linux/amd64
  download_root: /models
  publish: {ghcr: true, dockerhub: true}
  files: {include: ["*.json"], exclude: ["*.bin"]}
  tags: ["{variant}"]
models:
  - id: a/b
    short: b
    base_image: localhost:5000/vllm:v1@sha256:${'a'.repeat(64)}
    arch: [linux/arm64/v8, linux/x86_64]
    download_root: /srv/models/
    publish: {dockerhub: false}
    files: {exclude: []}
    tags: ["{version}-{variant}"]
`);
  assert.equal(model.baseImage, `localhost:5000/vllm:v1@sha256:${'a'.repeat(64)}`);
  assert.deepEqual(model.arch, ['linux/arm64/v8', 'linux/amd64']);
  assert.equal(model.downloadRoot, '/srv/models');
  assert.deepEqual(model.publish, { ghcr: true, dockerhub: false });
  assert.deepEqual(model.files, { include: ['*.json'], exclude: [], allowPickle: false });
  // A variant without vLLM has no version: the defaults' list has a template for it.
  const server = ['{version}-{variant}'];
  assert.deepEqual(model.tags, {
    slim: server,
    fat: server,
    weights: ['{variant}'],
    modelpack: ['{variant}'],
  });
});

test('variants come in one order, and tags variant by variant', () => {
  const model = only(`
defaults:
  variants: [modelpack, weights, fat]
  tags: {fat: ["fat-{version}"], weights: [latest]}
  layer_target: 2GB
models:
  - {id: a/b, short: b, modelpack: tar, layer_order: weights-first, tags: {weights: ["{revision}"]}}
`);
  assert.deepEqual(model.variants, ['fat', 'weights', 'modelpack']);
  assert.deepEqual(model.tags.fat, ['fat-{version}']);
  assert.deepEqual(model.tags.weights, ['{revision}']);
  assert.deepEqual(model.tags.modelpack, ['{variant}', 'r{revision}-{variant}']);
  assert.equal(model.modelpack, 'tar');
  assert.equal(model.layerOrder, 'weights-first');
  assert.equal(model.layerTargetBytes, 2_000_000_000);
});

test('registries are kept as written, without a slash at the end', () => {
  const config = parseConfig(
    `registries: {ghcr: ghcr.io/acme/, lab: "localhost:5000/models", v6: "[::1]:5000"}
models: [{id: a/b, short: b, publish: {lab: true}}]`,
    'models.yaml',
  );
  assert.equal(config.hasRegistries, true);
  assert.deepEqual(config.registries, {
    ghcr: 'ghcr.io/acme',
    lab: 'localhost:5000/models',
    v6: '[::1]:5000',
  });
});

test('layer limits are sizes as people write them', () => {
  const config = parseConfig(
    `layer_limits: { ghcr: 9.5GB, dockerhub: 500 MiB, lab: 1000000, v6: 2000000KB }
registries: { lab: "localhost:5000", v6: "[::1]:5000" }
models: [{id: a/b, short: b}]`,
    'models.yaml',
  );
  assert.deepEqual(config.layerLimits, { ghcr: 9.5e9, dockerhub: 500 * 1024 ** 2, lab: 1e6, v6: 2e9 });
});

for (const [what, text, message] of [
  ['a word', '{ ghcr: lots }', /models\.yaml:1:23: .*must be a size, such as 5GB or 500MiB/],
  ['a unit that is none', '{ ghcr: 5GX }', /must be a size, such as 5GB/],
  ['less than a layer is worth', '{ ghcr: 10kB }', /must be at least 1MB/],
  ['a fraction of a byte', '{ ghcr: 1000000.5 }', /must be/],
  ['a registry that nobody knows', '{ ghrc: 5GB }', /unknown registry "ghrc".*"ghcr"/],
] as const) {
  test(`a layer limit that is ${what} is refused`, () => {
    const config = `layer_limits: ${text}\nmodels: [{id: a/b, short: b}]`;
    assert.throws(() => parseConfig(config, 'models.yaml'), message);
  });
}

test('a registry that only the command line knows is not an unknown one', () => {
  const text = 'models: [{id: a/b, short: b, publish: {lab: true}}]';
  assert.throws(() => parseConfig(text, 'models.yaml'), /unknown registry "lab"/);
  const config = parseConfig(text, 'models.yaml', { extraRegistries: ['lab'] });
  assert.deepEqual(config.models[0]?.publish, { lab: true });
});

test('serve_args: an unquoted number is taken as it is written', () => {
  const model = only(
    'models: [{id: a/b, short: b, serve_args: [--port, 8000, --share, 0.90, --seed, 0x1F]}]',
  );
  assert.deepEqual(model.serveArgs, ['--port', '8000', '--share', '0.90', '--seed', '0x1F']);
});

test('license ids of the whitelist are compared in lower case', () => {
  const model = only('defaults: {spdx_permissive_whitelist: [MIT]}\nmodels: [{id: a/b, short: b}]');
  assert.deepEqual(model.permissiveWhitelist, ['mit']);
});

test('anchors and merge keys work, and places are those of the entries', () => {
  const config = parseConfig(
    `models:
  - &base
    id: a/b
    short: one
    serve_args: &args [--port, 1.50]
  - <<: *base
    short: two
  - {id: c/d, short: three, serve_args: *args}
`,
    'models.yaml',
  );
  assert.deepEqual(
    config.models.map(({ id, short, serveArgs, position }) => [id, short, serveArgs[1], position.line]),
    [
      ['a/b', 'one', '1.50', 3],
      ['a/b', 'two', '1.50', 6],
      ['c/d', 'three', '1.50', 8],
    ],
  );
});

test('several models may share one id', () => {
  const config = parseConfig('models: [{id: a/b, short: x}, {id: a/b, short: y}]', 'models.yaml');
  assert.deepEqual(
    config.models.map(({ short }) => short),
    ['x', 'y'],
  );
});

test("a model's folder is called as its short unless it says otherwise", () => {
  const config = parseConfig('models: [{id: a/b, short: x}, {id: a/b, short: y, folder: x}]', 'models.yaml');
  assert.deepEqual(
    config.models.map(({ folder }) => folder),
    ['x', 'x'],
  );
  assert.throws(
    () => parseConfig('models: [{id: a/b, short: y, folder: ../x}]', 'models.yaml'),
    /kebab-case/,
  );
});

suite('a file', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-config-'));
  });
  after(() => rm(folder, { recursive: true }));

  test('is read with and without a byte order mark, and with CRLF', async () => {
    const file = path.join(folder, 'crlf.yaml');
    await writeFile(file, `\uFEFF${FIRST_EXAMPLE.replaceAll('\n', '\r\n')}`);
    const config = await loadConfig(file);
    assert.equal(config.file, file);
    assert.deepEqual(config, parseConfig(FIRST_EXAMPLE, file));
  });

  test('that is missing says how to get one', async () => {
    const file = path.join(folder, 'nowhere.yaml');
    const error = await failure(loadConfig(file));
    assert.ok(error instanceof ConfigError);
    assert.equal(error.code, 'CONFIG_UNREADABLE');
    assert.equal(error.subject, file);
    assert.match(describeError(error), /there is no such file\. .*`weighbridge init`.*--config/);
  });

  test('that is a folder cannot be read', async () => {
    const error = await failure(loadConfig(folder));
    assert.ok(error instanceof ConfigError);
    assert.equal(error.code, 'CONFIG_UNREADABLE');
  });

  test('that is not UTF-8 is refused at the first wrong byte', async () => {
    const file = path.join(folder, 'latin1.yaml');
    await writeFile(file, Buffer.from('models:\n  - id: a/\xe9\n', 'latin1'));
    const error = await failure(loadConfig(file));
    assert.ok(error instanceof InvalidConfigError);
    assert.deepEqual(
      error.problems.map(({ line, column }) => [line, column]),
      [[2, 11]],
    );
    assert.match(error.message, /not UTF-8/);
  });
});

function only(text: string): ModelConfig {
  const { models } = parseConfig(text, 'models.yaml');
  assert.equal(models.length, 1);
  return models[0] as ModelConfig;
}

function pick(model: ModelConfig, keys: object): unknown {
  return Object.fromEntries(Object.keys(keys).map(key => [key, model[key as keyof ModelConfig]]));
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
}
