import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { Digest } from '../../src/core/digest.ts';
import { readBootstrap } from '../../src/engine/bootstrap-files.ts';
import type { VerifyJson } from '../../src/report/json/verify-json.ts';
import { sampleModelFiles } from '../../src/testkit/sample-model.ts';
import { WEIGHBRIDGE } from '../support/command.ts';
import { type RunResult, run, temporaryFolder } from '../support/tools.ts';
import { MODEL_FILES, World } from '../support/world.ts';

/** The command itself, with its Hub and logins those of the test. */
async function weighbridge(world: World, ...args: string[]): Promise<RunResult> {
  return await weighbridgeWith(undefined, world, ...args);
}

async function weighbridgeWith(
  token: string | undefined,
  world: World,
  ...args: string[]
): Promise<RunResult> {
  const env = { HF_ENDPOINT: world.hub.url, HF_TOKEN: token, DOCKER_CONFIG: '/nowhere', NO_COLOR: '1' };
  return await run(WEIGHBRIDGE, args, { env });
}

async function published(): Promise<{ world: World; reference: (variant: string) => string }> {
  const world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  await world.publish(world.config('acme/x'), { bootstrap: readBootstrap() });
  return { world, reference: variant => `${world.registry(0).host}/acme/hf-x:v0.6.0-${variant}` };
}

function weightsOf(world: World): Digest {
  const layers = world.manifest(0, 'v0.6.0-fat').layers;
  const layer = layers.find(one => one.annotations?.['io.weighbridge.file.path']?.startsWith('model-00002'));
  assert.ok(layer !== undefined);
  return layer.digest;
}

for (const depth of [[], ['--deep']]) {
  test(`verify ${depth.join(' ')}: both variants are as the Hub has them, and the status is 0`, async () => {
    const { world, reference } = await published();
    await using _ = world;
    const before = world.hub.log.length;
    const result = await weighbridge(
      world,
      'verify',
      ...depth,
      reference('fat'),
      reference('slim'),
      '--json',
    );
    assert.equal(result.status, 0, result.stderr);
    const { ok, deep, images } = JSON.parse(result.stdout) as VerifyJson;
    assert.deepEqual([ok, deep], [true, depth.length > 0]);
    assert.deepEqual(
      images.map(({ variant, files }) => [variant, files.length]),
      [
        ['fat', Object.keys(MODEL_FILES).length - 1],
        ['slim', Object.keys(MODEL_FILES).length - 1],
      ],
    );
    assert.deepEqual(images[0]?.leftOut, ['pytorch_model.bin']);
    // Of the Hub's files, what an image is planned from is read; weights are not.
    const asked = world.hub.log.slice(before).map(entry => entry.path);
    const files = asked.filter(one => !one.startsWith('/api/models/acme/x/revision/'));
    assert.deepEqual([...new Set(files.map(one => path.posix.basename(one)))].sort(), [
      'LICENSE',
      'README.md',
      'config.json',
    ]);
  });
}

test('whether a gated image is verified does not depend on whose access to config.json it was published with', async () => {
  await using world = await World.startWith({ hub: { token: 'hf_access' } });
  const files = await sampleModelFiles();
  await world.hub.addModel({ id: 'acme/x', files, gated: 'manual' });
  const reference = `${world.registry(0).host}/acme/hf-x:v0.6.0-slim`;
  const problems = async (token: string | undefined): Promise<readonly string[]> => {
    const { status, stdout, stderr } = await weighbridgeWith(token, world, 'verify', '--json', reference);
    const { ok, images } = JSON.parse(stdout) as VerifyJson;
    assert.deepEqual([status, ok], images[0]?.problems.length === 0 ? [0, true] : [1, false], stderr);
    return images[0]?.problems ?? [];
  };
  for (const publisher of [undefined, 'hf_access']) {
    const planned = await world.plan(world.config('acme/x'), publisher);
    await world.publishPlanned(planned, { variants: ['slim'], bootstrap: readBootstrap() });
    assert.deepEqual(await problems('hf_access'), [], `published with ${publisher}`);
    const [problem, ...others] = await problems(undefined);
    assert.deepEqual(others, []);
    if (publisher === undefined) assert.equal(problem, undefined);
    else
      assert.match(problem ?? '', /^its labels of what config\.json says .*Set HF_TOKEN and verify again$/);
  }
});

