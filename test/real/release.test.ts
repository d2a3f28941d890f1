import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/command.ts';
import { IS_LONG } from '../support/long.ts';
import { requireTool, run, runOk } from '../support/tools.ts';

const skip = IS_LONG ? requireTool('sha256sum', 'tar', 'npm') : 'only with WEIGHBRIDGE_LONG=1';
const RELEASE = path.join(ROOT, 'build/release');

test('a dry run of a release makes all that it attaches: package, bundle, checksums and notes', {
  skip,
}, async () => {
  const { version } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8'));
  const { status, stderr } = await run('npm', ['run', '--silent', 'release:check'], { cwd: ROOT });
  assert.equal(status, 0, stderr);
  const tarball = `weighbridge-${version}.tgz`;
  assert.deepEqual(
    (await readdir(RELEASE)).sort(),
    ['SHA256SUMS', 'notes.md', tarball, 'weighbridge.mjs'].sort(),
  );
  await runOk('sha256sum', ['--check', 'SHA256SUMS'], { cwd: RELEASE });
  assert.match(await readFile(path.join(RELEASE, 'notes.md'), 'utf8'), /^## Added\n\n(?:### .+\n\n)?- /m);
  const build = JSON.parse(
    await runOk('tar', ['-xzOf', path.join(RELEASE, tarball), 'package/dist/build.json']),
  );
  const commit = (await runOk('git', ['rev-parse', 'HEAD'], { cwd: ROOT })).trim();
  assert.deepEqual(build, { commit, tag: null, image: null });
  const said = await runOk(process.execPath, [path.join(RELEASE, 'weighbridge.mjs'), '--version']);
  assert.equal(said.trim(), version);
});
