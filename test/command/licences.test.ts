import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import apache from 'spdx-license-list/licenses/Apache-2.0.json' with { type: 'json' };
import { type EmbeddedHub, startHub } from '../../src/testkit/hub.ts';
import { type CommandResult, weighbridge } from '../support/command.ts';

const LLAMA = 'LLAMA 3.1 COMMUNITY LICENSE AGREEMENT\n\nLlama 3.1 Version Release Date: July 23, 2024\n';
const FIELD_OF_USE = '\n10. Field of Use. You may not use the Work to train other models.\n';
const card = (license: string, base?: string): string =>
  `---\nlicense: ${license}\n${base === undefined ? '' : `base_model: ${base}\n`}---\n`;

let hub: EmbeddedHub;
let folder: string;

before(async () => {
  hub = await startHub();
  const add = (id: string, files: Readonly<Record<string, string>>) =>
    hub.addModel({ id, files: { 'model.safetensors': id, 'config.json': '{}', ...files } });
  await add('meta-llama/Llama-3.1-8B', { 'README.md': card('llama3.1'), LICENSE: LLAMA });
  await add('acme/tune', { 'README.md': card('mit', 'meta-llama/Llama-3.1-8B') });
  await add('acme/custom', { 'README.md': card('apache-2.0'), LICENSE: apache.licenseText + FIELD_OF_USE });
  await add('acme/gated', { 'README.md': card('apache-2.0') });
  await add('acme/plain', { 'README.md': card('apache-2.0'), 'LICENSE.txt': apache.licenseText });
  await add('acme/pickle', { 'README.md': card('mit'), 'pytorch_model.bin': 'x', 'modeling_x.py': 'x' });
  await hub.updateFile('acme/pickle', 'model.safetensors', undefined);
  hub.repository('meta-llama/Llama-3.1-8B').gated = 'manual';
  hub.repository('acme/gated').gated = 'auto';
});
after(() => hub.close());

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-licences-'));
  await writeFile(
    path.join(folder, 'models.yaml'),
    `registries: { lab: 127.0.0.1:1/models }
defaults: { base_image: "127.0.0.1:1/vllm:v1" }
models:
  - { id: acme/tune, short: tune }
  - { id: acme/custom, short: custom }
  - { id: acme/gated, short: gated, permissive: true }
  - { id: acme/plain, short: plain }
  - { id: acme/pickle, short: pickle }
`,
  );
});
after(() => rm(folder, { recursive: true }));

const run = (...args: string[]): Promise<CommandResult> =>
  weighbridge(args, { cwd: folder, env: { HF_ENDPOINT: hub.url } });

async function explained(short: string): Promise<string> {
  const { status, stdout, stderr } = await run('plan', '--explain', short, '--no-registry-state');
  assert.equal(status, 0, stderr);
  return stdout.replace(/\s+/g, ' ');
}

test('an MIT card on a model that was made from a Llama', async () => {
  const text = await explained('tune');
  assert.match(text, /NO lineage Made from meta-llama\/Llama-3\.1-8B \(llama3\.1, gated\)/);
  assert.match(text, /\(the Hub, acme\/tune ← meta-llama\/Llama-3\.1-8B at [0-9a-f]{8}\)/);
  assert.match(text, /fat No, by the rule lineage-not-permitted\./);
  assert.match(
    text,
    /What would change it, for tune in models\.yaml permissive: true .* defaults\.lineage: warn/,
  );
});

test('an Apache card and a LICENSE with a clause of its own', async () => {
  const text = await explained('custom');
  assert.match(text, /license Apache-2\.0 AND LicenseRef-LICENSE/);
  assert.match(
    text,
    /a changed copy of Apache-2\.0 that adds "field of use you may not use the work to train other models"/,
  );
  assert.match(text, /fat No, by the rule license-contradicted\./);
});

test('a gated model that the file vouches for', async () => {
  const text = await explained('gated');
  assert.match(text, /NO gate The Hub gates this model \(gated: "auto"\)/);
  assert.match(text, /fat No, by the rule gated\..*`permissive: true` does not lift a gate\./);
  assert.match(text, /What would change it Nothing in models\.yaml\./);
});

test('a model of pickles, and the code that comes with it', async () => {
  const text = await explained('pickle');
  assert.match(text, /fat No, by the rule pickle-not-allowed\./);
  assert.match(text, /remote code modeling_x\.py comes with it/);
  assert.match(
    (await run('plan', '--no-registry-state', '-m', 'pickle')).stdout,
    /code +modeling_x\.py comes with it/,
  );
});