test('digests are enough to see a blob that is gone or has another size; no weights are read for it', async () => {
  const { world, reference } = await published();
  await using _ = world;
  world.registry(0).damageBlob(weightsOf(world), Buffer.from('short'));
  const { status, stdout } = await weighbridge(world, 'verify', reference('fat'));
  assert.equal(status, 1);
  assert.match(stdout, /has 5 of \d+ bytes of\s+sha256:/);
  assert.match(stdout, /✗ 1 problem/);
  const reads = world
    .registry(0)
    .log.filter(entry => entry.method === 'GET' && entry.path.includes('/blobs/'));
  assert.ok(!reads.some(entry => entry.path.includes(weightsOf(world))));
});

test('bytes that were changed behind the registry are seen with --deep, and only with it', async () => {
  const { world, reference } = await published();
  await using _ = world;
  const digest = weightsOf(world);
  const bytes = Buffer.from((await world.registry(0).readBlob(digest)) as Buffer);
  bytes[100_000] = (bytes[100_000] ?? 0) ^ 1;
  world.registry(0).damageBlob(digest, bytes);
  assert.equal((await weighbridge(world, 'verify', reference('fat'))).status, 0);
  const { status, stdout } = await weighbridge(world, 'verify', '--deep', reference('fat'));
  assert.equal(status, 1);
  assert.match(stdout, new RegExp(`expected\\s+${digest}`));
});

test('a tag that names no image, a repository without a tag, an image of somebody else: each says what to do', async () => {
  const { world, reference } = await published();
  await using _ = world;
  const host = world.registry(0).host;
  const absent = await weighbridge(world, 'verify', `${reference('fat')}x`);
  assert.equal(absent.status, 1);
  assert.match(absent.stderr, /has no image v0\.6\.0-fatx\n {2}Check the tag/);
  const both = await weighbridge(world, 'verify', `${reference('fat')}x`, reference('fat'));
  assert.equal(both.status, 1);
  assert.match(both.stderr, /fatx: .*not found/);
  assert.match(
    both.stdout,
    /fatx\n {2}✗ Not found: .* has no image v0\.6\.0-fatx\.\n[\s\S]*all as the Hub has them/,
  );
  const json = await weighbridge(world, 'verify', '--json', `${reference('fat')}x`, reference('fat'));
  const { ok, images } = JSON.parse(json.stdout);
  assert.deepEqual([ok, images.map((image: { ok: boolean }) => image.ok)], [false, [false, true]]);
  assert.equal(images[0].error.code, 'REGISTRY_NOT_FOUND');
  const untagged = await weighbridge(world, 'verify', `${host}/acme/hf-x`);
  assert.equal(untagged.status, 2);
  assert.match(untagged.stderr, /which image\? No tag was named\n {2}Add one of its tags: .*v0\.6\.0-fat/);
  const foreign = await weighbridge(world, 'verify', `${host}/vllm/vllm-openai:v0.6.0`);
  assert.equal(foreign.status, 1);
  assert.match(foreign.stderr, /was not published by Weighbridge/);
});

test('inspect says what an image is and how to run it, from a registry and from a layout', async t => {
  const { world, reference } = await published();
  await using _ = world;
  const { status, stdout, stderr } = await weighbridge(world, 'inspect', reference('fat'));
  assert.equal(status, 0, stderr);
  for (const line of [
    /variant {3}fat for linux\/amd64/,
    /model {5}acme\/x/,
    /revision {2}[0-9a-f]{40}/,
    /license {3}Apache-2\.0/,
    /base {6}.*vllm\/vllm-openai:v0\.6\.0/,
    /weights .* 3 layers/,
    /licenses .* 1 layer/,
    /docker run --rm --gpus all --ipc=host -p 8000:8000/,
  ])
    assert.match(stdout, line);

  const folder = await temporaryFolder(t);
  const layout = path.join(folder, 'out');
  const built = await weighbridge(
    world,
    'build',
    '--id',
    'acme/x',
    '--short',
    'x',
    '-o',
    `oci:${layout}`,
    '--base-image',
    `${world.registry(0).host}/vllm/vllm-openai:v0.6.0`,
  );
  assert.equal(built.status, 0, built.stderr);
  const slim = await weighbridge(world, 'inspect', `oci:${layout}:v0.6.0-slim`, '--json');
  assert.equal(slim.status, 0, slim.stderr);
  const [image] = JSON.parse(slim.stdout).images;
  assert.deepEqual(image.files.map((file: { path: string }) => file.path).sort(), [
    'LICENSE',
    'README.md',
    'config.json',
    'model-00001-of-00003.safetensors',
    'model-00002-of-00003.safetensors',
    'model-00003-of-00003.safetensors',
    'tokenizer_config.json',
  ]);
  assert.equal(
    image.size.total,
    image.layers.reduce((sum: number, layer: { size: number }) => sum + layer.size, 0),
  );
  assert.equal((await weighbridge(world, 'inspect', `oci:${folder}/none:x`)).status, 1);
});
