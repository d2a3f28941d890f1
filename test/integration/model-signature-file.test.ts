import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { signatureDifferences } from '../../src/attest/check-statement.ts';
import { modelSigner } from '../../src/attest/model-signer.ts';
import type { SigningContext } from '../../src/attest/sign-image.ts';
import { keySigner } from '../../src/attest/signers/key-signer.ts';
import { verifySigned } from '../../src/attest/verify-signed.ts';
import { imageSigning } from '../../src/engine/signing.ts';
import { readImages, readModelFiles } from '../../src/image/published-image.ts';
import { isRight, verifyImage } from '../../src/inspect/verify-image.ts';

import type { PlannedModel } from '../../src/plan/types.ts';
import { RunCache } from '../../src/publish/run-cache.ts';
import type { ImageStore } from '../../src/store/image-store.ts';
import { makeBaseImage } from '../../src/testkit/base-image.ts';
import { filesOfLayer } from '../support/layer-files.ts';
import { LIMIT, limited, PARTS, SHARDED } from '../support/sharded-model.ts';
import { BASE_REPOSITORY, BOOTSTRAP, MODEL_FILES, type PublishOptions, World } from '../support/world.ts';

// The model signature as a file of images (`signing.model_signature_file`): made once, the same in each run, and verified.

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const TOOL = { version: '0.1.0', builderId: 'https://builder.example' };
const VARIANTS = ['slim', 'fat', 'weights', 'modelpack'] as const;
const PLACES = {
  fat: 'models/x/model.sig',
  weights: 'models/x/model.sig',
  slim: 'opt/weighbridge/model.sig',
};
type Signed = keyof typeof PLACES;

describe('an image with its model signature as a file', () => {
  test('has it as a layer of its own, byte for byte what is attached, and verify --signed reads it', async () => {
    await using world = await World.start();
    const { store, planned } = await published(world);
    for (const variant of Object.keys(PLACES) as Signed[]) {
      const reference = tagOf(planned, variant);
      const file = await signatureIn(world, reference, PLACES[variant]);
      const [check] = await verified(store, reference);
      assert.deepEqual(check?.problems, [], variant);
      const models = check?.statements.filter(({ kind }) => kind === 'model') ?? [];
      assert.deepEqual(models.map(({ file: at, status }) => `${at} ${status}`).sort(), [
        `/${PLACES[variant]} verified`,
        'undefined verified',
      ]);
      for (const { bundle } of models) assert.ok(bundle?.equals(file), variant);
    }
    const files = (tag: string) => world.manifest(0, tag).layers.map(layer => layer.annotations ?? {});
    const kinds = files(tagOf(planned, 'modelpack')).map(one => one['io.weighbridge.layer.kind']);
    assert.ok(!kinds.includes('signature'));
  });

  test('is the same image in each run, on each registry and after --force, and needs no key to be recognized', async () => {
    await using world = await World.start({}, { quirks: { referrers: false } });
    await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
    const first = await publish(world);
    const [one, two] = [0, 1].map(index => digests(first.images, index));
    assert.deepEqual(one, two);
    const puts = world.registry(0).log.length;
    const again = await publish(world);
    assert.ok(again.images.every(({ status }) => status === 'unchanged'));
    const written = world
      .registry(0)
      .log.slice(puts)
      .filter(({ method }) => method !== 'GET' && method !== 'HEAD');
    assert.deepEqual(written, []);
    // A plan has no key: it takes the signature that is there.
    const seen = await world.publishPlanned(again.planned, { variants: VARIANTS, isDryRun: true });
    assert.ok(seen.every(({ status }) => status === 'unchanged'));
    const forced = await publish(world, { isForced: true });
    assert.deepEqual(digests(forced.images, 0), one);
  });

  test('another key makes another image, and the old signature counts for nothing', async () => {
    await using world = await World.start();
    const before = await published(world);
    const after = await publish(world, {}, contextOf(world, keySigner(other.privateKey)));
    assert.ok(
      after.images.every(
        ({ variant, status }) => status === (variant === 'modelpack' ? 'unchanged' : 'published'),
      ),
    );
    const [check] = await verified(before.store, tagOf(before.planned, 'fat'));
    assert.match(String(check?.problems), /is not signed by this key/);
  });

  test('a model that was divided is signed as its parts', async () => {
    await using world = await World.start({ quirks: { maxBlobBytes: LIMIT, referrers: false } });
    await world.hub.addModel({ id: 'acme/x', files: SHARDED });
    const { planned } = await publish(
      world,
      { variants: ['fat'] },
      contextOf(world),
      withFile(limited(world)),
    );
    const bytes = await signatureIn(world, tagOf(planned, 'fat'), PLACES.fat);
    const store = world.open(`${world.registry(0).host}/acme/hf-x`);
    const [image] = await readImages(store, tagOf(planned, 'fat'));
    const files = await readModelFiles(store, image ?? assert.fail());
    assert.ok(
      PARTS.every(part => files.some(({ path, sha256 }) => path === `${part}.safetensors` && sha256)),
    );
    assert.deepEqual(signatureDifferences(bytes, files), []);
  });

  test('index and platforms of two architectures have one signature', async () => {
    await using world = await World.start();
    const platforms = ['amd64', 'arm64'].map(architecture => ({ os: 'linux', architecture }));
    await makeBaseImage(world.registry(0), BASE_REPOSITORY, 'v0.6.0', { platforms });
    await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
    const yaml = world.config('acme/x', '    arch: [linux/amd64, linux/arm64]\n');
    const { planned, store } = await publish(world, { variants: ['fat'] }, contextOf(world), withFile(yaml));
    const checks = await verified(store, tagOf(planned, 'fat'));
    assert.deepEqual(
      checks.map(({ platform, problems, statements }) => [
        platform,
        problems,
        statements.some(({ file }) => file),
      ]),
      [
        ['index', [], false],
        ['linux/amd64', [], true],
        ['linux/arm64', [], true],
      ],
    );
  });

  test("the makers' own signature keeps its name: ours is attached and nothing else", async () => {
    await using world = await World.start();
    await world.hub.addModel({ id: 'acme/x', files: { ...MODEL_FILES, 'model.sig': '{"made":"by them"}' } });
    const { planned, store } = await publish(world, { variants: ['fat', 'slim'] });
    assert.equal(String(await signatureIn(world, tagOf(planned, 'fat'), PLACES.fat)), '{"made":"by them"}');
    for (const variant of ['fat', 'slim'] as const) {
      const [check] = await verified(store, tagOf(planned, variant));
      assert.deepEqual(check?.problems, []);
      assert.ok(check?.statements.every(({ file }) => file === undefined));
    }
  });
});

