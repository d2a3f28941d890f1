import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from './load-config.ts';
import { type ConfigProblem, InvalidConfigError } from './problems.ts';
import { SourceText } from './yaml/source-text.ts';
import { readYamlDocument } from './yaml/yaml-document.ts';

type Expected = [line: number, column: number, message: RegExp | string, suggestion?: string];

/** One model in block style with `lines` added to its entry: they start on line 4, column 5. */
const model = (...lines: string[]): string =>
  ['models:', '  - id: a/b', '    short: b', ...lines.map(line => `    ${line}`)].join('\n');
/** A valid file whose defaults have `lines`: they start on line 2, column 3. */
const defaults = (...lines: string[]): string =>
  ['defaults:', ...lines.map(line => `  ${line}`), 'models: [{id: a/b, short: b}]'].join('\n');
const registry = (prefix: string): string => `registries:\n  lab: ${prefix}\nmodels: [{id: a/b, short: b}]`;
const named = (id: string, short: string): string => `models:\n  - id: ${id}\n    short: ${short}\n`;

const TABLE: Record<string, [text: string, ...expected: Expected[]]> = {
  // keys
  'a slip in a key of a model': [model('revison: null'), [4, 5, 'unknown key "revison"', 'revision']],
  'a slip in a key in flow style': [
    'models: [{id: a/b, short: b, serv_args: []}]',
    [1, 30, 'unknown key "serv_args"', 'serve_args'],
  ],
  'a slip in a key of oci': [model('oci:', '  titel: x'), [5, 7, 'unknown key "titel"', 'title']],
  'a slip in a key of files': [defaults('files: {exclud: [x]}'), [2, 11, 'unknown key "exclud"', 'exclude']],
  'a slip at the top': ['model: [{id: a/b, short: b}]', [1, 1, 'unknown key "model"', 'models']],
  'a key that is like no other': [
    model('zzzzzzzz: 1'),
    [4, 5, /^unknown key "zzzzzzzz": there are id, short,/],
  ],
  'a key in the wrong place': [
    model('hf_cache_dir: /x'),
    [4, 5, 'unknown key "hf_cache_dir" here: it belongs in "defaults"'],
  ],
  'a model key at the top': [
    `${named('a/b', 'b')}base_image: x:y`,
    [4, 1, 'unknown key "base_image" here: it belongs in an entry of "models" or in "defaults"'],
  ],
  'a hostile key': [model('__proto__: {id: x}'), [4, 5, /^unknown key "__proto__"/]],
  'a missing key, block style': ['models:\n  - id: a/b', [2, 5, 'model 1 has no "short", which is required']],
  'a missing key, flow style': ['models: [{short: b}]', [1, 10, 'model 1 has no "id", which is required']],
  'a misspelt required key is told once': [
    'models: [{id: a/b, shrot: b}]',
    [1, 20, 'unknown key "shrot"', 'short'],
  ],
  'a key without a value': [
    'models:\n  - id: a/b\n    short:',
    [3, 5, '"short" has no value: it must be text'],
  ],
  'defaults without a value': [
    'defaults:\nmodels: [{id: a/b, short: b}]',
    [1, 1, '"defaults" has no value: it must be a map'],
  ],

  // types
  'a number for a revision': [
    model('revision: 1234567'),
    [4, 15, '"revision" must be text, not the number 1234567', '"1234567"'],
  ],
  'a revision that looks like an exponent': [
    model('revision: 1e5'),
    [4, 15, /not the number 100000/, '"1e5"'],
  ],
  'an empty revision': [model('revision: ""'), [4, 15, /commit, branch or tag/]],
  'a revision with a space': [model('revision: "main "'), [4, 15, /without spaces/]],
  'a revision with a control character': [model('revision: "a\\u0007"'), [4, 15, /commit, branch or tag/]],
  'YAML 1.1 yes': [
    model('permissive: yes'),
    [4, 17, '"permissive" must be auto, true or false, not the text "yes"', 'true'],
  ],
  'YAML 1.1 off': [model('gated: Off'), [4, 12, /auto, true or false/, 'false']],
  'a quoted boolean': [model('gated: "true"'), [4, 12, /not the text "true"/, 'true']],
  'a slip in auto': [model('gated: atuo'), [4, 12, /auto, true or false/, 'auto']],
  'yes in publish': [
    model('publish:', '  ghcr: yes'),
    [5, 13, '"ghcr" must be true or false, not the text "yes"', 'true'],
  ],
  'text for a list of arguments': [
    model('serve_args: --host 0.0.0.0'),
    [4, 17, /must be a list, not the text/, '["--host", "0.0.0.0"]'],
  ],
  'a flag and its value in one argument': [
    model('serve_args:', '  - --port 80'),
    [5, 9, /two items of the list/, '"--port", "80"'],
  ],
  'a short flag and its value in one argument': [
    model('serve_args:', '  - -tp 2'),
    [5, 9, /two items of the list/, '"-tp", "2"'],
  ],
  'several flags in one argument': [
    model('serve_args: ["--port 80 -tp 2"]'),
    [4, 18, /two items of the list/, '"--port", "80", "-tp", "2"'],
  ],
  'a boolean argument': [
    model('serve_args: [--x, true]'),
    [4, 23, '"serve_args" item 2 must be text or a number, not true', '"true"'],
  ],
  'a null argument': [model('serve_args: [--x, ~]'), [4, 23, /item 2 has no value/]],
  'a map argument': [
    model('serve_args: [--x, {a: 1}]'),
    [4, 23, /item 2 must be text or a number, not a map/],
  ],
  'a slip in the map of a registry': [
    `registries:\n  lab: {prefix: registry.lan/x, plain_htp: true}\n${model('')}`,
    [2, 33, /unknown key "plain_htp"/, 'plain_http'],
  ],
  'text for a list of tags': [model('tags: "{variant}"'), [4, 11, /must be a list/, '["{variant}"]']],
  'a list for a map': [model('oci: [x]'), [4, 10, '"oci" must be a map, not a list']],
  'text for a model': ['models:\n  - a/b', [2, 5, 'model 1 must be a map, not the text "a/b"']],
  'a list at the top': ['- id: a/b', [1, 1, 'the file must be a map, not a list']],
  'the singular of a key': [
    `registry: {lab: registry.lan/x}\n${model('')}`,
    [1, 1, 'unknown key "registry"', 'registries'],
  ],
  'the beginning of a choice': [model('layer_order: weights'), [4, 18, /must be auto,/, 'weights-first']],
  'a key in quotes twice': [
    'models:\n  - id: a/b\n    "short": b\n    "short": c',
    [4, 5, 'the key "short" is defined twice in the same map'],
  ],
  'no models': ['models: []', [1, 9, /^"models" is empty: "weighbridge add <id>"/]],
  'models without a value': ['models:', [1, 1, '"models" has no value: it must be a list']],

  // ids and names
  'an address for an id': [
    named('https://huggingface.co/org/name/tree/main', 'b'),
    [2, 9, /^"id" must be the name of a Hub repository/, 'org/name'],
  ],
  'an address with a query for an id': [
    named('https://huggingface.co/org/name?library=vllm', 'b'),
    [2, 9, /^"id" must be the name of a Hub repository/, 'org/name'],
  ],
  'an address to clone from for an id': [
    named('https://hf.co/org/name.git', 'b'),
    [2, 9, /^"id" must be the name of a Hub repository/, 'org/name'],
  ],
  "the bootstrap's own folder": [
    model('download_root: /opt/weighbridge/'),
    [4, 20, /puts the model into \/opt\/weighbridge, which is not a folder for models/],
  ],
  'a folder that is mounted over': [model('download_root: /proc/x'), [4, 20, /puts the model into \/proc/]],
  "a short that makes it the bootstrap's folder": [
    'models:\n  - id: a/b\n    short: weighbridge\n    download_root: /opt',
    [4, 20, /puts the model into \/opt\/weighbridge/],
  ],
  'an id with ..': [named('org/..', 'b'), [2, 9, /Hub repository/]],
  'an id with two slashes': [named('a/b/c', 'b'), [2, 9, /Hub repository/]],
  'an id with two dashes': [named('a/b--c', 'b'), [2, 9, /Hub repository/]],
  'an id with a space': [named('a/b c', 'b'), [2, 9, /Hub repository/]],
  'an id that is too long': [
    named(`a/${'x'.repeat(97)}`, 'b'),
    [2, 9, '"id" must have names of at most 96 characters, not 97'],
  ],
  'a short with capitals, underscores and dots': [
    named('a/b', 'Org_Name-1.5B'),
    [3, 12, /^"short" must be kebab-case/, 'org-name-15b'],
  ],
  'a short with a double separator': [named('a/b', 'a--b'), [3, 12, /kebab-case/, 'a-b']],
  'a short that ends in a separator': [named('a/b', 'a-'), [3, 12, /kebab-case/, 'a']],
  'a short that is a number': [named('a/b', '15'), [3, 12, /must be text, not the number 15/, '"15"']],
  'a short that is too long': [named('a/b', 'a'.repeat(97)), [3, 12, /at most 96 characters, not 97/]],
  'a short that two models have': [
    'models:\n  - {id: a/b, short: x}\n  - {id: c/d, short: y}\n  - {id: e/f, short: x}\n',
    [2, 22, '"short" "x" is also that of the model on line 4: each needs its own'],
    [4, 22, '"short" "x" is also that of the model on line 2: each needs its own'],
  ],

  // platforms, paths, images, tags, globs, licenses, labels
  'an architecture alone': [defaults('arch: amd64'), [2, 9, /platform/, 'linux/amd64']],
  'a system alone': [defaults('arch: linux'), [2, 9, /platform/, 'linux/amd64']],
  'an architecture by its kernel name': [
    defaults('arch: [aarch64]'),
    [2, 10, /item 1 must be a platform/, 'linux/arm64'],
  ],
  'platforms with commas': [
    model('arch: linux/amd64,linux/arm64'),
    [4, 11, /platform/, '["linux/amd64", "linux/arm64"]'],
  ],
  'a platform twice': [
    model('arch: [linux/amd64, linux/amd64]'),
    [4, 25, '"arch" item 2 is in the list already'],
  ],
  'an empty list of platforms': [model('arch: []'), [4, 11, '"arch" must not be empty']],
  'a number among platforms': [model('arch: [linux/amd64, 5]'), [4, 25, /item 2 must be text/, '"5"']],
  'a relative path': [defaults('download_root: models'), [2, 18, /absolute path/, '/models']],
  'a path with ..': [defaults('hf_cache_dir: /a/../b'), [2, 17, /absolute path/]],
  'a path with an empty segment': [defaults('hf_cache_dir: /a//b'), [2, 17, /absolute path/, '/a/b']],
  'the root folder': [model('download_root: /'), [4, 20, /absolute path below \//]],
  'a base image with capitals': [
    defaults('base_image: Vllm/vllm-openai:v1'),
    [2, 15, /^"base_image" must name an image: .*lower case/, 'vllm/vllm-openai:v1'],
  ],
  'a base image with a scheme': [
    defaults('base_image: https://ghcr.io/a/b:c'),
    [2, 15, /must name an image/, 'ghcr.io/a/b:c'],
  ],
  'a base image without a tag': [
    model('base_image: vllm/vllm-openai'),
    [4, 17, /^"base_image" has no tag for \{version\} in "tags"/],
  ],
  'a base image with a digest alone': [
    defaults(`base_image: vllm/vllm-openai@sha256:${'0'.repeat(64)}`),
    [2, 15, /has no tag for \{version\}/],
  ],
  'a base image whose tag makes a tag too long': [
    model(`base_image: a/b:${'v'.repeat(126)}`),
    [4, 17, 'the tag of "base_image" makes "{version}-{variant}" in "tags" longer than 128 characters'],
  ],
  'tags without {variant}': [
    model('tags: ["{version}"]'),
    [4, 12, /must contain \{variant\}.*overwrite/, '{version}-{variant}'],
  ],
  'tags with an unknown placeholder': [
    model('tags: ["{sha}-{variant}"]'),
    [4, 12, '"tags" item 1 may use {version}, {variant}, {revision} and {revision8} only, not {sha}'],
  ],
  'tags with a character that tags cannot have': [model('tags: ["{variant}+x"]'), [4, 12, /must give a tag/]],
  'tags with a stray brace': [model('tags: ["{variant}-{version"]'), [4, 12, /must give a tag/]],
  'tags that start with a dot': [model('tags: [".{variant}"]'), [4, 12, /must give a tag/]],
  'tags that are too long': [model(`tags: ["${'x'.repeat(130)}{variant}"]`), [4, 12, /at most 128/]],
  'tags that two variants share': [
    model('tags: {fat: ["{version}"], slim: ["{version}"]}'),
    [4, 11, '"tags" has "v0.6.0" for both slim and fat: one would overwrite the other'],
  ],
  'a tag that is the default of another variant': [
    model('variants: [fat, weights]', 'tags: {fat: ["weights"]}'),
    [5, 11, '"tags" has "weights" for both fat and weights: one would overwrite the other'],
  ],
  'a tag of the defaults that a model gives to another variant': [
    `${defaults('tags: {slim: ["v1"]}').replace('short: b', 'short: b, base_image: "x/y:v1", tags: {fat: ["{version}"]}')}`,
    [3, 58, '"tags" has "v1" for both slim and fat: one would overwrite the other'],
  ],

  // what the schema says of values
  'a slip in a variant': [
    model('variants: [slim, fatt]'),
    [4, 22, '"variants" item 2 must be one of slim, fat, weights, modelpack', 'fat'],
  ],
  'a variant twice, and a slip': [
    model('variants: [slim, slim, fatt]'),
    [4, 22, '"variants" item 2 is in the list already'],
    [4, 28, '"variants" item 3 must be one of slim, fat, weights, modelpack', 'fat'],
  ],
  'an unknown order of layers': [
    model('layer_order: weight-first'),
    [4, 18, '"layer_order" must be auto, base-first or weights-first', 'weights-first'],
  ],
  'an unknown fit': [model('fit: strict'), [4, 10, '"fit" must be warn, enforce or off']],
  'a negative layer_target': [
    model('layer_target: -5'),
    [4, 19, '"layer_target" must be a size of at least 1MB, such as 5GB'],
  ],
  'a layer_target larger than numbers are exact': [
    model('layer_target: 1e300'),
    [4, 19, '"layer_target" must be a size of at least 1MB, such as 5GB'],
  ],
  'a statement about a model that is not there': [
    `vex: [{vulnerability: CVE-2026-1, status: fixed, date: 2026-11-20, models: [b, a/b, qwen]}]\n${named('a/b', 'b')}  - {id: a/c, short: qwen3}`,
    [1, 85, '"models" item 3 must be the short or id of a model, not "qwen"', 'qwen3'],
  ],
  'part of an image to keep': [
    `retention: {keep: 1.5}\n${named('a/b', 'b')}`,
    [1, 19, '"keep" must be a whole number from 1, not the number 1.5'],
  ],
  'text for a number': [
    `retention: {keep: "3"}\n${named('a/b', 'b')}`,
    [1, 19, '"keep" must be a whole number from 1, not the text "3"'],
  ],
  'too many images to keep': [
    `retention: {keep: 10001}\n${named('a/b', 'b')}`,
    [1, 19, '"keep" must be at most 10000'],
  ],
  'a number for a time': [
    `retention: {younger_than: 30}\n${named('a/b', 'b')}`,
    [1, 27, '"younger_than" must be a number of days, such as 30d, not the number 30'],
  ],
  'every mistake of a map of variables': [
    model('env: {A: [1], HF_TOKEN: x, "D=E": y}'),
    [4, 14, '"A" must be text, a number, true or false, not a list'],
    [4, 19, /^"HF_TOKEN" looks like a secret/],
    [4, 32, /^"D=E" must be the name of a variable/],
  ],
  'a label that states a fact': [
    model('labels: {io.weighbridge.variant: fat}'),
    [4, 14, '"io.weighbridge.variant" states a fact that Weighbridge looks up; it cannot be set'],
  ],
  'an absolute glob': [model('files: {include: [/x]}'), [4, 23, /relative to the top/]],
  'a glob that climbs': [model('files: {exclude: [a/../../b]}'), [4, 23, /relative to the top/]],
  'no files at all': [model('files: {include: []}'), [4, 22, '"include" must not be empty']],
  'a pattern for licenses': [
    defaults('spdx_permissive_whitelist:', '  - mit', '  - bsd-*'),
    [4, 7, '"spdx_permissive_whitelist" item 2 must be one SPDX id, such as apache-2.0, in full'],
  ],
  'two registries with one prefix': [
    'registries:\n  a: docker.io/acme\n  b: {prefix: index.docker.io/acme/}\n  c: ghcr.io/acme\nmodels: [{id: a/b, short: b}]',
    [3, 15, '"b" has the same prefix as "a" on line 2: everything would be published there twice'],
  ],
  'an override_spdx that ends too early': [
    model('override_spdx: "(MIT AND"'),
    [
      4,
      20,
      '"override_spdx" must be an SPDX expression: ids with AND or OR between them, parentheses in pairs',
    ],
  ],
  'a slip in an override_spdx': [
    model('override_spdx: mit AND apache2'),
    [4, 20, /: "apache2" is not an SPDX id$/, 'mit AND Apache-2.0'],
  ],
  'an override_spdx in words': [
    model('override_spdx: Apache 2.0'),
    [4, 20, /: "Apache" is not an SPDX id$/, 'Apache-2.0'],
  ],
  "an override_spdx that is the Hub's own name": [
    model('override_spdx: llama3'),
    [4, 20, /: "llama3" is not an SPDX id$/],
  ],
  'the override_spdx of an adapter': [
    model('adapters: [{id: a/c, name: c, override_spdx: MIT OR}]'),
    [4, 50, /must be an SPDX expression/],
  ],
  'whitelist entries that are not ids': [
    defaults('spdx_permissive_whitelist: [apache2, LicenseRef-acme, gemma, bsd]'),
    [
      2,
      31,
      '"spdx_permissive_whitelist" item 1 must be one SPDX id, such as apache-2.0, in full',
      'Apache-2.0',
    ],
    [2, 57, '"spdx_permissive_whitelist" item 3 must be one SPDX id, such as apache-2.0, in full'],
    [2, 64, '"spdx_permissive_whitelist" item 4 must be one SPDX id, such as apache-2.0, in full'],
  ],
  'an empty override_spdx': [model('override_spdx: ""'), [4, 20, /SPDX id or expression/]],
  'a url without a scheme': [model('oci: {url: example.org}'), [4, 16, /web address/]],
  'a url that runs code': [model('oci: {url: "javascript:alert(1)"}'), [4, 16, /web address/]],
  'a title of two lines': [model('oci: {title: "a\\nb"}'), [4, 18, /one line/]],

  // registries
  'a prefix with a scheme and capitals': [
    registry('https://Foo.io/x'),
    [2, 8, /host\[:port\]\/path/, 'foo.io/x'],
  ],
  'an account of Docker Hub for a prefix': [
    registry('acme'),
    [2, 8, /host\[:port\]\/path/, 'docker.io/acme'],
  ],
  'Docker Hub without an account': [registry('docker.io'), [2, 8, /host\[:port\]\/path/]],
  'a prefix with a tag': [registry('ghcr.io/acme:v1'), [2, 8, /and tag/]],
  'a prefix without a value': [
    registry(''),
    [2, 3, '"lab" has no value: it must be a prefix, or a map with prefix in it'],
  ],
  'a registry key that no command line could give': [
    'registries:\n  "a=b": ghcr.io/x\nmodels: [{id: a/b, short: b}]',
    [2, 3, /^"a=b" must be a short name for a registry/],
  ],
  'a slip in a registry of a model': [
    model('publish: {dockrhub: true}'),
    [4, 15, 'unknown registry "dockrhub"', 'dockerhub'],
  ],
  'a slip in a registry of the defaults': [
    `registries: {laboratory: lab.example/x}\n${defaults('publish:', '  laboratry: true')}`,
    [4, 5, 'unknown registry "laboratry"', 'laboratory'],
  ],
  'a registry nobody has heard of': [
    model('publish:', '  somewhere: true'),
    [5, 7, 'unknown registry "somewhere": give its prefix in "registries"'],
  ],

  // YAML itself
  'an empty file': ['', [1, 1, /^the file is empty: "weighbridge init"/]],
  'comments alone': ['# nothing\n', [1, 1, /^the file is empty/]],
  'a tab': ['models:\n\t- id: a/b', [2, 1, /tabs/]],
  'a quote that is never closed': [
    'models:\n  - id: "a/b\n    short: b\n',
    [2, 9, 'this quote is never closed'],
  ],
  'several syntax errors': [
    'models:\n  - id: a: b\n    short: "x" y\n  - id: "q\\z"\n',
    [2, 9, /^not valid YAML: Nested mappings/],
    [3, 16, /^not valid YAML: Unexpected scalar/],
    [4, 11, /^not valid YAML: Invalid escape/],
  ],
  'brackets that do not match': [
    'models: [\n  {id: a/b, short: b]\n',
    [2, 21, 'not valid YAML: } is missing before this, or this should be indented more'],
  ],
  'a key written twice, with another problem': [
    'models:\n  - id: a/b\n    short: b\n    id: c/d\n    gated: no\n',
    [4, 5, 'the key "id" is defined twice in the same map'],
    [5, 12, /auto, true or false/, 'false'],
  ],
  'two documents': [`${named('a/b', 'b')}---\n${named('c/d', 'd')}`, [4, 1, /^a second document/]],
  'a tag': ['models: !!set {}', [1, 9, /^the tag !!set has no meaning here/], [1, 15, /must be a list/]],
  'an alias without its anchor': [
    'models: [&one {id: a/b, short: b}, *oen]',
    [1, 36, 'no anchor &oen is defined before this', '*one'],
  ],
  'an anchor that holds itself': ['models: &m [*m]', [1, 13, '*m would contain itself']],
  'a merge of something else': ['<<: 5\nmodels: [{id: a/b, short: b}]', [1, 1, /^<< must be a map/]],
  'a bomb of aliases': [bomb(), [2, 8, /its aliases stand for too much/]],
  'too many brackets': ['['.repeat(50_000), [1, 0, /nested too deeply/]],
  'a directive for YAML 1.1': [
    '%YAML 1.1\n---\nmodels: [{id: a/b, short: b, gated: no}]',
    [3, 37, /not the text "no"/, 'false'],
  ],
  'a fault that is merged into two models is told once': [
    'models:\n  - &m {id: a/b, short: x, gated: no}\n  - <<: *m\n    short: y',
    [2, 35, /auto, true or false/, 'false'],
  ],
};

for (const [name, [text, ...expected]] of Object.entries(TABLE)) {
  test(name, () => {
    const { problems } = invalid(text);
    assert.equal(problems.length, expected.length, problems.map(problem => problem.message).join('\n'));
    for (const [index, [line, column, message, suggestion]] of expected.entries()) {
      const problem = problems[index];
      assert.ok(problem);
      if (message instanceof RegExp) assert.match(problem.message, message);
      else assert.equal(problem.message, message);
      // Column 0 stands for one that depends on the machine (the depth of its stack).
      assert.deepEqual([problem.line, column && problem.column], [line, column]);
      assert.equal(problem.suggestion, suggestion);
    }
  });
}

test('all problems of a file come at once, in the order of the file', () => {
  const error = invalid(`defaults:
  arch: amd64
models:
  - id: a/b
    short: b
    revison: null
    publish: {ghcr: yes, lab: true}
  - short: b
`);
  assert.deepEqual(
    error.problems.map(({ line, column, offendingText }) => [line, column, offendingText]),
    [
      [2, 9, 'amd64'],
      [5, 12, 'b'],
      [6, 5, 'revison'],
      [7, 21, 'yes'],
      [7, 26, 'lab'],
      [8, 5, ''],
      [8, 12, 'b'],
    ],
  );
  assert.equal(error.code, 'CONFIG_INVALID');
  assert.equal(error.subject, 'conf/models.yaml:2:9');
  assert.equal(error.remedy, undefined);
});

test('a problem is shown with its line and a caret', () => {
  assert.equal(
    invalid(model('revison: null', '# so', 'gated: yes')).message,
    [
      'conf/models.yaml:4:5: unknown key "revison" — did you mean "revision"?',
      '        revison: null',
      '        ^^^^^^^',
      '',
      'conf/models.yaml:6:12: "gated" must be auto, true or false, not the text "yes" — did you mean true?',
      '        gated: yes',
      '               ^^^',
    ].join('\n'),
  );
});

test('the caret stands right behind tabs and in long lines', () => {
  const tabbed = invalid('models: [\t{id: a/b, short: b, gated: no}]').message.split('\n');
  assert.deepEqual(tabbed.slice(1), [
    '    models: [\t{id: a/b, short: b, gated: no}]',
    `    ${' '.repeat(9)}\t${' '.repeat(27)}^^`,
  ]);
  const [, line = '', caret = ''] = invalid(
    `models: [{id: a/b, serve_args: ["${'x'.repeat(500)}"], short: B-, gated: auto}]`,
  ).message.split('\n');
  assert.ok(line.length < 200);
  assert.equal(line.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1), 'B-');
});

test('neither control characters nor secrets of the file reach the terminal', () => {
  const token = `hf_${'abcdefgh'.repeat(4)}`;
  const { message, problems } = invalid(
    model('"\\u001b[2J\u009b1m": 1', `revision: [ ${token} ]`, 'base_image: bob:hunter22@example.org/x:y'),
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  assert.doesNotMatch(message, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  for (const secret of ['abcdefgh', 'hunter22']) {
    assert.ok(!message.includes(secret), message);
    assert.ok(!JSON.stringify(problems).includes(secret));
  }
});

function invalid(text: string): InvalidConfigError {
  try {
    parseConfig(text, 'conf/models.yaml');
  } catch (error) {
    assert.ok(error instanceof InvalidConfigError, String(error));
    return error;
  }
  return assert.fail('the file was taken for a valid one');
}

function bomb(): string {
  const names = [...'abcdefghi'];
  const uses = (name: string): string => Array(10).fill(`*${name}`).join(',');
  return names
    .map((name, i) => `${name}: &${name} [${i === 0 ? 'x' : uses(names[i - 1] as string)}]`)
    .join('\n');
}

test('a line is prepared once, however many mistakes it has', () => {
  let count = 0;
  class CountingText extends SourceText {
    override problem(...given: Parameters<SourceText['problem']>): ConfigProblem {
      count += 1;
      return super.problem(...given);
    }
  }
  const text = new CountingText('"'.repeat(2000), 'models.yaml');
  assert.throws(
    () => readYamlDocument(text),
    error => error instanceof InvalidConfigError && error.problems.length === 1,
  );
  assert.equal(count, 1);
});
