import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { loadConfig, parseConfig } from './load-config.ts';
import { type ConfigProblem, InvalidConfigError } from './problems.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-include-'));
});
after(() => rm(folder, { recursive: true }));

/** Returns the path of a new folder's models.yaml, with files beside it. */
async function files(name: string, texts: Readonly<Record<string, string>>): Promise<string> {
  const root = path.join(folder, name);
  for (const [file, text] of Object.entries(texts)) {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), text);
  }
  return path.join(root, 'models.yaml');
}

async function problemsOf(file: string): Promise<readonly ConfigProblem[]> {
  try {
    await loadConfig(file);
  } catch (error) {
    if (error instanceof InvalidConfigError) return error.problems;
    throw error;
  }
  return [];
}

/** `file:line:column message`, the file relative to its folder. */
function shown(problems: readonly ConfigProblem[], main: string): string[] {
  return problems.map(({ file, line, column, message }) => {
    const name = path.relative(path.dirname(main), file);
    return `${name}:${line}:${column} ${message.replaceAll(path.dirname(main), '.')}`;
  });
}

const one = (short: string): string => `models:\n  - id: a/${short}\n    short: ${short}\n`;

test('models of further files follow those of the main file, by name, with its defaults', async () => {
  const file = await files('order', {
    'models.yaml': `include: [models.d/*.yaml]\ndefaults: { base_image: x/y:v1, env: { A: 1.0 } }\n${one('m')}`,
    'models.d/b.yaml': one('b'),
    'models.d/B.yaml': one('capital-b'),
    'models.d/a.yaml': `${one('a')}    env: { B: 2.0 }\n`,
    'models.d/.hidden.yaml': one('hidden'),
    'models.d/notes.txt': 'no yaml',
  });
  const config = await loadConfig(file);
  assert.deepEqual(
    config.models.map(({ short }) => short),
    ['m', 'capital-b', 'a', 'b'],
  );
  const a = config.models[2];
  assert.deepEqual([a?.baseImage, a?.env], ['x/y:v1', { A: '1.0', B: '2.0' }]);
  assert.deepEqual(a?.position, {
    file: path.join(path.dirname(file), 'models.d/a.yaml'),
    line: 2,
    column: 5,
  });
  assert.deepEqual(
    config.included.map(name => path.basename(name)),
    ['B.yaml', 'a.yaml', 'b.yaml'],
  );
});

test('a file that several patterns match is included once, and the main file never', async () => {
  const file = await files('once', {
    'models.yaml': 'include: [b.yaml, "*.yaml"]\n',
    'a.yaml': one('a'),
    'b.yaml': one('b'),
  });
  const { models } = await loadConfig(file);
  assert.deepEqual(
    models.map(({ short }) => short),
    ['b', 'a'],
  );
});

test('every mistake has its own file, line and column, and all are shown at once', async () => {
  const file = await files('mistakes', {
    'models.yaml': `include: [models.d/*.yaml, nothing.d/*.yaml]\nmodles: []\n${one('same')}`,
    'models.d/a.yaml': `${one('same')}    revison: x\n`,
    'models.d/b.yaml': 'models: [\n',
    'models.d/c.yaml': `defaults: { arch: linux/arm64 }\ninclude: [x]\nmodel: []\n${one('c')}    tags: ["{variant}{nothing}"]\n`,
    'models.d/d.yaml': '# nothing yet\n',
    'models.d/e.yaml': 'x-note: no models\n',
  });
  assert.deepEqual(shown(await problemsOf(file), file), [
    'models.yaml:1:28 no file matches "nothing.d/*.yaml"',
    'models.yaml:2:1 unknown key "modles"',
    'models.yaml:5:12 "short" "same" is also that of the model at ./models.d/a.yaml:3: each needs its own',
    'models.d/a.yaml:3:12 "short" "same" is also that of the model at ./models.yaml:5: each needs its own',
    'models.d/a.yaml:4:5 unknown key "revison"',
    'models.d/b.yaml:2:1 not valid YAML: ] is missing before this, or this should be indented more',
    'models.d/c.yaml:1:1 "defaults" belongs in the file that includes this one',
    'models.d/c.yaml:2:1 "include" belongs in the file that includes this one',
    'models.d/c.yaml:3:1 unknown key "model"',
    'models.d/c.yaml:7:12 "tags" item 1 may use {version}, {variant}, {revision} and {revision8} only, not {nothing}',
    'models.d/d.yaml:1:1 the file is empty: list "models" in it',
    'models.d/e.yaml:1:1 the file has no "models", which is required',
  ]);
});

test('an empty list beside include, as init writes it, can be left out', async () => {
  const texts = { 'models.yaml': 'include: [a.yaml]\nmodels: []\n', 'a.yaml': one('a') };
  const file = await files('empty-list', texts);
  assert.deepEqual(shown(await problemsOf(file), file), [
    'models.yaml:2:9 "models" is empty: "weighbridge add <id>" adds a model, or leave it out beside "include"',
  ]);
});

