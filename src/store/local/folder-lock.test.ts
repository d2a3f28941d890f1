import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { LOCK_NAME, processPlace, withFolderLock } from './folder-lock.ts';
import { removeLeftovers, temporaryName } from './leftovers.ts';

const THIS = import.meta.filename;

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-lock-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

// As a process of its own: counts up in a file, as a build changes the index.
if (process.argv[2] === 'count') {
  const [, , , folder = '', times = '0'] = process.argv;
  const file = path.join(folder, 'count');
  for (let i = 0; i < Number(times); i++) {
    await withFolderLock(folder, async () => {
      const value = Number(await readFile(file, 'utf8'));
      await writeFile(file, String(value + 1));
    });
  }
  process.exit(0);
}

test('processes that change one file take turns', async t => {
  const folder = await newFolder(t);
  await writeFile(path.join(folder, 'count'), '0');
  const processes = Array.from({ length: 3 }, () => fork(THIS, ['count', folder, '30']));
  await Promise.all(processes.map(child => once(child, 'exit')));
  assert.equal(await readFile(path.join(folder, 'count'), 'utf8'), '90');
  assert.deepEqual(await readdir(folder), ['count']);
});

test('the lock of a process that died is broken', async t => {
  const folder = await newFolder(t);
  const child = fork(THIS, ['count', folder, '0']);
  await once(child, 'exit');
  await writeFile(path.join(folder, LOCK_NAME), `${child.pid} ${processPlace()} x\n`);
  assert.equal(await withFolderLock(folder, async () => 'done'), 'done');
  assert.deepEqual(await readdir(folder), []);
});

test('an error in the work frees the lock', async t => {
  const folder = await newFolder(t);
  await assert.rejects(
    withFolderLock(folder, () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.deepEqual(await readdir(folder), []);
});

test('what a killed process left is removed, and nothing of one that lives', async t => {
  const folder = await newFolder(t);
  const child = fork(THIS, ['count', folder, '0']);
  await once(child, 'exit');
  const own = temporaryName('.upload-');
  const dead = own.replace(`${process.pid}`, `${child.pid}`);
  // In another container that has this machine's name, the same number is another process.
  const foreign = dead.replace(processPlace(), processPlace().replace(/\.\d+$/, '.1'));
  const others = [
    ...(process.platform === 'linux' ? [foreign] : []),
    '.upload-x',
    '.upload-1234',
    'blobs',
    `x${dead}`,
  ];
  for (const name of [own, dead, ...others]) await writeFile(path.join(folder, name), '');
  await removeLeftovers(folder, '.upload-');
  assert.deepEqual(new Set(await readdir(folder)), new Set([own, ...others]));
});
