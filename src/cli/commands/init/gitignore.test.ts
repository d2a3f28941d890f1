import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { gitignoreAddition, writeGitignore } from './gitignore.ts';

test('a new file ignores what each command leaves, and then nothing is missing', () => {
  const text = gitignoreAddition('');
  assert.deepEqual(
    text.split('\n').filter(line => line !== '' && !line.startsWith('#')),
    ['/models/', '/site/', '/licenses/', '/out/', '/*.tar'],
  );
  assert.equal(gitignoreAddition(text), '');
});

test('what is there stays, whatever its line ends; only what is missing is added', () => {
  const addition = gitignoreAddition('node_modules\r\nmodels\r\n/site\r\nlicenses/\r\n*.tar');
  assert.equal(addition, '\n\n# weighbridge build --output oci:out\n/out/\n');
});

test('nothing is written through a link, which git does not read', async t => {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-'));
  t.after(() => rm(folder, { recursive: true }));
  const [project, elsewhere] = [path.join(folder, 'project'), path.join(folder, 'elsewhere')];
  await mkdir(project);
  await symlink(elsewhere, path.join(project, '.gitignore'));
  assert.equal(await writeGitignore(project), 'link');
  await assert.rejects(readFile(elsewhere), { code: 'ENOENT' });
  await writeFile(elsewhere, 'mine\n');
  assert.equal(await writeGitignore(project), 'link');
  assert.equal(await readFile(elsewhere, 'utf8'), 'mine\n');
  assert.equal(await writeGitignore(folder), 'written');
  assert.equal(await writeGitignore(folder), 'kept');
});
