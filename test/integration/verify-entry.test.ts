import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/load-config.ts';
import type { Variant } from '../../src/config/types.ts';
import { digestOf } from '../../src/core/digest.ts';
import { differencesOf, verifyImage } from '../../src/inspect/verify-image.ts';
import { type Descriptor, type Index, MediaType } from '../../src/oci/types.ts';
import { RunCache } from '../../src/publish/run-cache.ts';
import { makeBaseImage } from '../../src/testkit/base-image.ts';
import { BASE_REPOSITORY, BOOTSTRAP, MODEL_FILES, World } from '../support/world.ts';

// Images that are right in themselves, and not what models.yaml publishes to their repository.

const REPOSITORY = 'acme/hf-x';

async function started(): Promise<World> {
  const world = await World.start();
  for (const id of ['acme/x', 'evil/x']) await world.hub.addModel({ id, files: MODEL_FILES });
  await makeBaseImage(world.registry(0), 'evil/vllm', 'v0.6.0', { layers: [{ 'usr/bin/vllm': 'evil' }] });
  return world;
}

/** What is said of an image; with `yaml`, as `verify --config` does. */
async function said(world: World, reference: string, yaml?: string): Promise<string[]> {
  const checks = await verifyImage(world.open(`${world.registry(0).host}/${REPOSITORY}`, 'pull'), reference, {
    hub: world.hubClient(),
    isDeep: false,
    rebuild: {
      bootstrap: BOOTSTRAP,
      readBase: new RunCache({ openBase: name => world.open(name, 'pull') }).baseImage,
      ...(yaml !== undefined && { config: parseConfig(yaml, 'models.yaml') }),
    },
  });
  return differencesOf(checks);
}

for (const { what, change, says } of [
  {
    what: 'on the base of a stranger',
    change: (yaml: string) => yaml.replace(BASE_REPOSITORY, 'evil/vllm'),
    says: /^it is on .*\/evil\/vllm:v0\.6\.0, and models\.yaml names .*vllm-openai:v0\.6\.0$/,
  },
  {
    what: 'of another model',
    change: (yaml: string) => yaml.replace('acme/x', 'evil/x'),
    says: /^it is of evil\/x, and models\.yaml has acme\/x here$/,
  },
  {
    what: 'in another folder, which no entry of the file has',
    change: (yaml: string) => `${yaml}    folder: other\n    serve_args: [--trust-remote-code]\n`,
    says: /^it has the model in \/models\/other, and models\.yaml in \/models\/x$/,
  },
]) {
  test(`an image ${what} is not what the file publishes, and right by its own record`, async () => {
    await using world = await started();
    const yaml = world.config('acme/x');
    await world.publish(change(yaml));
    for (const variant of ['fat', 'slim']) {
      assert.deepEqual(await said(world, `v0.6.0-${variant}`), []);
      const [first = '', ...others] = await said(world, `v0.6.0-${variant}`, yaml);
      assert.match(first, says);
      assert.deepEqual(others, []);
    }
  });
}

test('a shard that the image was made without is missed, though all of its record agrees', async () => {
  await using world = await started();
  await world.publish(world.config('acme/x', '    files: { exclude: ["model-00002-of-*"] }\n'));
  for (const variant of ['fat', 'slim'])
    assert.match(
      (await said(world, `v0.6.0-${variant}`)).join('\n'),
      /the shard model-00002-of-00003\.safetensors is missing/,
    );
});

test('an older base of the same repository is not another one', async () => {
  await using world = await started();
  await makeBaseImage(world.registry(0), BASE_REPOSITORY, 'v0.5.9');
  await world.publish(world.config('acme/x').replace('v0.6.0', 'v0.5.9'));
  assert.deepEqual(await said(world, 'v0.5.9-fat', world.config('acme/x')), []);
});

for (const variant of ['fat', 'slim', 'weights', 'modelpack'] as const satisfies readonly Variant[]) {
  test(`${variant}: an entry with another folder than its short is verified without the file`, async () => {
    await using world = await started();
    const more = `    folder: shared\n    variants: [${variant}]\n`;
    await world.publish(world.config('acme/x', more), { variants: [variant] });
    const tag = variant === 'fat' || variant === 'slim' ? `v0.6.0-${variant}` : variant;
    assert.deepEqual(await said(world, tag), []);
  });
}