describe('verify', () => {
  for (const variant of Object.keys(PLACES) as Signed[]) {
    for (const isDeep of [false, true]) {
      test(`makes the ${variant} image once more without the key${isDeep ? ', and reads all of it' : ''}`, async () => {
        await using world = await World.start();
        const { store, planned } = await published(world);
        const checks = await rebuilt(world, store, tagOf(planned, variant), isDeep);
        assert.deepEqual(
          checks.flatMap(({ problems }) => problems),
          [],
        );
        assert.ok(checks.every(isRight));
        assert.ok(checks.every(({ files }) => files.every(({ path }) => path !== 'model.sig')));
      });
    }
  }

  for (const [title, text, message] of [
    ['is not a bundle', () => '{}', /model\.sig is not a sigstore bundle/],
    ['is about other files', otherFiles, /model\.sig: it (does not have the file|has)/],
  ] as const) {
    test(`does not take a signature that ${title}, and neither does verify --signed`, async () => {
      await using world = await World.start();
      await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
      const context = contextOf(world);
      const forged = { ...modelSigner(context), sign: text };
      const { store, planned } = await publish(world, { modelSigner: forged, variants: ['fat'] }, context);
      const checks = await rebuilt(world, store, tagOf(planned, 'fat'), false);
      assert.match(checks.flatMap(({ problems }) => problems).join('\n'), message);
      const [check] = await verified(store, tagOf(planned, 'fat'));
      const file = check?.statements.find(one => one.file !== undefined);
      assert.ok(file !== undefined && file.status !== 'verified');
    });
  }
});

test('a signer whose signatures are others each time, or that model_signing does not know, is refused', async () => {
  await using world = await World.start();
  const ed25519 = keySigner(generateKeyPairSync('ed25519').privateKey);
  assert.throws(() => modelSigner(contextOf(world, ed25519)), { code: 'SIGNING_KEY', message: /^the key / });
});

function otherFiles(): string {
  const files = [{ path: 'config.json', sizeBytes: 1, sha256: '0'.repeat(64) }];
  return modelSigner({ signer: keySigner(privateKey) } as SigningContext).sign('x', files);
}

function contextOf(world: World, signer = keySigner(privateKey)): SigningContext {
  return { signer, tool: TOOL, vex: [], hub: world.hubClient(), hashes: new Map() };
}

function withFile(yaml: string): string {
  return `signing: {mode: required, key: key.pem, model_signature_file: true}\n${yaml}`;
}

async function published(world: World) {
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const result = await publish(world);
  assert.ok(result.images.every(({ status }) => status === 'published'));
  return result;
}

async function publish(
  world: World,
  options: PublishOptions = {},
  context = contextOf(world),
  yaml = withFile(world.config('acme/x')),
) {
  const all = yaml.replace('defaults:\n', 'defaults:\n  variants: [slim, fat, weights, modelpack]\n');
  const planned = await world.plan(all);
  const images = await world.publishPlanned(planned, {
    variants: VARIANTS,
    modelSigner: modelSigner(context),
    signing: imageSigning(context, true),
    ...options,
  });
  return { store: world.open(`${world.registry(0).host}/acme/hf-x`), planned, images };
}

function tagOf(planned: PlannedModel, variant: (typeof VARIANTS)[number]): string {
  return planned.tags[variant][0] ?? assert.fail();
}

function digests(images: readonly { readonly tags: readonly string[] }[], registry: number): string[] {
  const ofRegistry = images.filter(image => (image as { registry?: string }).registry === `r${registry}`);
  return ofRegistry
    .map(image => `${image.tags[0]?.split(':').at(-1)} ${(image as { digest?: string }).digest}`)
    .sort();
}

/** The file as the last layer has it that has one of this path. */
async function signatureIn(world: World, tag: string, path: string): Promise<Buffer> {
  let found: Buffer | undefined;
  for (const { digest } of world.manifest(0, tag).layers) {
    const bytes = (await world.registry(0).readBlob(digest)) ?? Buffer.alloc(0);
    const file = (await filesOfLayer(bytes)).get(path);
    if (file !== undefined) found = file;
  }
  return found ?? assert.fail(`${tag} has no ${path}`);
}

async function verified(store: ImageStore, reference: string) {
  const trusted = { kind: 'key', key: publicKey, name: 'key' } as const;
  return await verifySigned(store, reference, { trusted, policy: 'strict' });
}

async function rebuilt(world: World, store: ImageStore, reference: string, isDeep: boolean) {
  const openBase = (name: string): ImageStore => world.open(name, 'pull');
  return await verifyImage(store, reference, {
    hub: world.hubClient(),
    isDeep,
    rebuild: {
      bootstrap: BOOTSTRAP,
      readBase: new RunCache({ openBase }).baseImage,
      checkSignature: signatureDifferences,
    },
  });
}