test('a model with nothing against it', async () => {
  const text = await explained('plain');
  assert.match(text, /LICENSE\.txt: the text of Apache-2\.0\./);
  assert.match(text, /fat Yes, by the rule license-permitted\./);
});

test('the tree of a model, written and told of', async () => {
  const { status, stdout, stderr } = await run('licenses', 'plain', '--output', 'out');
  assert.equal(status, 0, stderr);
  assert.match(stderr, /license of the base image is left out/);
  assert.match(stdout, /Written to out\n {2}CC0\n {2}NOTICE\n {2}licenses\.json\n {2}model\/LICENSE\n$/);
  const root = path.join(folder, 'out');
  assert.deepEqual((await readdir(root)).sort(), ['CC0', 'NOTICE', 'licenses.json', 'model']);
  assert.equal(await readFile(path.join(root, 'model', 'LICENSE'), 'utf8'), apache.licenseText);
  const { model, files } = JSON.parse(await readFile(path.join(root, 'licenses.json'), 'utf8'));
  assert.equal(model.license, 'Apache-2.0');
  const license = files.find((file: { path: string }) => file.path === '/licenses/model/LICENSE');
  assert.match(license.source, /\/acme\/plain\/resolve\/[0-9a-f]{40}\/LICENSE\.txt$/);
  assert.match(license.sha256, /^[0-9a-f]{64}$/);
});

test('a file in the place of the folder is a mistake of the call, said before the Hub is asked', async () => {
  const { status, stderr } = await run('licenses', 'plain', '--output', 'models.yaml');
  assert.equal(status, 2);
  assert.match(
    stderr,
    /^weighbridge: models\.yaml cannot be written: .*models\.yaml is not a folder\n {2}Name /,
  );
});

test('the lock: written, followed, and a reason for one model to fail', async () => {
  const plan = (...more: string[]): Promise<CommandResult> => run('plan', '--no-registry-state', ...more);
  const absent = await plan('--locked');
  assert.equal(absent.status, 2);
  assert.match(absent.stderr, /weighbridge\.lock, which does not exist/);
  const written = await plan('--lock');
  assert.equal(written.status, 0);
  assert.match(written.stderr, /wrote .*weighbridge\.lock: \d+ models, added /);
  const lock = await readFile(path.join(folder, 'weighbridge.lock'), 'utf8');
  assert.match(lock, /^# /);
  assert.match(
    lock,
    /plain:\n {4}id: acme\/plain\n {4}ref: null\n {4}revision: [0-9a-f]{40}\n {4}base:\n {6}image: \S+\n {6}digest: \S+\n {4}gated: false\n {4}license: Apache-2\.0\n/,
  );
  const same = await plan('--locked');
  assert.equal(same.status, 0, same.stderr);

  await hub.updateFile('acme/plain', 'README.md', card('cc-by-nc-4.0'));
  hub.repository('acme/custom').gated = 'manual';
  const later = await plan();
  assert.equal(later.status, 0);
  // A commit that moved is not taken; a gate is about every commit.
  assert.doesNotMatch(later.stderr, /plain differs/);
  assert.match(later.stderr, /custom differs from weighbridge\.lock: gate none → manual/);
  const newest = await plan('--no-lock', '--json');
  const locked = await plan('--json');
  const revisionOf = ({ stdout }: CommandResult): string =>
    JSON.parse(stdout).models.find((model: { short: string }) => model.short === 'plain').revision;
  assert.notEqual(revisionOf(newest), revisionOf(locked));

  // With --locked the model that differs fails alone.
  const strict = await plan('--locked', '--json');
  assert.equal(strict.status, 1);
  const models = JSON.parse(strict.stdout).models as { short: string; error?: { code: string } }[];
  assert.deepEqual(
    models.filter(({ error }) => error !== undefined).map(({ short, error }) => [short, error?.code]),
    [['custom', 'LOCK_DIFFERS']],
  );
  assert.equal((await plan('--locked', '-m', 'plain')).status, 0);
  const wrong = [
    ['models: [', /is not YAML/],
    [lock.replace('version: 2', 'version: 1'), /version 1/],
    [lock.replace(/revision: [0-9a-f]{40}/, 'revision: main'), /models\.\w+\.revision/],
    [`<<<<<<< ours\n${lock}`, /merge conflict/],
  ] as const;
  for (const [text, says] of wrong) {
    await writeFile(path.join(folder, 'weighbridge.lock'), text);
    const refused = await plan();
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, says);
    assert.match(refused.stderr, /weighbridge plan --lock/);
  }
});
