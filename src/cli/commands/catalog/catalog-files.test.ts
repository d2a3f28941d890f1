import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryName } from '../../../store/local/leftovers.ts';
import { writeSite } from './catalog-files.ts';

function* site(name: string, count: number) {
  for (let index = 0; index < count; index++) yield { path: `models/m${index}.html`, content: name };
  yield { path: 'catalog.json', content: name };
}

test('two catalogs that are written into one folder at once: one follows the other, whole', async () => {
  await using folders = await temporary();
  const { folder } = folders;
  await Promise.all([
    writeSite(folder, site('a', 300)),
    writeSite(folder, site('b', 20)),
    writeSite(folder, site('c', 100)),
  ]);
  const last = await readFile(path.join(folder, 'catalog.json'), 'utf8');
  const pages = await readdir(path.join(folder, 'models'));
  assert.equal(pages.length, { a: 300, b: 20, c: 100 }[last]);
  for (const page of pages) assert.equal(await readFile(path.join(folder, 'models', page), 'utf8'), last);
  assert.deepEqual((await readdir(folder)).sort(), ['catalog.json', 'models']);
});

test('pages of models that are gone go, and nothing else that is kept there or that a link leads to', async () => {
  await using folders = await temporary();
  const { folder, other } = folders;
  await writeFile(path.join(other, 'thesis.html'), 'years of work');
  await writeSite(folder, site('a', 2));
  await writeFile(path.join(folder, 'models', 'notes.txt'), 'mine');
  await writeSite(folder, site('a', 1));
  assert.deepEqual((await readdir(path.join(folder, 'models'))).sort(), ['m0.html', 'notes.txt']);
  await rm(path.join(folder, 'models'), { recursive: true });
  await symlink(other, path.join(folder, 'models'));
  await writeSite(folder, site('a', 1));
  assert.equal(await readFile(path.join(other, 'thesis.html'), 'utf8'), 'years of work');
});

test('what a run that was killed has left goes, and what one that runs is writing stays', async () => {
  await using folders = await temporary();
  const { folder } = folders;
  const alive = temporaryName('.weighbridge-new-');
  const dead = alive.replace(String(process.pid), String(spawnSync('true').pid));
  for (const name of [dead, alive]) await mkdir(path.join(folder, name, 'models'), { recursive: true });
  await writeSite(folder, site('a', 1));
  assert.deepEqual((await readdir(folder)).sort(), [alive, 'catalog.json', 'models']);
});

async function temporary() {
  const [folder, other] = await Promise.all(
    [0, 1].map(() => mkdtemp(path.join(tmpdir(), 'weighbridge-site-'))),
  );
  return {
    folder: folder ?? '',
    other: other ?? '',
    async [Symbol.asyncDispose]() {
      for (const one of [folder, other]) await rm(one ?? '', { recursive: true, force: true });
    },
  };
}

test('a site that cannot be written whole leaves the one that is there', async () => {
  await using folders = await temporary();
  const { folder } = folders;
  await writeSite(folder, site('a', 2));
  function* broken() {
    yield* site('b', 2);
    throw new RangeError('one odd page');
  }
  await assert.rejects(writeSite(folder, broken()), /one odd page/);
  assert.deepEqual((await readdir(folder)).sort(), ['catalog.json', 'models']);
  for (const name of ['catalog.json', 'models/m0.html', 'models/m1.html'])
    assert.equal(await readFile(path.join(folder, name), 'utf8'), 'a');
});
