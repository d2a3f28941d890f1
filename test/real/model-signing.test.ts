import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MediaType } from '../../src/oci/types.ts';
import { makeBaseImage } from '../../src/testkit/base-image.ts';
import { type EmbeddedHub, startHub } from '../../src/testkit/hub.ts';
import { type EmbeddedRegistry, startRegistry } from '../../src/testkit/registry.ts';
import { sampleModelFiles } from '../../src/testkit/sample-model.ts';
import { weighbridge } from '../support/command.ts';
import { filesOfLayer } from '../support/layer-files.ts';
import { IS_LONG } from '../support/long.ts';
import { pythonWith } from '../support/python.ts';
import { LIMIT, PARTS, SHARDED } from '../support/sharded-model.ts';
import { requireTool, run } from '../support/tools.ts';

// OpenSSF's own tool verifies what we sign, and we verify what it signs.

const skip = IS_LONG ? requireTool('python3') : 'the long form has it (WEIGHBRIDGE_LONG=1)';
// pyOpenSSL is a dependency that it does not declare.
const PACKAGES = ['model-signing==1.1.1', 'pyOpenSSL==26.4.0', 'huggingface_hub==2.4.0'];

describe('model_signing 1.1.1', { skip, concurrency: false }, () => {
  let folder: string;
  let python: string;
  let hub: EmbeddedHub;
  let registry: EmbeddedRegistry;
  let env: Record<string, string>;
  const files = new Map<string, Buffer>();
  const at = (name: string): string => path.join(folder, name);
  const modelSigning = (...args: string[]) =>
    run(python, ['-m', 'model_signing', ...args], { cwd: folder, env: { HOME: folder } });
  const ours = (...args: string[]) => weighbridge(args, { env, cwd: folder });
  const verify = (model: string) =>
    modelSigning('verify', 'key', '--signature', 'ours.sig', '--public_key', 'key.pub', model);

  /** Fills a volume as the slim image that was unpacked at `root` does. */
  const download = async (root: string, volume: string): Promise<void> => {
    const bootstrap = path.join(root, 'opt/weighbridge/bootstrap');
    const brought = await run(python, [bootstrap, 'download'], {
      env: { HF_ENDPOINT: hub.url, MODEL_DIR: volume },
    });
    assert.equal(brought.status, 0, brought.stderr);
  };

  before(async () => {
    python = await pythonWith(PACKAGES);
    folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-oms-'));
    hub = await startHub();
    registry = await startRegistry();
    await makeBaseImage(registry, 'vllm/vllm-openai', 'v0.6.0');
    for (const [name, content] of Object.entries(await sampleModelFiles()))
      files.set(name, Buffer.from(content));
    for (const name of ['key', 'makers']) {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      await writeFile(at(`${name}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
      await writeFile(at(`${name}.pub`), publicKey.export({ type: 'spki', format: 'pem' }));
    }
    await writeFiles(at('upstream'), files);
    const signed = await modelSigning(
      'sign',
      'key',
      '--private_key',
      'makers.pem',
      '--signature',
      'm.sig',
      'upstream',
    );
    assert.equal(signed.status, 0, signed.stderr + signed.stdout);
    await hub.addModel({
      id: 'acme/x',
      files: { ...Object.fromEntries(files), 'model.sig': await readFile(at('m.sig')) },
    });
    await writeFile(
      at('models.yaml'),
      `registries: {lab: ${registry.host}/acme}
defaults: {base_image: "${registry.host}/vllm/vllm-openai:v0.6.0"}
signing:
  mode: required
  key: key.pem
  upstream: [{models: ["acme/*"], key: makers.pub, require: true}]
models: [{id: acme/x, short: x}]
`,
    );
    env = { HF_ENDPOINT: hub.url, DOCKER_CONFIG: folder };
  });
  after(async () => {
    await Promise.all([hub?.close(), registry?.close()]);
    await rm(folder, { recursive: true, force: true });
  });

  test('accepts the model of a fat image, and of the volume of a slim one; any change is refused', async () => {
    const published = await ours('publish');
    assert.equal(published.status, 0, published.stderr);
    const save = ['--signed', '--policy', 'strict', '--key', 'key.pub', '--save-model-signature', 'ours.sig'];
    const images = ['fat', 'slim'].map(variant => `${registry.host}/acme/hf-x:v0.6.0-${variant}`);
    for (const [index, image] of images.entries()) {
      const saved = await ours('verify', ...save, image);
      assert.equal(saved.status, 0, saved.stdout + saved.stderr);
      const root = at(`image-${index}`);
      await writeFiles(root, await filesOf(registry, `v0.6.0-${index === 0 ? 'fat' : 'slim'}`));
      const model = index === 0 ? path.join(root, 'models/x') : at('volume');
      if (index === 1) {
        await download(root, model);
      }
      const accepted = await verify(model);
      assert.equal(accepted.status, 0, accepted.stdout + accepted.stderr);
      await refusedAfter(model, verify);
      // With the signature in the folder that it is about.
      await copyFile(at('ours.sig'), path.join(model, 'model.sig'));
      const inPlace = ['--signature', path.join(model, 'model.sig'), '--public_key', 'key.pub', model];
      const again = await modelSigning('verify', 'key', ...inPlace);
      assert.equal(again.status, 0, again.stdout + again.stderr);
    }
  });

  test('accepts the signature that images have as a file, on a fat image and the volume of a slim one; any change is refused', async () => {
    await hub.addModel({ id: 'acme/plain', files: Object.fromEntries(files) });
    const text = `registries: {lab: ${registry.host}/acme}
defaults: {base_image: "${registry.host}/vllm/vllm-openai:v0.6.0", variants: [fat, slim, weights]}
signing: {mode: required, key: key.pem, model_signature_file: true}
models: [{id: acme/plain, short: plain}]
`;
    await writeFile(at('file.yaml'), text);
    const published = await ours('publish', '-c', 'file.yaml');
    assert.equal(published.status, 0, published.stdout + published.stderr);
    for (const [variant, tag, signature] of [
      ['fat', 'v0.6.0-fat', 'models/plain/model.sig'],
      ['weights', 'weights', 'models/plain/model.sig'],
      ['slim', 'v0.6.0-slim', 'opt/weighbridge/model.sig'],
    ] as const) {
      const root = at(`file-${variant}`);
      await writeFiles(root, await filesOf(registry, tag, 'acme/hf-plain'));
      const model = variant === 'slim' ? at('file-volume') : path.join(root, 'models/plain');
      if (variant === 'slim') await download(root, model);
      const args = ['--signature', path.join(root, signature), '--public_key', 'key.pub'];
      const verifyFile = (folder_: string) => modelSigning('verify', 'key', ...args, folder_);
      const accepted = await verifyFile(model);
      assert.equal(accepted.status, 0, `${variant}: ${accepted.stdout}${accepted.stderr}`);
      await refusedAfter(model, verifyFile);
    }
  });

  test('accepts the parts of a model that was divided for a registry; any change is refused', async () => {
    await hub.addModel({ id: 'acme/divided', files: SHARDED });
    const text = `registries: {lab: ${registry.host}/acme}
layer_limits: {lab: ${LIMIT}}
defaults: {base_image: "${registry.host}/vllm/vllm-openai:v0.6.0", variants: [fat]}
signing: {mode: required, key: key.pem}
models: [{id: acme/divided, short: divided}]
`;
    await writeFile(at('divided.yaml'), text);
    const published = await ours('publish', '-c', 'divided.yaml');
    assert.equal(published.status, 0, published.stdout + published.stderr);
    const image = `${registry.host}/acme/hf-divided:v0.6.0-fat`;
    const saved = await ours(
      ...['verify', '--signed', '--policy', 'strict', '--key', 'key.pub'],
      ...['--save-model-signature', 'ours.sig', image],
    );
    assert.equal(saved.status, 0, saved.stdout + saved.stderr);
    const root = at('divided');
    await writeFiles(root, await filesOf(registry, 'v0.6.0-fat', 'acme/hf-divided'));
    const model = path.join(root, 'models/divided');
    for (const part of PARTS) await stat(path.join(model, `${part}.safetensors`));
    const accepted = await verify(model);
    assert.equal(accepted.status, 0, accepted.stdout + accepted.stderr);
    await refusedAfter(model, verify);
  });

  test('its signature is verified before anything is published, and a wrong one publishes nothing', async () => {
    const config = await readFile(at('models.yaml'), 'utf8');
    for (const [title, change, message] of [
      ['another key', (text: string) => text.replace('makers.pub', 'key.pub'), /does not match/],
      [
        'one byte',
        text => text.replace('acme/x, short: x', 'acme/changed, short: y'),
        /signs another "model/,
      ],
      [
        'one more',
        text => text.replace('acme/x, short: x', 'acme/more, short: y'),
        /does not sign "extra.json"/,
      ],
      [
        'one less',
        text => text.replace('acme/x, short: x', 'acme/less, short: y'),
        /signs "generation_config.json", which/,
      ],
      ['none', text => text.replace('acme/x, short: x', 'acme/none, short: y'), /has no model.sig/],
    ] as readonly (readonly [string, (text: string) => string, RegExp])[]) {
      await addVariants(hub, files, await readFile(at('m.sig')));
      await writeFile(at('models.yaml'), change(config));
      const before = registry.log.length;
      const { status, stdout, stderr } = await ours('publish', '--force');
      assert.equal(status, 1, title);
      assert.match(stdout + stderr, message, title);
      assert.ok(!registry.log.slice(before).some(({ method }) => method === 'PUT'), title);
    }
    await writeFile(at('models.yaml'), config);
  });
});

async function addVariants(
  hub: EmbeddedHub,
  files: ReadonlyMap<string, Buffer>,
  signature: Buffer,
): Promise<void> {
  const base: Record<string, Buffer> = { ...Object.fromEntries(files), 'model.sig': signature };
  const [weights] = [...files.keys()].filter(name => name.endsWith('.safetensors'));
  const flipped = Buffer.from(files.get(weights as string) as Buffer);
  flipped[flipped.length - 1] = (flipped.at(-1) as number) ^ 1;
  const { 'generation_config.json': _, ...less } = base;
  const { 'model.sig': _signature, ...none } = base;
  await hub.addModel({ id: 'acme/changed', files: { ...base, [weights as string]: flipped } });
  await hub.addModel({ id: 'acme/more', files: { ...base, 'extra.json': '{}' } });
  await hub.addModel({ id: 'acme/less', files: less });
  await hub.addModel({ id: 'acme/none', files: none });
}

/** One byte flipped, one file more, one less. */
async function refusedAfter(
  model: string,
  verify: (model: string) => Promise<{ readonly status: number | null }>,
): Promise<void> {
  const file = path.join(model, 'config.json');
  const content = await readFile(file);
  const flipped = Buffer.from(content);
  flipped[0] = (flipped[0] as number) ^ 1;
  for (const [change, undo] of [
    [() => writeFile(file, flipped), () => writeFile(file, content)],
    [() => writeFile(path.join(model, 'more'), ''), () => rm(path.join(model, 'more'))],
    [() => rm(file), () => writeFile(file, content)],
  ] as const) {
    await change();
    assert.equal((await verify(model)).status, 1);
    await undo();
  }
  assert.equal((await verify(model)).status, 0);
}

async function filesOf(
  registry: EmbeddedRegistry,
  tag: string,
  repository = 'acme/hf-x',
): Promise<Map<string, Buffer>> {
  const all = new Map<string, Buffer>();
  const manifest = JSON.parse(String(registry.manifest(repository, tag)?.bytes));
  for (const { digest, mediaType } of manifest.layers) {
    if (mediaType !== MediaType.ociLayerTar) continue;
    for (const [name, content] of await filesOfLayer((await registry.readBlob(digest)) ?? Buffer.alloc(0)))
      all.set(name, content);
  }
  return all;
}

async function writeFiles(folder: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const [name, content] of files) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}
