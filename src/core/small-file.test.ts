import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { readSmallFile, readSmallFileSync } from './small-file.ts';

test('what is not a small file is an error, and nothing is waited for', async t => {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-small-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'file');
  const pipe = path.join(folder, 'pipe');
  await writeFile(file, 'x'.repeat(100_000));
  execFileSync('mkfifo', [pipe]);
  const options = { maxBytes: 100_000 };
  assert.equal((await readSmallFile(file, options)).length, 100_000);
  assert.equal(readSmallFileSync(file, options).length, 100_000);
  assert.equal((await readSmallFile('/dev/null', options)).length, 0);
  for (const [place, code] of [
    [pipe, 'EPIPEFILE'],
    [folder, 'EISDIR'],
    ['/dev/zero', 'ETOOLARGE'],
    [path.join(folder, 'none'), 'ENOENT'],
  ] as const) {
    await assert.rejects(readSmallFile(place, options), { code }, place);
    assert.throws(() => readSmallFileSync(place, options), { code }, place);
  }
  await assert.rejects(readSmallFile(file, { maxBytes: 99_999 }), { code: 'ETOOLARGE' });
});

test('a process ends although it waits for a pipe, without a writer or with one that is silent', async t => {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-pipe-'));
  t.after(() => rm(folder, { recursive: true }));
  const pipe = path.join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const script = `import { readSmallFile } from '${new URL('./small-file.ts', import.meta.url).href}';
    readSmallFile(process.argv[1], { maxBytes: 100, isPipeAllowed: true });
    setTimeout(() => process.exit(7), 300);`;
  const run = () =>
    spawnSync(process.execPath, ['--input-type=module', '--eval', script, pipe], {
      ...{ timeout: 30_000, killSignal: 'SIGKILL' },
    }).status;
  assert.equal(run(), 7);
  const writer = openSync(pipe, constants.O_RDWR);
  assert.equal(run(), 7);
  closeSync(writer);
});
