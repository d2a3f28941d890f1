import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { onlyLong } from '../support/long.ts';
import { requireToolAsRoot } from '../support/tools.ts';
import { type BaseImage, buildBaseImage, pushBase } from './base-image.ts';
import { CONTAINER_TOOLS, Podman } from './podman.ts';
import { type RealRegistry, startRegistry } from './registry.ts';

// The other suites trust these: a base that acts like vLLM's on the command line, a registry, and podman.

const missing = onlyLong || requireToolAsRoot(...CONTAINER_TOOLS);
const exitAtOnce = { VLLM_STAND_IN_EXIT: '1' };

describe('test support', { skip: missing, concurrency: false }, () => {
  let podman: Podman;
  let registry: RealRegistry;

  before(async () => {
    podman = await Podman.create();
    registry = await startRegistry();
  });

  after(async () => {
    await podman?.[Symbol.asyncDispose]();
    await registry?.stop();
  });

  async function push(base: BaseImage, tag: string): Promise<string> {
    const image = `${registry.host}/base/vllm:${tag}`;
    await pushBase(base, image);
    return image;
  }

  test('a base with the older entrypoint refuses the word serve, as vLLM does', async () => {
    const image = await push(await buildBaseImage({ entrypoint: 'api-server' }), 'old');
    const swallowed = await podman.run({ image, args: ['vllm', 'serve', '/usr/local/bin'], env: exitAtOnce });
    assert.equal(swallowed.status, 2);
    assert.match(swallowed.stderr, /unrecognized arguments: serve/);
    const proper = await podman.run({ image, args: ['--model', '/usr/local/bin'], env: exitAtOnce });
    assert.equal(proper.status, 0, proper.stderr);
    assert.match(
      proper.stdout,
      /^vllm STAND-IN \(not vLLM\)\n\{"argv": \["--model", "\/usr\/local\/bin"\]\}\n/,
    );
  });

  test('a base with the newer entrypoint, its user, and no library', async () => {
    const options = { entrypoint: 'vllm-serve', user: '1234', huggingfaceHub: 'none' } as const;
    const image = await push(await buildBaseImage(options), 'new');
    const served = await podman.run({ image, args: ['/usr/local/bin'], env: exitAtOnce });
    assert.match(served.stdout, /"files": \[\{"path": "vllm", /);
    const python = [
      '--entrypoint',
      '["python3","-c","import os; print(os.getuid()); import huggingface_hub"]',
    ];
    const user = await podman.run({ image, flags: python });
    assert.equal(user.stdout, '1234\n');
    assert.match(user.stderr, /No module named 'huggingface_hub'/);
  });

  test('a registry with a login', async () => {
    const guarded = await startRegistry({ login: { user: 'anna', password: 'p:ss $word' } });
    const ask = async (password: string): Promise<number> => {
      const authorization = `Basic ${Buffer.from(`anna:${password}`).toString('base64')}`;
      return (await fetch(`http://${guarded.host}/v2/`, { headers: { authorization } })).status;
    };
    try {
      assert.deepEqual([await ask('p:ss $word'), await ask('wrong')], [200, 401]);
    } finally {
      await guarded.stop();
    }
  });
});
