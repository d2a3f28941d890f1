import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type EmbeddedHub, startHub } from '../../src/testkit/hub.ts';
import { weighbridge } from '../support/command.ts';
import { goTool, requireGoTool } from '../support/go-tools.ts';
import { IS_LONG } from '../support/long.ts';
import { pythonWith } from '../support/python.ts';
import { requireToolAsRoot, runOk, temporaryFolder } from '../support/tools.ts';
import { buildBaseImage, pushBase } from './base-image.ts';
import { CONTAINER_TOOLS, Podman } from './podman.ts';
import { type RealRegistry, startRegistry } from './registry.ts';

// Others that read what we publish: KServe's own downloader, skopeo and umoci, podman's mount of an image.

const skip = IS_LONG
  ? requireToolAsRoot('umoci', ...CONTAINER_TOOLS)
  : 'the long form has it (WEIGHBRIDGE_LONG=1)';

const FILES = {
  'README.md': Buffer.from('---\nlicense: mit\n---\n'),
  'config.json': Buffer.from('{"model_type":"llama"}'),
  'sub/tokenizer.json': Buffer.alloc(200_000, 'tokens '),
  'model-00001-of-00002.safetensors': Buffer.alloc(6_000_000, 'one '),
  'model-00002-of-00002.safetensors': Buffer.alloc(5_000_000, 'two '),
};

const DOWNLOAD = `
import sys
from kserve_storage.kserve_storage import Storage
Storage._download_oci("oci://" + sys.argv[1], sys.argv[2])
`;

describe('what others read', { skip, concurrency: false }, () => {
  let hub: EmbeddedHub;
  let registry: RealRegistry;

  before(async () => {
    hub = await startHub();
    registry = await startRegistry();
    await pushBase(await buildBaseImage(), `${registry.host}/base/vllm:v0.6.0`);
    await hub.addModel({ id: 'acme/x', files: FILES });
  });

  after(async () => {
    await registry?.stop();
    await hub?.close();
  });

  // A repository for each: what names a commit stays what it is, and these publish one commit in several ways.
  let count = 0;
  const image = (tag: string): string => `${registry.host}/acme${count}/hf-x:${tag}`;

  async function publish(t: Parameters<typeof temporaryFolder>[0], settings: string): Promise<string> {
    count += 1;
    const folder = await temporaryFolder(t);
    const file = path.join(folder, 'models.yaml');
    await writeFile(
      file,
      `registries: { lab: "${registry.host}/acme${count}" }\ndefaults: { base_image: "${registry.host}/base/vllm:v0.6.0", ${settings} }\nmodels: [{ id: acme/x, short: x }]\n`,
    );
    const { status, stderr } = await weighbridge(['publish', '-c', file], { env: { HF_ENDPOINT: hub.url } });
    assert.equal(status, 0, stderr);
    return folder;
  }

  for (const order of ['base-first', 'weights-first']) {
    test(`KServe downloads an image of weights and its fat sibling, ${order}`, async t => {
      const folder = await publish(t, `variants: [fat, weights], layer_order: ${order}`);
      const python = await pythonWith(['kserve-storage==0.21.0']);
      for (const tag of ['weights', 'v0.6.0-fat']) {
        const out = path.join(folder, tag);
        const env = { KSERVE_OCI_INSECURE_REGISTRY: 'true', KSERVE_OCI_INSECURE_REGIS: 'true' };
        await runOk(python, ['-c', DOWNLOAD, image(tag), out], { env });
        await assertModel(path.join(out, 'x'));
        // Where KServe looks: the links of the image of weights lead there.
        if (tag === 'weights') await assertModel(out);
      }
    });
  }

  for (const form of ['raw', 'tar']) {
    test(`modctl and kit unpack a ModelPack artifact, ${form}`, {
      skip: requireGoTool('modctl', 'kit'),
    }, async t => {
      const folder = await publish(t, `variants: [modelpack], modelpack: ${form}`);
      const at = (name: string): string => path.join(folder, name);
      const modctl = (...args: string[]) =>
        runOk(goTool('modctl'), ['--storage-dir', at('storage'), '--no-progress', ...args]);
      await modctl('pull', image('modelpack'), '--plain-http', '--extract-dir', at('modctl'));
      const kit = ['--config', at('config'), '--progress', 'none', 'unpack', image('modelpack')];
      await runOk(goTool('kit'), [...kit, '--plain-http', '--dir', at('kit')], { env: { HOME: folder } });
      // The tars of a fat image have the model in its folder.
      const own = form === 'raw' ? '.' : 'models/x';
      for (const client of ['modctl', 'kit']) await assertModel(path.join(folder, client, own));
      const seen = JSON.parse(await modctl('inspect', image('modelpack')));
      assert.deepEqual([seen.Format, seen.Name], ['safetensors', 'acme/x']);
    });
  }

  test('skopeo and umoci unpack an image of weights; links lead to the model from everywhere', async t => {
    const folder = await publish(t, 'variants: [weights]');
    const layout = path.join(folder, 'layout');
    const source = `docker://${image('weights')}`;
    await runOk('skopeo', ['copy', '--quiet', '--src-tls-verify=false', source, `oci:${layout}:weights`]);
    await runOk('umoci', ['unpack', '--image', `${layout}:weights`, path.join(folder, 'bundle')]);
    const root = path.join(folder, 'bundle', 'rootfs');
    for (const place of ['models/x', 'models', '.']) await assertModel(path.join(root, place));
    assert.ok((await readdir(path.join(root, 'licenses'))).includes('NOTICE'));
  });

  test('podman mounts an image of weights into a container of another image', async t => {
    await publish(t, 'variants: [weights]');
    await using podman = await Podman.create();
    await podman.pull(image('weights'));
    const { status, stdout, stderr } = await podman.run({
      image: `${registry.host}/base/vllm:v0.6.0`,
      flags: [
        '--mount',
        `type=image,source=${image('weights')},destination=/model`,
        '--entrypoint',
        '/usr/bin/sha256sum',
      ],
      args: ['/model/model-00001-of-00002.safetensors', '/model/models/x/config.json'],
      network: 'none',
    });
    assert.equal(status, 0, stderr);
    const hashes = stdout.split('\n').map(line => line.slice(0, 64));
    assert.equal(hashes[0], sha256(FILES['model-00001-of-00002.safetensors']));
    assert.equal(hashes[1], sha256(FILES['config.json']));
  });
});

async function assertModel(folder: string): Promise<void> {
  for (const [name, bytes] of Object.entries(FILES))
    assert.ok((await readFile(path.join(folder, name))).equals(bytes), `${folder}/${name}`);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
