import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type EmbeddedHub, startHub } from '../../src/testkit/hub.ts';
import { sampleModelFiles } from '../../src/testkit/sample-model.ts';
import { buildBaseImage, pushBase } from '../real/base-image.ts';
import { CONTAINER_TOOLS, Podman } from '../real/podman.ts';
import { type RealRegistry, startRegistry } from '../real/registry.ts';
import { weighbridge } from '../support/command.ts';
import { onlyLong } from '../support/long.ts';
import { type RunResult, requireToolAsRoot, runOk } from '../support/tools.ts';

// The main job with real parts: distribution's registry twice, skopeo, umoci, podman; only the Hub is ours.

const LOGIN = { user: 'robot', password: 'a pässword' };
const ID = 'acme/sample';
const SERVE = ['--port', '8123'];
const missing = requireToolAsRoot(...CONTAINER_TOOLS, 'umoci');

interface PublishJson {
  readonly models: readonly {
    readonly revision: string;
    readonly images: readonly {
      readonly registry: string;
      readonly variant: string;
      readonly tags: readonly string[];
      readonly digest: string;
      readonly status: string;
      readonly bytes: { downloaded: number; uploaded: number; mounted: number; reused: number };
    }[];
  }[];
}

describe('the main job with real registries and clients', { skip: missing, concurrency: false }, () => {
  let folder: string;
  let hub: EmbeddedHub;
  let open: RealRegistry;
  let locked: RealRegistry;
  let podman: Podman;
  let env: Record<string, string>;
  const files = new Map<string, string>();

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-end-'));
    hub = await startHub();
    open = await startRegistry();
    locked = await startRegistry({ login: LOGIN });
    podman = await Podman.create();
    const sample = await sampleModelFiles();
    await hub.addModel({ id: ID, files: sample });
    for (const [name, content] of Object.entries(sample)) files.set(name, sha256(content));
    await pushBase(await buildBaseImage({ entrypoint: 'api-server' }), `${open.host}/vllm/openai:v0.6.0`);
    await pushBase(await buildBaseImage({ entrypoint: 'vllm-serve' }), `${open.host}/vllm/openai:v0.11.0`);
    const auth = Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString('base64');
    await writeFile(path.join(folder, 'config.json'), JSON.stringify({ auths: { [locked.host]: { auth } } }));
    env = { HF_ENDPOINT: hub.url, DOCKER_CONFIG: folder };
  });
  after(async () => {
    await podman?.[Symbol.asyncDispose]();
    await Promise.all([hub?.close(), open?.stop(), locked?.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  async function publish(version: string, ...args: string[]): Promise<PublishJson> {
    const file = path.join(folder, `${version}.yaml`);
    await writeFile(
      file,
      `registries: { open: ${open.host}/m, locked: ${locked.host}/deep/er }
defaults: { base_image: "${open.host}/vllm/openai:${version}" }
models:
  - { id: ${ID}, short: sample, serve_args: ${JSON.stringify(SERVE)} }
`,
    );
    const result = await weighbridge(['publish', '-c', file, '--json', ...args], { env });
    assert.equal(result.status, 0, result.stderr + result.stdout);
    return JSON.parse(result.stdout);
  }

  const imagesOf = (json: PublishJson) => json.models.flatMap(model => model.images);
  /** But what each plan reads: the license, the card, and what config.json says of the model's origin. */
  const resolved = (from: number): string[] =>
    hub.log
      .slice(from)
      .flatMap(({ path: asked }) => /\/resolve\/[^/]+\/(.+)$/.exec(asked)?.[1] ?? [])
      .filter(file => !['LICENSE', 'README.md', 'config.json'].includes(file));
  const pull = (image: string) => [
    '--src-creds',
    `${LOGIN.user}:${LOGIN.password}`,
    '--src-tls-verify=false',
    image,
  ];

  test('slim and fat reach both registries, with the same digests', async () => {
    const json = await publish('v0.6.0');
    const images = imagesOf(json);
    assert.deepEqual(
      images.map(image => image.status),
      Array(4).fill('published'),
    );
    const revision = json.models[0]?.revision;
    for (const { registry, variant, tags, digest } of images) {
      const repository =
        registry === 'open' ? `${open.host}/m/hf-sample` : `${locked.host}/deep/er/hf-sample`;
      assert.deepEqual(tags, [
        `${repository}:v0.6.0-${variant}`,
        `${repository}:r${revision}-${variant}`,
        `${repository}:v0.6.0-r${revision?.slice(0, 8)}-${variant}`,
      ]);
      for (const tag of tags) {
        const creds = ['--creds', `${LOGIN.user}:${LOGIN.password}`, '--tls-verify=false'];
        const inspected = await runOk('skopeo', ['inspect', ...creds, `docker://${tag}`]);
        const seen = JSON.parse(inspected);
        assert.equal(seen.Digest, digest);
        assert.equal(seen.Labels['org.opencontainers.image.revision'], revision);
        const license = variant === 'fat' ? 'Apache-2.0' : 'CC0-1.0';
        assert.equal(seen.Labels['org.opencontainers.image.licenses'], license);
      }
    }
    const digests = (variant: string) =>
      new Set(images.filter(i => i.variant === variant).map(i => i.digest));
    assert.equal(digests('slim').size, 1);
    assert.equal(digests('fat').size, 1);
  });

  test("umoci unpacks the fat image; its weights are the Hub's, its licenses are there in full", {
    skip: onlyLong,
  }, async () => {
    const layout = path.join(folder, 'fat');
    const image = `docker://${locked.host}/deep/er/hf-sample:v0.6.0-fat`;
    await runOk('skopeo', ['copy', '--quiet', ...pull(image), `oci:${layout}:fat`]);
    const bundle = path.join(folder, 'bundle');
    await runOk('umoci', ['unpack', '--image', `${layout}:fat`, bundle]);
    const root = path.join(bundle, 'rootfs');
    for (const name of ['model-00001-of-00003.safetensors', 'config.json', 'tokenizer.json']) {
      assert.equal(sha256(await readFile(path.join(root, 'models/sample', name))), files.get(name));
    }
    assert.equal(sha256(await readFile(path.join(root, 'licenses/model/LICENSE'))), files.get('LICENSE'));
    const cc0 = await readFile(path.join(root, 'licenses/CC0'), 'utf8');
    assert.match(cc0, /CC0 1\.0 Universal[\s\S]*Waiver/);
  });

  for (const version of ['v0.6.0', 'v0.11.0']) {
    test(`podman runs the fat image without network, with flags added, on the base ${version}`, async () => {
      await publish(version);
      const result = await podman.run({
        image: `${open.host}/m/hf-sample:${version}-fat`,
        args: ['--max-model-len', '4096', '--stand-in-exit'],
        network: 'none',
      });
      assert.equal(result.status, 0, result.stderr);
      const name = ['--served-model-name', ID];
      assert.deepEqual(argvOf(result), [
        ...['serve', '/models/sample', ...name, ...SERVE],
        ...['--max-model-len', '4096', '--stand-in-exit'],
      ]);
      const served = filesOf(result);
      assert.ok(
        served.length >= 8 && served.every(([file, hash]) => files.get(file) === hash),
        result.stdout,
      );
      assert.ok(!served.some(([file]) => file.endsWith('.bin') || file.endsWith('.png')));
    });
  }

  test('podman runs the slim image: it fetches once, serves, and a second start fetches nothing', async () => {
    const volume = path.join(folder, 'volume');
    await mkdir(volume);
    const options = {
      image: `${open.host}/m/hf-sample:v0.6.0-slim`,
      args: ['--max-model-len', '4096', '--stand-in-exit'],
      volumes: [`${volume}:/models`],
      env: { HF_ENDPOINT: hub.url },
    };
    const first = await podman.run(options);
    assert.equal(first.status, 0, first.stderr);
    assert.deepEqual(argvOf(first).slice(-3), options.args);
    assert.ok(filesOf(first).every(([file, hash]) => files.get(file) === hash));
    const from = hub.log.length;
    const second = await podman.run(options);
    assert.equal(second.status, 0, second.stderr);
    assert.deepEqual(filesOf(second), filesOf(first));
    assert.equal(hub.log.length, from);
  });

  test('a served model answers at /v1/models', async () => {
    const container = await podman.start({ image: `${open.host}/m/hf-sample:v0.6.0-fat` });
    await container.waitFor(/stand-in listening/);
    const answer = await fetch('http://127.0.0.1:8123/v1/models').then(response => response.json());
    await container.kill('SIGTERM');
    assert.equal((await container.ended).status, 0);
    assert.equal(JSON.stringify(answer).includes(ID), true);
  });

  test('publishing again moves nothing and reads nothing', async () => {
    // The tag of the revision went to the newer base; it comes back first.
    await publish('v0.6.0');
    const from = hub.log.length;
    for (const { status, bytes } of imagesOf(await publish('v0.6.0'))) {
      assert.equal(status, 'unchanged');
      assert.deepEqual([bytes.downloaded, bytes.uploaded, bytes.mounted], [0, 0, 0]);
    }
    assert.deepEqual(resolved(from), []);
  });

  test('a new base image moves no weight byte', async () => {
    await pushBase(await buildBaseImage({ user: 'nobody' }), `${open.host}/vllm/openai:v0.7.0`);
    const from = hub.log.length;
    const fat = imagesOf(await publish('v0.7.0', '--variant', 'fat'));
    assert.deepEqual(
      fat.map(image => image.status),
      ['published', 'published'],
    );
    assert.deepEqual(resolved(from), []);
    const [first] = fat;
    assert.ok(first !== undefined && first.bytes.uploaded < 1024 * 1024, JSON.stringify(fat));
  });

  test('of many files the changed one alone is read', async () => {
    const changed = 'model-00002-of-00003.safetensors';
    const content = Buffer.from((await sampleModelFiles({ seed: 7 }))[changed] ?? '');
    await hub.updateFile(ID, changed, content);
    files.set(changed, sha256(content));
    const from = hub.log.length;
    const images = imagesOf(await publish('v0.6.0', '--variant', 'fat'));
    assert.deepEqual(
      images.map(image => image.status),
      ['published', 'published'],
    );
    assert.deepEqual([...new Set(resolved(from))], [changed]);
  });
});

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function argvOf({ stdout }: RunResult): string[] {
  return JSON.parse(/^\{"argv".*$/m.exec(stdout)?.[0] ?? '{}').argv;
}

function filesOf({ stdout }: RunResult): [path: string, sha256: string][] {
  const { files } = JSON.parse(/^\{"model".*$/m.exec(stdout)?.[0] ?? '{"files":[]}');
  // What the bootstrap notes about the folder is not the model's.
  const own = files.filter((file: { path: string }) => file.path !== '.weighbridge.json');
  return own.map((file: { path: string; sha256: string }) => [file.path, file.sha256]);
}
