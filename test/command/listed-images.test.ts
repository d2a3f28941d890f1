import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { InspectJson } from '../../src/report/json/inspect-json.ts';
import type { VerifyJson } from '../../src/report/json/verify-json.ts';
import { weighbridge } from '../support/command.ts';
import { IS_LONG } from '../support/long.ts';
import { temporaryFolder } from '../support/tools.ts';
import { MODEL_FILES, World } from '../support/world.ts';

test('models are inspected by their short, and verify takes all images of the file', {
  skip: !IS_LONG,
}, async t => {
  await using world = await World.start({}, {});
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  await world.hub.addModel({ id: 'acme/gated', files: MODEL_FILES, gated: 'manual' });
  const folder = await temporaryFolder(t);
  const gated = '  - { id: acme/gated, short: gated }\n';
  await writeFile(path.join(folder, 'models.yaml'), world.config('acme/x') + gated);
  const run = async (...args: string[]) =>
    await weighbridge(args, { cwd: folder, env: { HF_ENDPOINT: world.hub.url } });
  assert.equal((await run('publish')).status, 0);

  const inspected = await run('inspect', 'x', '--json');
  const { reference } = JSON.parse(inspected.stdout) as InspectJson;
  assert.equal(reference, `${world.registry(0).host}/acme/hf-x:v0.6.0-fat`);
  const slim = await run('inspect', 'x', '--json', '--variant', 'slim');
  assert.match((JSON.parse(slim.stdout) as InspectJson).reference, /hf-x:v0\.6\.0-slim$/);
  const none = await run('inspect', 'gated', '--variant', 'fat');
  assert.equal(none.status, 2);
  assert.match(none.stderr, /gated has no fat image that is built\n.*plan --explain gated/);

  const archive = await run('inspect', 'docker-archive:x.tar');
  assert.equal(archive.status, 2);
  assert.match(
    archive.stderr,
    /docker-archive:x\.tar: an archive for `docker load` has no manifest.*\n.*oci:<dir>:<tag>/,
  );

  const verified = await run('verify', '--json');
  assert.equal(verified.status, 0, verified.stderr + verified.stdout);
  const { images } = JSON.parse(verified.stdout) as VerifyJson;
  assert.deepEqual(
    images.map(image => image.reference.replace(/^.*\//, '')).sort(),
    ['hf-gated:v0.6.0-slim', 'hf-x:v0.6.0-fat', 'hf-x:v0.6.0-slim'].flatMap(name => [name, name]),
  );
  const one = await run('verify', '--json', '-m', 'x', '-r', 'r1');
  assert.equal((JSON.parse(one.stdout) as VerifyJson).images.length, 2);

  // A variant that the policy leaves out is no failure, here as there.
  for (const args of [['publish'], ['build', '-o', 'oci:out']]) {
    const left = await run(...args, '-m', 'gated', '--variant', 'fat');
    assert.equal(left.status, 0, left.stderr);
    assert.match(left.stdout, /skipped/);
  }
  const built = await run('build', '-m', 'x', '-o', 'oci:out');
  assert.doesNotMatch(built.stdout + built.stderr, /publish|upload/);

  const printed = await run('run', 'gated', '--variant', 'fat', '--print');
  assert.equal(printed.status, 2);
  assert.match(printed.stderr, /gated has no fat image: The Hub gates this model/);
  assert.equal((await run('run', 'x', '--variant', 'fat', '--print')).status, 0);
});