/** Puts the fat image with other labels, and its config and manifest to match. */
async function relabel(world: World, change: (labels: Record<string, string>) => void): Promise<void> {
  const manifest = structuredClone(world.manifest(0, 'v0.6.0-fat'));
  const config = structuredClone(await world.imageConfig(0, 'v0.6.0-fat'));
  change(config.config?.Labels as Record<string, string>);
  change(manifest.annotations as Record<string, string>);
  const bytes = Buffer.from(JSON.stringify(config));
  const descriptor = { ...manifest.config, digest: digestOf(bytes), size: bytes.length };
  world.registry(0).putImage(REPOSITORY, 'tampered', {
    blobs: [bytes],
    manifests: [
      {
        mediaType: manifest.mediaType,
        bytes: Buffer.from(JSON.stringify({ ...manifest, config: descriptor })),
      },
    ],
  });
}

test('labels that name no base, or none that can be, are an answer and not a defect', async () => {
  await using world = await started();
  await world.publish(world.config('acme/x'));
  for (const [label, value] of [
    ['base.digest', undefined],
    ['base.digest', 'sha256:1'],
    ['base.name', undefined],
    ['base.name', 'gated'],
    ['base.name', ''],
  ] as const) {
    await relabel(world, labels => {
      const name = `org.opencontainers.image.${label}`;
      if (value === undefined) delete labels[name];
      else labels[name] = value;
    });
    assert.match(
      (await said(world, 'tampered')).join('\n'),
      /could not be made once more/,
      `${label} ${value}`,
    );
  }
});

test('a fat image has no reason why there is none', async () => {
  await using world = await started();
  await world.publish(world.config('acme/x'));
  await relabel(world, labels => Object.assign(labels, { 'io.weighbridge.fat.refused': 'gated' }));
  assert.match((await said(world, 'tampered')).join('\n'), /fat\.refused should not be there/);
});

test('an index over right images has to be right too', async () => {
  await using world = await started();
  const platforms = ['amd64', 'arm64'].map(architecture => ({ os: 'linux', architecture }));
  await makeBaseImage(world.registry(0), BASE_REPOSITORY, 'v0.6.0', { platforms });
  await world.publish(world.config('acme/x', '    arch: [linux/amd64, linux/arm64]\n'));
  assert.deepEqual(await said(world, 'v0.6.0-fat'), []);
  const fat = world.manifest(0, 'v0.6.0-fat') as unknown as Index;
  const slim = world.manifest(0, 'v0.6.0-slim') as unknown as Index;
  const [amd64, arm64] = fat.manifests as [Descriptor, Descriptor];
  const attestation = { ...amd64, platform: { os: 'unknown', architecture: 'unknown' } };
  for (const [manifests, says, annotations = fat.annotations] of [
    [
      [
        { ...amd64, platform: arm64.platform },
        { ...arm64, platform: amd64.platform },
      ],
      /lists .* for linux\/arm64, and it is for linux\/amd64/,
    ],
    [[amd64, { ...(slim.manifests[1] as Descriptor) }], /several models, revisions or variants/],
    [[amd64, arm64, ...slim.manifests.slice(0, 1)], /several images for linux\/amd64/],
    [[amd64, arm64], /index\.annotations\.evil should not be there/, { ...fat.annotations, evil: 'yes' }],
    [[amd64, arm64, attestation], undefined],
  ] as const) {
    const index = { ...fat, manifests, annotations };
    world.registry(0).putImage(REPOSITORY, 'tampered', {
      blobs: [],
      manifests: [{ mediaType: MediaType.ociIndex, bytes: Buffer.from(JSON.stringify(index)) }],
    });
    const problems = await said(world, 'tampered');
    if (says === undefined) assert.deepEqual(problems, []);
    else assert.match(problems.join('\n'), says);
  }
});
