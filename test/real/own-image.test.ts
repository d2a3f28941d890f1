import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeBaseImage } from '../../src/testkit/base-image.ts';
import { type EmbeddedHub, startHub } from '../../src/testkit/hub.ts';
import { type EmbeddedRegistry, startRegistry } from '../../src/testkit/registry.ts';
import { sampleModelFiles } from '../../src/testkit/sample-model.ts';
import { ROOT } from '../support/command.ts';
import { filesIn } from '../support/files-in.ts';
import { IS_LONG } from '../support/long.ts';
import { makeLibraryRoot } from '../support/node-root.ts';
import { requireToolAsRoot, runOk, temporaryFolder } from '../support/tools.ts';
import { CONTAINER_TOOLS, Podman } from './podman.ts';

// Weighbridge's own image (npm run image), made from two clones and run by podman. The base is what Node.js needs of this machine.

const skip = IS_LONG ? requireToolAsRoot(...CONTAINER_TOOLS, 'ldd', 'git') : 'only with WEIGHBRIDGE_LONG=1';
const PLATFORMS = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64' },
];

describe("Weighbridge's own image", { skip, concurrency: false }, () => {
  let registry: EmbeddedRegistry;
  let hub: EmbeddedHub;
  let podman: Podman;
  let folder: string;
  const digests: string[] = [];

  before(async () => {
    [registry, hub, podman] = await Promise.all([startRegistry(), startHub(), Podman.create()]);
    folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-own-image-'));
    const root = path.join(folder, 'base');
    await makeLibraryRoot(root, process.execPath);
    const libraries = Object.fromEntries(
      await Promise.all(
        (await filesIn(root)).map(async name => {
          const content = await readFile(path.join(root, name));
          return [name, { content, mode: 0o755 }] as const;
        }),
      ),
    );
    await makeBaseImage(registry, 'base/node', '1', { platforms: PLATFORMS, layers: [libraries] });
    await makeBaseImage(registry, 'vllm/vllm-openai', 'v0.6.0', { platforms: PLATFORMS });
    // The second is a clone of the first, whatever becomes of this one in between.
    const clones = ['one', 'two'].map(name => path.join(folder, name));
    for (const [index, cwd] of clones.entries()) {
      const clone = path.basename(cwd);
      await runOk('git', ['clone', '--quiet', clones[index - 1] ?? ROOT, cwd]);
      await symlink(path.join(ROOT, 'node_modules'), path.join(cwd, 'node_modules'));
      const args = ['run', '--silent', 'image', '--', '--base', `${registry.host}/base/node:1`];
      const digest = await runOk('npm', [...args, '--push', `${registry.host}/acme/weighbridge:${clone}`], {
        cwd,
      });
      digests.push(digest.trim());
    }
  });

  after(async () => {
    await podman?.[Symbol.asyncDispose]();
    await Promise.all([registry?.close(), hub?.close()]);
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  test('has the same digest from two clones, one index for amd64 and arm64, and a user without rights', async () => {
    assert.match(digests[0] ?? '', /^sha256:[0-9a-f]{64}$/);
    assert.equal(digests[0], digests[1]);
    const { manifests, tags } = registry.repository('acme/weighbridge');
    const read = (digest: string) => JSON.parse(manifests.get(digest as never)?.bytes.toString('utf8') ?? '');
    const index = read(tags.get('one') ?? '');
    assert.deepEqual(
      index.manifests.map((one: { platform: object }) => one.platform),
      PLATFORMS,
    );
    assert.equal(index.annotations['org.opencontainers.image.title'], 'Weighbridge');
    const [config] = JSON.parse(
      await runOk('skopeo', [
        'inspect',
        '--config',
        '--raw',
        '--tls-verify=false',
        `docker://${registry.host}/acme/weighbridge:one`,
      ]).then(text => `[${text}]`),
    );
    assert.equal(config.config.User, '65532:65532');
    assert.deepEqual(config.config.Entrypoint, ['/opt/weighbridge/bin/weighbridge']);
  });

  test('publishes the sample model from the embedded Hub, on a read-only file system and as any user', async t => {
    const work = await temporaryFolder(t);
    // The container's user is not this one.
    await chmod(work, 0o755);
    await hub.addModel({ id: 'acme/sample', files: await sampleModelFiles() });
    await writeFile(
      path.join(work, 'models.yaml'),
      `registries: { lab: ${registry.host}/models }
defaults: { base_image: "${registry.host}/vllm/vllm-openai:v0.6.0" }
models: [{ id: acme/sample, short: sample }]
`,
    );
    const image = `${registry.host}/acme/weighbridge:one`;
    await podman.pull(image);
    const inside = (...args: string[]) =>
      podman.run({
        image,
        args,
        env: { HF_ENDPOINT: hub.url, HOME: '/tmp' },
        volumes: [`${work}:/project:ro`],
        user: '1000:1000',
        flags: ['--read-only', '--tmpfs=/tmp', '--cap-drop=all'],
      });
    const demo = await inside('demo');
    assert.equal(demo.status, 0, demo.stderr);
    assert.match(demo.stdout, /Everything is verified/);
    const published = await inside('publish', '--config', '/project/models.yaml');
    assert.equal(published.status, 0, published.stderr);
    const tags = [...registry.repository('models/hf-sample').tags.keys()];
    assert.ok(tags.includes('v0.6.0-fat') && tags.includes('v0.6.0-slim'), tags.join());
  });
});
