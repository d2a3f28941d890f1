import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { writeFileAtomically } from './atomic-file.ts';

test('a file is replaced whole, a link is not written through, a failure leaves nothing', async t => {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-atomic-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'a');
  const outside = path.join(folder, 'outside');
  await writeFile(outside, 'kept');
  await symlink(outside, file);
  await writeFileAtomically(file, 'new');
  assert.equal(await readFile(file, 'utf8'), 'new');
  assert.equal(await readFile(outside, 'utf8'), 'kept');
  await mkdir(path.join(folder, 'full', 'x'), { recursive: true });
  await assert.rejects(writeFileAtomically(path.join(folder, 'full'), 'x'));
  assert.deepEqual((await readdir(folder)).sort(), ['a', 'full', 'outside']);
});
