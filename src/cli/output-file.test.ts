import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { ConfigError, WeighbridgeError } from '../core/errors.ts';
import { asFileError, prepareFolder, prepareOutput, prepareReplacement, writeOutput } from './output-file.ts';

test('results go to a folder that is made, and looking first writes nothing', async t => {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-output-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'deep', 'er', 'result.json');
  await prepareOutput(file);
  assert.deepEqual(await readdir(path.dirname(file)), []);
  await writeOutput(file, 'text');
  await prepareOutput(file);
  assert.equal(await readFile(file, 'utf8'), 'text');
});

test('the file with the models is not written over, by whatever name', async t => {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-output-'));
  t.after(() => rm(folder, { recursive: true }));
  const models = path.join(folder, 'models.yaml');
  await writeFile(models, 'models: []');
  await symlink('models.yaml', path.join(folder, 'link'));
  for (const name of ['models.yaml', 'link'])
    await assert.rejects(prepareOutput(path.join(folder, name), models), {
      code: 'USAGE',
      message: /it is the file with the models$/,
      remedy: 'Name another file.',
    });
  await prepareOutput(path.join(folder, 'plan.json'), models);
  await prepareOutput(models, path.join(folder, 'other.yaml'));
});

test('where nothing can be written is told before the work, with what to do', async t => {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-output-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'file');
  await writeFile(file, '');
  const refusals = [
    [folder, /cannot be written: it is a folder$/],
    [`${path.join(folder, 'none')}/`, /cannot be written: it is a folder$/],
    [path.join(file, 'below'), /cannot be written: a file is in the way$/],
    [path.join(folder, 'x'.repeat(300), 'result.json'), /cannot be written: the name is too long$/],
  ] as const;
  for (const [place, message] of refusals) {
    await assert.rejects(prepareOutput(place), error => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, message);
      assert.equal(error.subject, place);
      assert.match(error.remedy ?? '', /Name a file/);
      return true;
    });
  }
});

test('a disk that is full at the end names the file', async () => {
  await assert.rejects(writeOutput('/dev/full', 'text'), error => {
    assert.ok(error instanceof WeighbridgeError);
    assert.equal(error.code, 'STORE_IO');
    assert.equal(error.message, '/dev/full cannot be written: the disk is full');
    return true;
  });
});

test('a process that writes to a pipe without a reader exits', async t => {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-output-'));
  t.after(() => rm(folder, { recursive: true }));
  const pipe = path.join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const script = `import { writeOutput } from '${new URL('./output-file.ts', import.meta.url).href}';
    writeOutput(process.argv[1], 'text').catch(() => undefined);
    setTimeout(() => process.exit(7), 300);`;
  const { status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script, pipe], {
    ...{ timeout: 30_000, killSignal: 'SIGKILL' },
  });
  assert.equal(status, 7);
});

test('what the system refuses of a file is no defect; anything else stays what it is', async () => {
  const refused = await readFile('/no/such/file').catch(error => error);
  const told = asFileError(refused);
  assert.ok(told instanceof WeighbridgeError);
  assert.equal(told.message, '/no/such/file cannot be used: there is no such file');
  assert.equal(told.cause, refused);
  const defect = new TypeError('x is not a function');
  assert.equal(asFileError(defect), defect);
});

test('folders and archives are looked at before the work, and nothing is made', async t => {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-output-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'file');
  await writeFile(file, '');
  await prepareFolder(path.join(folder, 'a', 'b'));
  await prepareReplacement(path.join(folder, 'a.tar'));
  await prepareReplacement(file);
  assert.deepEqual(await readdir(folder), ['file']);
  for (const [work, message] of [
    [() => prepareFolder(path.join(file, 'x')), /a part of the path is a file/],
    [() => prepareFolder('/proc/x'), /no files are kept in \/proc/],
    [() => prepareReplacement(folder), /it is a folder/],
    [() => prepareReplacement(`${path.join(folder, 'none')}/`), /it is a folder/],
    [() => prepareReplacement('/dev/null'), /it is not a file/],
    [() => prepareOutput('/proc/x'), /cannot be written: /],
  ] as const) {
    await assert.rejects(work, { code: 'USAGE', message });
  }
});
