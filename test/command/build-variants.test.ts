import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { weighbridge } from '../support/command.ts';
import { temporaryFolder } from '../support/tools.ts';
import { MODEL_FILES, World } from '../support/world.ts';

test('a docker archive takes an image of weights, and refuses an artifact before anything is read', async t => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const folder = await temporaryFolder(t);
  await writeFile(
    path.join(folder, 'models.yaml'),
    world.config('acme/x', '    variants: [slim, weights, modelpack]\n'),
  );
  const build = (...args: string[]) =>
    weighbridge(['build', ...args], { cwd: folder, env: { HF_ENDPOINT: world.hub.url } });

  const refused = await build('-o', 'docker-archive:all.tar');
  assert.equal(refused.status, 2, refused.stderr);
  assert.match(
    refused.stderr,
    /x: a docker archive holds images to load, and `modelpack` is an artifact\n.*--variant/,
  );
  assert.ok(!world.hub.log.some(({ origin }) => origin === 'cdn'), 'no weights are read');
  assert.ok(!existsSync(path.join(folder, 'all.tar')));

  const built = await build('-o', 'docker-archive:weights.tar', '--variant', 'weights');
  assert.equal(built.status, 0, built.stderr);
  const tar = path.join(folder, 'weights.tar');
  const [image] = JSON.parse(String(execFileSync('tar', ['-xOf', tar, 'manifest.json'])));
  assert.ok(image.RepoTags.includes('hf-x:weights'), image.RepoTags);
  // The weights, small files, links and licenses.
  assert.equal(image.Layers.length, 6);
});
