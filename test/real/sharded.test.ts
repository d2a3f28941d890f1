import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { startHub } from '../../src/testkit/hub.ts';
import { startRegistry as startEmbedded } from '../../src/testkit/registry.ts';
import { weighbridge } from '../support/command.ts';
import { onlyLong } from '../support/long.ts';
import { pythonWith } from '../support/python.ts';
import { requireTool, requireToolAsRoot, runOk, temporaryFolder } from '../support/tools.ts';
import { BASE_REPOSITORY, MODEL_FILES, putBase } from '../support/world.ts';
import { startRegistry } from './registry.ts';

// Files above a registry's limit, divided and read back by the library of their own format.

const SCRIPT = path.join(import.meta.dirname, 'safetensors_model.py');
const PACKAGES = ['safetensors==0.8.0', 'numpy==2.4.6'];

test('every tensor of a divided file is read back bit for bit by the Python library', {
  skip: onlyLong || requireToolAsRoot('umoci') || requireTool('docker-registry', 'perl', 'skopeo', 'python3'),
}, async t => {
  await using stack = new AsyncDisposableStack();
  const folder = await temporaryFolder(t);
  const python = await pythonWith(PACKAGES);
  const models = path.join(folder, 'hub', 'acme');
  await runOk(python, [SCRIPT, 'write', models]);
  for (const model of ['lone', 'shards']) {
    await writeFile(path.join(models, model, 'README.md'), MODEL_FILES['README.md']);
    await writeFile(path.join(models, model, 'config.json'), MODEL_FILES['config.json']);
  }
  const hub = stack.use(await startHub({ folder: path.join(folder, 'hub') }));
  const bases = stack.use(await startEmbedded());
  putBase(bases, 'v0.6.0');
  const registry = await startRegistry();
  stack.defer(() => registry.stop());
  const file = path.join(folder, 'models.yaml');
  await writeFile(
    file,
    `registries: { r0: "${registry.host}/acme" }
layer_limits: { r0: 8MB }
defaults: { base_image: "${bases.host}/${BASE_REPOSITORY}:v0.6.0" }
models: [{ id: acme/lone, short: lone }, { id: acme/shards, short: shards }]
`,
  );
  const env = { HF_ENDPOINT: hub.url, DOCKER_CONFIG: folder };
  const { status, stderr } = await weighbridge(['publish', '-c', file, '--variant', 'fat'], { env });
  assert.equal(status, 0, stderr);
  for (const [model, tensors] of [
    ['lone', 82],
    ['shards', 77],
  ] as const) {
    const image = `${registry.host}/acme/hf-${model}:v0.6.0-fat`;
    const verified = await weighbridge(['verify', '--deep', image], { env });
    assert.equal(verified.status, 0, verified.stdout + verified.stderr);
    const layout = path.join(folder, `${model}-layout`);
    await runOk('skopeo', [
      ...['copy', '--quiet', '--src-tls-verify=false'],
      ...[`docker://${image}`, `oci:${layout}:fat`],
    ]);
    const bundle = path.join(folder, `${model}-bundle`);
    await runOk('umoci', ['unpack', '--image', `${layout}:fat`, bundle]);
    const unpacked = path.join(bundle, 'rootfs/models', model);
    const parts = (await readdir(unpacked)).filter(name => name.endsWith('.safetensors'));
    assert.ok(parts.length > 2, parts.join());
    const compared = await runOk(python, [SCRIPT, 'compare', path.join(models, model), unpacked]);
    assert.equal(Number(compared), tensors);
  }
});
