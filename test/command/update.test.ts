import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { UpdateJson } from '../../src/report/json/update-json.ts';
import { weighbridge } from '../support/command.ts';
import { IS_LONG } from '../support/long.ts';
import { temporaryFolder } from '../support/tools.ts';
import { MODEL_FILES, putBase, World } from '../support/world.ts';

const isShort = IS_LONG ? false : 'only with WEIGHBRIDGE_LONG=1';
const NAMES = ['moved', 'text', 'gated', 'unsafe', 'gone', 'same'] as const;

/** Six models in a file with comments, and its lock. */
async function locked(t: TestContext, world: World) {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'models.yaml');
  const [head] = world.config('acme/x').split('models:');
  const list = NAMES.map(name => `  - { id: acme/${name}, short: ${name} } # ${name}\n`).join('');
  await writeFile(file, `# ours\n${head}models:\n${list}`);
  for (const name of NAMES) await world.hub.addModel({ id: `acme/${name}`, files: MODEL_FILES });
  const run = (...args: string[]) =>
    weighbridge([...args, '-c', file], { env: { HF_ENDPOINT: world.hub.url } });
  const written = await run('plan', '--lock');
  assert.equal(written.status, 0, written.stderr);
  const lock = path.join(folder, 'weighbridge.lock');
  return { run, file, folder, readLock: () => readFile(lock, 'utf8') };
}

test('update moves models one by one, and leaves those that may not be published as they were', async t => {
  await using world = await World.start();
  const { run, folder, readLock } = await locked(t, world);
  const before = await readLock();
  const commit = await world.hub.updateFile('acme/moved', 'config.json', '{"model_type":"qwen2"}');
  await world.hub.updateFile('acme/text', 'LICENSE', 'All rights reserved. No use without permission.\n');
  world.hub.repository('acme/gated').gated = 'manual';
  const scanned = { path: 'model-00001-of-00003.safetensors', level: 'unsafe' };
  world.hub.repository('acme/unsafe').filesWithIssues.push(scanned);
  world.hub.rename('acme/gone', 'acme/elsewhere');
  world.hub.repository('acme/elsewhere').isDisabled = true;

  const page = path.join(folder, 'update.md');
  const dry = await run('update', '--dry-run', '--json', '--summary', page);
  assert.equal(dry.status, 1, dry.stderr);
  const { models } = JSON.parse(dry.stdout) as UpdateJson;
  assert.deepEqual(
    models.map(({ status }) => status),
    ['moved', 'kept', 'kept', 'kept', 'kept', 'same'],
  );
  assert.deepEqual(models[0]?.files, { count: 1, sizeBytes: 22 });
  assert.equal(await readLock(), before);
  const markdown = await readFile(page, 'utf8');
  assert.match(markdown, /### moved\n/);
  assert.ok(markdown.includes(`https://huggingface.co/acme/moved/commit/${commit}`));
  assert.match(markdown, /### text stays\n[^#]*\*\*Not moved:\*\*[^#]*LICENSE the text of/);
  assert.match(markdown, /### gated stays\n[^#]*gate none → manual/);
  assert.match(
    markdown,
    /### unsafe stays\n[^#]*\*\*Not moved:\*\*[^#]*scanners call model-00001-of-00003\.safetensors unsafe/,
  );
  assert.match(markdown, /### gone stays\n[^#]*\*\*Not moved:\*\*/);

  const done = await run('update');
  assert.equal(done.status, 1, done.stderr);
  assert.match(
    done.stdout,
    /^1 model moved; 1 is up to date\.\n4 models not moved\.\nAfter a review, take one with: weighbridge update <model> --force$/m,
  );
  const [was, is] = [before, await readLock()].map(text => text.split('\n'));
  const changed = is?.filter((line, index) => line !== was?.[index]);
  assert.deepEqual(changed, [`    revision: ${commit}`]);

  // The others are published as they are locked: of the text, too, the commit that was reviewed.
  const published = await run('publish', '--locked', '--dry-run', '--json');
  assert.equal(published.status, 1, published.stderr);
  const result = JSON.parse(published.stdout) as {
    models: { short: string; error?: { code: string } }[];
  };
  assert.deepEqual(
    result.models.map(({ short, error }) => [short, error?.code]),
    [
      ['moved', undefined],
      ['text', undefined],
      ['gated', 'LOCK_DIFFERS'],
      ['unsafe', 'LOCK_DIFFERS'],
      ['gone', models[4]?.error?.code],
      ['same', undefined],
    ],
  );

  const forced = await run('update', 'gated', '--force');
  assert.equal(forced.status, 0, forced.stderr);
  assert.match(await readLock(), /gated: manual/);
});

test('update --base moves the tag in the file, and nothing else of it', { skip: isShort }, async t => {
  await using world = await World.start();
  const { run, file, readLock } = await locked(t, world);
  const before = await readFile(file, 'utf8');
  for (const version of ['v0.7.0', 'v0.8.0', 'v0.8.1-rc1']) putBase(world.registry(0), version, version);
  const shared = await run('update', 'same', '--base');
  assert.match(shared.stdout, /v0\.6\.0 stays: moved uses it too/);
  assert.equal(await readFile(file, 'utf8'), before);
  const { status, stdout, stderr } = await run('update', '--base');
  assert.equal(status, 0, stderr);
  assert.match(stdout, /v0\.6\.0 → \S+:v0\.8\.0\n/);
  assert.equal(await readFile(file, 'utf8'), before.replace(':v0.6.0', ':v0.8.0'));
  assert.doesNotMatch(await readLock(), /v0\.6\.0/);
  const published = await run('publish', '--locked', '--dry-run');
  assert.equal(published.status, 0, published.stderr);
});

test('update without a lock says how to write one', async t => {
  const file = path.join(await temporaryFolder(t), 'models.yaml');
  await writeFile(file, 'models:\n  - { id: acme/x, short: x }\n');
  const { status, stderr } = await weighbridge(['update', '-c', file]);
  assert.equal(status, 2);
  assert.match(stderr, /no lock to update.*\n.*plan --lock/);
});
