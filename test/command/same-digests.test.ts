import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { makeBaseImage } from '../../src/testkit/base-image.ts';
import { startHub } from '../../src/testkit/hub.ts';
import { startRegistry } from '../../src/testkit/registry.ts';
import { sampleModelFiles } from '../../src/testkit/sample-model.ts';
import { ROOT } from '../support/command.ts';
import { run } from '../support/tools.ts';

/** Another time of day, for everything that looks at a clock. */
const LATER = `data:text/javascript,${encodeURIComponent(`
const now = Date.now, Real = Date;
globalThis.Date = class extends Real { constructor(...a) { a.length ? super(...a) : super(Date.now()); } static now() { return now() + 123456789000; } };
`)}`;

test('two clones, times, folders, umasks, time zones and homes give the same bytes', async t => {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-same-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await using hub = await startHub();
  await using registry = await startRegistry();
  await hub.addModel({ id: 'acme/x', files: await sampleModelFiles() });
  const platforms = [
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm64' },
  ];
  await makeBaseImage(registry, 'vllm/vllm-openai', 'v0.6.0', { platforms });
  const config = path.join(folder, 'models.yaml');
  await writeFile(
    config,
    `defaults: { base_image: "${registry.host}/vllm/vllm-openai:v0.6.0", arch: [linux/amd64, linux/arm64] }\nmodels: [{ id: acme/x, short: x }]\n`,
  );
  const clone = path.join(folder, 'other clone');
  for (const name of ['src', 'bin', 'package.json', 'LICENSE']) {
    await cp(path.join(ROOT, name), path.join(clone, name), { recursive: true });
  }
  await symlink(path.join(ROOT, 'node_modules'), path.join(clone, 'node_modules'));

  const build = async (root: string, name: string, umask: string, env: Record<string, string>) => {
    const output = path.join(folder, name);
    const script = `umask ${umask}; exec "$0" build -c "$1" -o "oci:$2"`;
    const args = ['-c', script, path.join(root, 'bin/weighbridge'), config, output];
    const result = await run('sh', args, { cwd: root, env: { HF_ENDPOINT: hub.url, ...env } });
    assert.equal(result.status, 0, result.stderr);
    const index = JSON.parse(await readFile(path.join(output, 'index.json'), 'utf8'));
    const blobs = (await readdir(path.join(output, 'blobs/sha256'))).sort();
    return { manifests: index.manifests, blobs };
  };
  const one = await build(ROOT, 'one', '022', { TZ: 'UTC', LANG: 'C' });
  const other = await build(clone, 'two', '077', {
    ...{ TZ: 'Asia/Kathmandu', LANG: 'de_DE.UTF-8', HOME: folder, USER: 'someone' },
    NODE_OPTIONS: `--import=${LATER}`,
  });
  assert.equal(one.manifests.length, 6);
  assert.deepEqual(other, one);
});
