import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { readPlanJson, readPublishJson, readScanJson } from './read-documents.ts';

const IS_OTHER = / is not a document of `publish --result`(?:$|: [\w.]+ is missing or has a wrong value$)/;
const PUBLISH_WRITES = 'Write it with: weighbridge publish --result <file>.';

test('what became something else on its way is a clear error, and no defect later', async t => {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-documents-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'result.json');
  const image = {
    registry: 'a',
    variant: 'fat',
    tags: ['a/b:c'],
    status: 'published',
    bytes: { downloaded: 0, uploaded: 0, mounted: 0, reused: 0 },
  };
  const model = { id: 'a/b', short: 'b', revision: null, decisions: null, images: [image], files: [] };
  const whole = { schemaVersion: 1, models: [model], scans: [], failures: [] };
  await writeFile(file, JSON.stringify(whole));
  assert.equal((await readPublishJson(file)).models.length, 1);
  assert.equal((await readScanJson(file)).scans.length, 0);
  assert.equal((await readPlanJson(file)).models.length, 1);
  for (const odd of [
    null,
    [],
    { ...whole, schemaVersion: '1' },
    { ...whole, models: {} },
    { ...whole, models: [null] },
    { ...whole, models: [{ ...model, images: [{ ...image, tags: 5 }] }] },
    { ...whole, models: [{ ...model, images: [{ ...image, bytes: null }] }] },
    { ...whole, models: [{ ...model, decisions: { fat: null } }] },
  ]) {
    await writeFile(file, JSON.stringify(odd));
    await assert.rejects(readPublishJson(file), { code: 'USAGE', message: IS_OTHER, remedy: PUBLISH_WRITES });
  }
  await writeFile(file, JSON.stringify({ ...whole, schemaVersion: 2 }));
  await assert.rejects(readPublishJson(file), { code: 'USAGE', message: / has schemaVersion 2: / });
  await writeFile(file, '{bad');
  await assert.rejects(readPlanJson(file), {
    ...{ code: 'USAGE', message: /cannot be read: it is not JSON$/ },
    remedy: 'Write it with: weighbridge plan --json > <file>.',
  });
  const remedy = 'Write it with: weighbridge scan --result <file>.';
  const missing = path.join(folder, 'none.json');
  await assert.rejects(readScanJson(missing), { code: 'USAGE', message: /there is no such file/, remedy });
  await assert.rejects(readScanJson(folder), { code: 'USAGE', message: /it is a folder/, remedy });
});
