import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { openNamedImage } from '../../src/cli/image-argument.ts';
import type { Session } from '../../src/cli/session.ts';
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

  const verified = await run('verify', '--json');
  assert.equal(verified.status, 0, verified.stderr + verified.stdout);
  const { images } = JSON.parse(verified.stdout) as VerifyJson;
  assert.deepEqual(
    images.map(image => image.reference.replace(/^.*\//, '')).sort(),
    ['hf-gated:v0.6.0-slim', 'hf-x:v0.6.0-fat', 'hf-x:v0.6.0-slim'].flatMap(name => [name, name]),
  );
  const ofShort = await run('verify', 'x', '--json');
  assert.equal(ofShort.status, 0, ofShort.stderr + ofShort.stdout);
  assert.deepEqual(
    (JSON.parse(ofShort.stdout) as VerifyJson).images.map(image => image.reference).sort(),
    images.flatMap(image => (image.reference.includes('/hf-x:') ? [image.reference] : [])).sort(),
  );
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(path.join(folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const signed = await run('sign', 'x', '--key', 'key.pem', '--json');
  assert.equal(signed.status, 0, signed.stderr + signed.stdout);
  assert.equal(JSON.parse(signed.stdout).images.length, 4);
  const slip = await run('verify', 'y', reference);
  assert.equal(slip.status, 2);
  assert.match(slip.stderr, /y:latest/);
  const yaml = await run('manifest', 'x', '--variant', 'slim', '--for', 'compose');
  assert.match(yaml.stdout, /hf-x@sha256:/, yaml.stderr);
  const useless = await run('manifest', reference, '--variant', 'slim', '--for', 'compose');
  assert.equal(useless.status, 2);
  assert.match(useless.stderr, /--variant chooses an image of a model in models\.yaml/);

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

  // An archive says of its images what their registry does.
  const published = JSON.parse(inspected.stdout) as InspectJson;
  assert.equal((await run('build', '-m', 'x', '--variant', 'fat', '-o', 'docker-archive:x.tar')).status, 0);
  const archived = await run('inspect', 'docker-archive:x.tar', '--json');
  assert.equal(archived.status, 0, archived.stderr);
  const inArchive = JSON.parse(archived.stdout) as InspectJson;
  assert.match(inArchive.reference, /^docker-archive:x\.tar:hf-x:v0\.6\.0-fat$/);
  assert.deepEqual(
    inArchive.images,
    published.images.map(image => ({ ...image, run: null })),
  );
  const sound = await run('verify', '--deep', 'docker-archive:x.tar');
  assert.equal(sound.status, 0, sound.stdout + sound.stderr);
  assert.equal((await run('build', '-m', 'x', '-o', 'docker-archive:both.tar')).status, 0);
  const which = await run('inspect', 'docker-archive:both.tar');
  assert.equal(which.status, 2);
  assert.match(which.stderr, /which image\?.*\n.*hf-x:v0\.6\.0-fat,.* hf-x:v0\.6\.0-slim/);
  assert.equal((await run('inspect', 'docker-archive:both.tar:hf-x:v0.6.0-slim')).status, 0);

  const printed = await run('run', 'gated', '--variant', 'fat', '--print');
  assert.equal(printed.status, 2);
  assert.match(printed.stderr, /gated has no fat image: The Hub gates this model/);
  assert.equal((await run('run', 'x', '--variant', 'fat', '--print')).status, 0);
});

test('nothing can be attached to an image in an archive', async () => {
  await assert.rejects(openNamedImage({} as Session, 'docker-archive:x.tar', 'push'), {
    code: 'USAGE',
    message: /holds images and nothing else/,
  });
});
