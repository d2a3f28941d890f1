import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { writeSite } from './catalog-files.ts';

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-site-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

const SITE = [
  { path: 'index.html', content: 'new' },
  { path: 'models/b.html', content: 'b' },
];

test('a site that fails on the way leaves the one that is there', async t => {
  const folder = await temporary(t);
  await writeSite(folder, [
    { path: 'index.html', content: 'old' },
    { path: 'models/a.html', content: 'a' },
  ]);
  function* failing() {
    yield* SITE;
    throw new TypeError('an odd image');
  }
  await assert.rejects(writeSite(folder, failing()), /an odd image/);
  assert.deepEqual((await readdir(folder, { recursive: true })).sort(), [
    ...['index.html', 'models', 'models/a.html'],
  ]);
  assert.equal(await readFile(path.join(folder, 'index.html'), 'utf8'), 'old');
});

test('a new site replaces the old one: models that are gone go, and what a killed run left', async t => {
  const folder = await temporary(t);
  await writeSite(folder, [
    { path: 'index.html', content: 'old' },
    { path: 'models/a.html', content: 'a' },
  ]);
  await mkdir(path.join(folder, '.weighbridge-new-x'));
  await writeFile(path.join(folder, '.weighbridge-new-x', 'half'), '');
  assert.equal(await writeSite(folder, SITE), 2);
  assert.deepEqual((await readdir(folder, { recursive: true })).sort(), [
    ...['index.html', 'models', 'models/b.html'],
  ]);
  assert.equal(await readFile(path.join(folder, 'index.html'), 'utf8'), 'new');
});