const TOO_MUCH = 'may have up to 4 "*" and 1000 alternatives in braces, and no range such as {1..9}';

test('an include that cannot include anything says why, once', async () => {
  for (const [include, expected] of [
    ['[]', '1:10 "include" must not be empty'],
    [
      '[../x.yaml]',
      '1:11 "include" item 1 must be a file or pattern below the folder of this file, such as models.d/*.yaml',
    ],
    ['[models.yaml]', '1:11 "models.yaml" is this file itself: name others'],
    ['["*a*a*a*a*a.yaml"]', `1:11 "include" item 1 ${TOO_MUCH}`],
    ['["+(+(a|aa)).yaml"]', `1:11 "include" item 1 ${TOO_MUCH}`],
    ['["{1..200000}.yaml"]', `1:11 "include" item 1 ${TOO_MUCH}`],
    [`["${'{a,{b,c}}'.repeat(7)}.yaml"]`, `1:11 "include" item 1 ${TOO_MUCH}`],
    ['["{a,b}/*/**/*{c,d}*.yaml"]', '1:11 no file matches "{a,b}/*/**/*{c,d}*.yaml"'],
  ] as const) {
    const file = await files('nothing-to-include', { 'models.yaml': `include: ${include}\n${one('a')}` });
    assert.deepEqual(shown(await problemsOf(file), file), [`models.yaml:${expected}`]);
  }
});

test('nothing outside of the folder is read, whatever the pattern says', async () => {
  const file = await files('inner', {
    'models.yaml':
      'include: [../outer/x.yaml, /etc/x.yaml, "{..,.}/outer/*.yaml", link.yaml, folder, gone.yaml]\n',
    '../outer/x.yaml': one('outer'),
    'folder/x.yaml': one('x'),
  });
  await symlink('../outer/x.yaml', path.join(path.dirname(file), 'link.yaml'));
  await symlink('nowhere.yaml', path.join(path.dirname(file), 'gone.yaml'));
  assert.deepEqual(shown(await problemsOf(file), file), [
    'models.yaml:1:11 "include" item 1 must be a file or pattern below the folder of this file, such as models.d/*.yaml',
    'models.yaml:1:28 "include" item 2 must be a file or pattern below the folder of this file, such as models.d/*.yaml',
    'models.yaml:1:41 "../outer/x.yaml" leads out of the folder of ./models.yaml',
    'models.yaml:1:64 "link.yaml" leads out of the folder of ./models.yaml',
    'models.yaml:1:75 ./folder cannot be read: it is a folder',
    'models.yaml:1:83 ./gone.yaml cannot be read: there is no such file',
  ]);
});

test('another included text or name is another plan; a single file keeps its digest', async () => {
  const main = { 'models.yaml': 'include: ["*.yaml"]\n' };
  const digest = async (name: string, texts: Readonly<Record<string, string>>): Promise<string> =>
    (await loadConfig(await files(name, { ...main, ...texts }))).digest;
  const first = await digest('digest-1', { 'a.yaml': one('a') });
  assert.equal(await digest('digest-2', { 'a.yaml': one('a').replaceAll('\n', '\r\n') }), first);
  assert.notEqual(await digest('digest-3', { 'b.yaml': one('a') }), first);
  assert.notEqual(await digest('digest-4', { 'a.yaml': `${one('a')}#\n` }), first);
});

test('a text alone cannot include files', () => {
  assert.throws(() => parseConfig('include: [a.yaml]', 'models.yaml'), /"include" needs a file on disk/);
});

test('x-… keys are ignored at the top, in defaults and in models, and anchors in them work', () => {
  const { models } = parseConfig(
    `x-small: &small { serve_args: [--max-model-len, 1024] }
defaults: { x-note: { any: thing }, arch: linux/arm64 }
models:
  - { <<: *small, id: a/b, short: b, x-owner: [team, 1] }`,
    'models.yaml',
  );
  assert.deepEqual(models[0]?.serveArgs, ['--max-model-len', '1024']);
  assert.deepEqual(models[0]?.arch, ['linux/arm64']);
});

test('x-… keys are nowhere else, and stand in for no required key', () => {
  const messages = (text: string): string[] => {
    try {
      parseConfig(text, 'models.yaml');
    } catch (error) {
      if (error instanceof InvalidConfigError) return error.problems.map(({ message }) => message);
      throw error;
    }
    return [];
  };
  assert.deepEqual(messages('x-models: []'), ['the file has no "models", which is required']);
  assert.match(messages('models: [{ id: a/b, short: b, oci: { x-y: 1 } }]').join(), /^unknown key "x-y"/);
});
