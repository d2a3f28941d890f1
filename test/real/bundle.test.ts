import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { ROOT } from '../support/command.ts';
import { IS_LONG } from '../support/long.ts';
import { makeNodeRoot } from '../support/node-root.ts';
import { nodeOf } from '../support/node-versions.ts';
import { type RunResult, requireToolAsRoot, run, runOk, temporaryFolder } from '../support/tools.ts';
import { MODEL_FILES, World } from '../support/world.ts';

// The program as a single file (npm run bundle): where nothing but Node.js is, and on a Node.js that is too old for it.

const skip = IS_LONG ? requireToolAsRoot('chroot', 'ldd') : 'only with WEIGHBRIDGE_LONG=1';
const BUNDLE = path.join(ROOT, 'build/weighbridge.mjs');
const MAX_BYTES = 8_000_000;

describe('the bundle', { skip, concurrency: false }, () => {
  before(async () => {
    await runOk('npm', ['run', '--silent', 'bundle'], { cwd: ROOT });
  });

  test('is one file of a few MB, the same from the same inputs, with the licenses of what is in it', async () => {
    const first = await readFile(BUNDLE, 'utf8');
    assert.ok((await stat(BUNDLE)).size < MAX_BYTES);
    assert.match(first, /^#!\/usr\/bin\/env node\n/);
    for (const name of ['commander', 'zod', 'yaml', '@sigstore/sign', '@fontsource/ibm-plex-mono'])
      assert.match(first, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+\\n\\n\\S`, 'm'));
    assert.doesNotMatch(first, new RegExp(ROOT));
    await runOk(process.execPath, ['scripts/bundle/make-bundle.ts'], { cwd: ROOT });
    assert.equal(await readFile(BUNDLE, 'utf8'), first);
  });

  test('runs demo, plan, publish and init where there is Node.js and nothing else', async t => {
    await using world = await World.start();
    const root = await temporaryFolder(t);
    await makeNodeRoot(root, process.execPath);
    await copyFile(BUNDLE, path.join(root, 'weighbridge.mjs'));
    await world.hub.addModel({ id: 'acme/one', files: MODEL_FILES });
    await mkdir(path.join(root, 'project'));
    await writeFile(path.join(root, 'project/models.yaml'), world.config('acme/one'));
    const env = {
      HOME: '/tmp',
      HF_ENDPOINT: world.hub.url,
      WEIGHBRIDGE_LAYER_INDEX: '',
      HF_TOKEN: undefined,
    };
    const inside = (...args: string[]): Promise<RunResult> =>
      run('chroot', [root, '/node', '/weighbridge.mjs', ...args], { env });

    const demo = await inside('demo');
    assert.equal(demo.status, 0, demo.stderr);
    assert.match(demo.stdout, /Everything is verified/);
    const plan = await inside('plan', '--config', '/project/models.yaml', '--json');
    assert.equal(plan.status, 0, plan.stderr);
    assert.equal(JSON.parse(plan.stdout).models[0].license, 'Apache-2.0');
    const published = await inside('publish', '--config', '/project/models.yaml');
    assert.equal(published.status, 0, published.stderr);
    assert.match(published.stdout, /published/);
    // As the sources publish it: the bootstrap, the texts of licenses and the layers are the same.
    const again = await run(
      path.join(ROOT, 'bin/weighbridge'),
      ['publish', '--config', path.join(root, 'project/models.yaml')],
      {
        env,
      },
    );
    assert.equal(again.status, 0, again.stderr);
    assert.match(again.stdout, /unchanged/);
    assert.doesNotMatch(again.stdout, /published/);
    const init = await inside('init', '/project/new', '--ghcr', 'acme');
    assert.equal(init.status, 0, init.stderr);
    const commit = (await runOk('git', ['rev-parse', 'HEAD'], { cwd: ROOT })).trim();
    assert.match(
      await readFile(path.join(root, 'project/new/.github/workflows/update-models.yml'), 'utf8'),
      new RegExp(`update\\.yml@${commit}\\n`),
    );
  });

  test('of a release knows its image and its tag, and any other build asks for an image', async t => {
    await using world = await World.start();
    const folder = await temporaryFolder(t);
    await world.hub.addModel({ id: 'acme/one', files: MODEL_FILES });
    await writeFile(path.join(folder, 'models.yaml'), world.config('acme/one'));
    const image = `ghcr.io/acme/weighbridge:9.9.9@sha256:${'0'.repeat(64)}`;
    const release = path.join(folder, 'weighbridge.mjs');
    const node = (args: string[], env = {}) => runOk(process.execPath, args, { cwd: ROOT, env });
    try {
      const env = { WEIGHBRIDGE_RELEASE_TAG: 'v9.9.9', WEIGHBRIDGE_RELEASE_IMAGE: image };
      await node(['scripts/write-build-info.ts'], env);
      await node(['scripts/bundle/make-bundle.ts', release]);
    } finally {
      await node(['scripts/write-build-info.ts']);
    }
    const env = { HF_ENDPOINT: world.hub.url };
    for (const format of ['kubernetes', 'gitlab']) {
      const args = ['plan', '--format', format, '--config', path.join(folder, 'models.yaml')];
      const planned = await run(process.execPath, [release, ...args], { env });
      assert.equal(planned.status, 0, planned.stderr);
      assert.ok(planned.stdout.includes(image), planned.stdout);
      const refused = await run(process.execPath, [BUNDLE, ...args], { env });
      assert.equal(refused.status, 2);
      assert.match(refused.stderr, /needs --worker-image: this build of Weighbridge is not a release/);
    }
    await run(process.execPath, [release, 'init', folder, '--ghcr', 'acme']);
    const workflow = await readFile(path.join(folder, '.github/workflows/comment-plan.yml'), 'utf8');
    assert.match(workflow, /comment\.yml@[0-9a-f]{40} # v9\.9\.9\n/);
  });

  test('says on an old Node.js what it needs', async () => {
    const program = async (major: number): Promise<string> => {
      const found = await nodeOf(major);
      return 'program' in found ? found.program : assert.fail(found.skip);
    };
    for (const major of [18, 20, 22]) {
      const { status, stderr } = await run(await program(major), [BUNDLE, '--version']);
      assert.equal(status, 2, stderr);
      assert.match(
        stderr,
        /^weighbridge: Node\.js 24\.\d+ or later is needed, and this is \d+\.\d+\.\d+\n {2}Install it from/,
      );
    }
    const newest = await run(await program(26), [BUNDLE, '--version']);
    assert.equal(newest.status, 0, newest.stderr);
  });
});
