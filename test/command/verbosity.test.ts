import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { ValidateJson } from '../../src/report/json/validate-json.ts';
import { weighbridge } from '../support/command.ts';
import { temporaryFolder } from '../support/tools.ts';
import { World } from '../support/world.ts';

test('publish --quiet prints references by digest alone; --verbose shows requests of all threads', async t => {
  await using world = await World.start({});
  const files = {
    'README.md': '---\nlicense: apache-2.0\n---\n',
    'config.json': '{}',
    'model.safetensors': 'w',
  };
  await world.hub.addModel({ id: 'acme/x', files });
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, 'models.yaml'), world.config('acme/x'));
  const env = { HF_ENDPOINT: world.hub.url };
  const run = async (...args: string[]) => await weighbridge(args, { cwd: folder, env });

  const quiet = await run('publish', '--quiet');
  assert.equal(quiet.status, 0, quiet.stderr);
  const reference = new RegExp(`^${world.registry(0).host}/acme/hf-x@sha256:[0-9a-f]{64}$`);
  const lines = quiet.stdout.trimEnd().split('\n');
  assert.equal(new Set(lines).size, 2);
  for (const line of lines) assert.match(line, reference);
  assert.equal(quiet.stderr, '');

  const verbose = await run('publish', '-v', '--force');
  assert.equal(verbose.status, 0, verbose.stderr);
  assert.match(verbose.stderr, /GET http:\S+\/api\/models\/acme\/x\S* 200 in \d+ ms\n/);
  assert.match(verbose.stderr, /PUT http:\S+\/v2\/acme\/hf-x\/manifests\/v0\.6\.0-fat 201 in \d+ ms\n/);

  const both = await run('publish', '-q', '-v');
  assert.equal(both.status, 2);
  assert.match(both.stderr, /cannot be used with/);
});

test('validate has an entry for each mistake, and annotations in a GitHub job', async t => {
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, 'models.yaml'), 'models:\n  - id: a/b\n    shrt: b\n    gated: 100%\n');
  const result = await weighbridge(['validate', '--json'], { cwd: folder, env: { GITHUB_ACTIONS: 'true' } });
  assert.equal(result.status, 2);
  const { error, problems } = JSON.parse(result.stdout) as ValidateJson;
  assert.equal(error?.code, 'CONFIG_INVALID');
  assert.deepEqual(problems, [
    {
      file: 'models.yaml',
      line: 3,
      column: 5,
      message: 'unknown key "shrt"',
      offendingText: 'shrt',
      suggestion: 'short',
    },
    {
      file: 'models.yaml',
      line: 4,
      column: 12,
      message: '"gated" must be auto, true or false, not the text "100%"',
      offendingText: '100%',
    },
  ]);
  assert.deepEqual(
    result.stderr.split('\n').filter(line => line.startsWith('::')),
    [
      '::error file=models.yaml,line=3,col=5::unknown key "shrt" (did you mean short?)',
      '::error file=models.yaml,line=4,col=12::"gated" must be auto, true or false, not the text "100%25"',
    ],
  );
});
