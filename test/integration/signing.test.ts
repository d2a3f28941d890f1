import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { BUNDLE_TYPE } from '../../src/attest/bundle.ts';
import { type SigningContext, signImage } from '../../src/attest/sign-image.ts';
import { keySigner } from '../../src/attest/signers/key-signer.ts';
import type { StatementSigner } from '../../src/attest/signers/signer.ts';
import { PredicateType } from '../../src/attest/statement.ts';
import { verifyBundle } from '../../src/attest/verify-bundle.ts';
import { type SignaturePolicy, verifySigned } from '../../src/attest/verify-signed.ts';
import type { VexEntry } from '../../src/config/types.ts';
import { type Digest, digestOf, hexOf } from '../../src/core/digest.ts';
import { SigningError } from '../../src/core/errors.ts';
import { imageSigning } from '../../src/engine/signing.ts';
import type { Annotations, Index } from '../../src/oci/types.ts';
import type { ImageSigning } from '../../src/publish/types.ts';
import { attachArtifact } from '../../src/store/attach-artifact.ts';
import type { ImageStore } from '../../src/store/image-store.ts';
import { listReferrers } from '../../src/store/referrers.ts';
import { makeBaseImage } from '../../src/testkit/base-image.ts';
import { filesOfLayer } from '../support/layer-files.ts';
import { LIMIT, limited, PARTS, SHARDED } from '../support/sharded-model.ts';
import { BASE_REPOSITORY, MODEL_FILES, REGISTRIES, World } from '../support/world.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const other = generateKeyPairSync('ed25519');
const ALL = ['image', 'provenance', 'bom', 'license', 'model'] as const;
const VEX: VexEntry = {
  vulnerability: 'CVE-2026-1',
  status: 'fixed',
  date: '2026-11-20T00:00:00Z',
  justification: null,
  impact: null,
  action: null,
  models: null,
  packages: [],
};

/** What a stranger has in place of the bundle that the annotations describe. */
const FORGERIES = [
  [
    'statements with another signature',
    (genuine: string) => keySigner(other.privateKey).sign(Buffer.from(genuine)),
  ],
  ['other statements that we signed', (genuine: string) => keySigner(privateKey).sign(Buffer.from(genuine))],
  ['bytes that are no statement', async (genuine: string) => Buffer.from(genuine)],
] as const;

for (const [title, referrers] of REGISTRIES) {
  describe(title, () => {
    test('the index and both platforms are signed, found as Kyverno looks for them, and verified', async () => {
      await using world = await World.start({ quirks: { referrers } });
      const { store, planned } = await publishOne(world, 'arch: [linux/amd64, linux/arm64]');
      const signed = await signImage(store, 'v0.6.0-fat', planned, contextOf(world));
      assert.deepEqual(
        signed.map(({ platform }) => platform),
        ['linux/amd64', 'linux/arm64', 'index'],
      );
      for (const { digest, statements } of signed) {
        assert.deepEqual(statements.map(({ kind }) => kind).sort(), [...ALL].sort());
        for (const type of [PredicateType.image, PredicateType.provenance, PredicateType.license])
          assert.equal(await kyvernoFinds(store, digest, type), 1, type);
      }
      assert.deepEqual(await problemsOf(store, 'strict'), []);
      const wrong = await problemsOf(store, 'present', other.publicKey);
      assert.match(wrong.join('\n'), /the image signature is not signed by this key/);
      assert.equal(wrong.length, 3);
    });

    test('signing again changes nothing, a new edition replaces the old one, and other signers stay', async () => {
      await using world = await World.start({ quirks: { referrers } });
      const { store, planned } = await publishOne(world);
      const sign = (more: Partial<SigningContext> = {}) =>
        signImage(store, 'v0.6.0-slim', planned, contextOf(world, more));
      const digest = (await sign())[0]?.digest ?? assert.fail();
      const before = await listReferrers(store, digest);
      const start = world.registry(0).log.length;
      assert.ok((await sign())[0]?.statements.every(({ status }) => status === 'unchanged'));
      // One small read for each, and one more for the signature of the image.
      const asked = world
        .registry(0)
        .log.slice(start)
        .map(({ path }) => path);
      assert.equal(
        before.filter(one => asked.some(path => path.endsWith(`manifests/${one.digest}`))).length,
        1,
      );
      assert.deepEqual(await listReferrers(store, digest), before);
      await sign({ vex: [VEX] });
      await sign({ vex: [{ ...VEX, status: 'under_investigation' }] });
      await sign({ vex: [{ ...VEX, status: 'under_investigation' }], tool: { ...TOOL, version: '0.2.0' } });
      assert.equal((await listReferrers(store, digest)).length, ALL.length + 1);
      assert.deepEqual(await problemsOf(store, 'strict', publicKey, 'v0.6.0-slim'), []);
      await sign({ signer: keySigner(other.privateKey) });
      assert.deepEqual(await problemsOf(store, 'strict', other.publicKey, 'v0.6.0-slim'), []);
    });

    for (const [what, bundleOf] of FORGERIES) {
      test(`${what} under our annotations do not keep ours away`, async () => {
        await using world = await World.start({ quirks: { referrers } });
        const { store, planned } = await publishOne(world);
        const sign = async () =>
          (await signImage(store, 'v0.6.0-slim', planned, contextOf(world)))[0] ?? assert.fail();
        const { digest } = await sign();
        const ours = await listReferrers(store, digest);
        await detachAll(store, digest);
        const forge = async () => {
          for (const { annotations = {}, digest: genuine } of ours)
            await attachForged(store, digest, { annotations, bytes: await bundleOf(genuine) });
        };
        await forge();
        assert.ok((await sign()).statements.every(({ status }) => status === 'signed'));
        assert.deepEqual(await problemsOf(store, 'strict', publicKey, 'v0.6.0-slim'), []);
        // Ours are found among them, in whatever order a registry lists them.
        await forge();
        assert.ok((await sign()).statements.every(({ status }) => status === 'unchanged'));
      });
    }
  });
}

test('a statement that is signed and says another thing than the image is a problem', async () => {
  await using world = await World.start();
  const { store, planned } = await publishOne(world);
  const lying = {
    ...planned,
    outcome: { ...planned.outcome, license: { ...planned.outcome.license, spdx: 'MIT' } },
  };
  await signImage(store, 'v0.6.0-fat', lying, contextOf(world));
  const problems = await problemsOf(store, 'present');
  assert.deepEqual(problems, ['license decision: it has the license "MIT", and the image says "Apache-2.0"']);
});

test('a model that was divided is signed as the parts that the image has, each by the hash of its bytes', async () => {
  await using world = await World.start({ quirks: { maxBlobBytes: LIMIT, referrers: false } });
  await world.hub.addModel({ id: 'acme/x', files: SHARDED });
  const planned = await world.plan(limited(world));
  await world.publishPlanned(planned, { variants: ['fat'] });
  const store = world.open(`${world.registry(0).host}/acme/hf-x`);
  await signImage(store, 'v0.6.0-fat', planned, contextOf(world));
  assert.deepEqual(await problemsOf(store, 'strict'), []);
  const trusted = { kind: 'key', key: publicKey, name: 'key' } as const;
  const [check] = await verifySigned(store, 'v0.6.0-fat', { trusted, policy: 'strict' });
  const bundle = check?.statements.find(({ kind }) => kind === 'model')?.bundle ?? assert.fail();
  const { predicate } = verifyBundle(bundle, trusted, 'the model signature').statement;
  const { resources } = predicate as { resources: { name: string; digest: string }[] };
  const inImage = new Map<string, string>();
  for (const { digest } of world.manifest(0, 'v0.6.0-fat').layers) {
    const bytes = (await world.registry(0).readBlob(digest)) ?? assert.fail();
    for (const [name, content] of await filesOfLayer(bytes))
      if (name.startsWith('models/x/')) inImage.set(name.slice('models/x/'.length), hexOf(digestOf(content)));
  }
  assert.ok(PARTS.every(part => inImage.has(`${part}.safetensors`)));
  assert.deepEqual(new Map(resources.map(({ name, digest }) => [name, digest])), inImage);
});

test('a statement about another image is a problem, and an unsigned image has no signature', async () => {
  await using world = await World.start();
  const { store, planned } = await publishOne(world);
  assert.deepEqual(await problemsOf(store, 'present'), ['there is no image signature']);
  await signImage(store, 'v0.6.0-fat', planned, contextOf(world));
  // Somebody attaches the fat image's bundles to the slim one.
  const fat = await store.getManifest('v0.6.0-fat');
  const slim = await store.getManifest('v0.6.0-slim');
  const redirected: ImageStore = Object.create(store, {
    name: { value: store.name },
    fetchReferrers: { value: () => store.fetchReferrers(fat?.digest ?? assert.fail()) },
  });
  for (const name of ['getManifest', 'openBlob'] as const)
    Object.defineProperty(redirected, name, { value: store[name].bind(store) });
  assert.ok(slim);
  const problems = await problemsOf(redirected, 'present', publicKey, 'v0.6.0-slim');
  assert.ok(problems.includes('image signature: it is about another image'));
  assert.ok(problems.includes('there is no image signature'));
});

describe('publish', () => {
  test('with required signatures sets tags after them, and none if they cannot be made', async () => {
    await using world = await World.start();
    await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
    const failed = await world.publish(world.config('acme/x'), { signing: signingOf(world, true, BROKEN) });
    assert.ok(failed.every(({ status }) => status === 'failed'));
    const store = world.open(`${world.registry(0).host}/acme/hf-x`);
    assert.deepEqual(await store.listTags(100), []);
    const images = await world.publish(world.config('acme/x'), { signing: signingOf(world, true) });
    assert.ok(images.every(({ status }) => status === 'published'));
    assert.deepEqual(await problemsOf(store, 'strict'), []);
    assert.deepEqual(await problemsOf(store, 'strict', publicKey, 'v0.6.0-slim'), []);
    const puts = world
      .registry(0)
      .log.filter(({ method, path }) => method === 'PUT' && /manifests/.test(path));
    const firstTag = puts.findIndex(({ path }) => path.endsWith('manifests/v0.6.0-fat'));
    assert.ok(puts.slice(0, firstTag).filter(({ path }) => path.includes('sha256:')).length > ALL.length);
  });

  test('with wished signatures publishes all the same, and says so; the next run signs what is unchanged', async () => {
    await using world = await World.start();
    await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
    const [first] = await world.publish(world.config('acme/x'), { signing: signingOf(world, false, BROKEN) });
    assert.ok(first?.status === 'published' && first.signature?.status === 'failed');
    const again = await world.publish(world.config('acme/x'), { signing: signingOf(world, false) });
    assert.ok(again.every(image => image.status === 'unchanged' && image.signature?.status === 'signed'));
    const store = world.open(`${world.registry(0).host}/acme/hf-x`);
    assert.deepEqual(await problemsOf(store, 'strict'), []);
  });

  test('a registry that answers for referrers and keeps none: one clear message', async () => {
    await using world = await World.start();
    const { store, planned } = await publishOne(world);
    const dropping: ImageStore = Object.create(store, {
      name: { value: store.name },
      fetchReferrers: { value: async () => [] },
    });
    for (const name of ['getManifest', 'openBlob', 'putManifest', 'startUpload', 'statBlob'] as const)
      Object.defineProperty(dropping, name, { value: store[name].bind(store) });
    const signing = signImage(dropping, 'v0.6.0-fat', planned, contextOf(world));
    await assert.rejects(signing, { code: 'SIGNING_NOT_KEPT', message: /does not list them/ });
  });
});

const TOOL = { version: '0.1.0', builderId: 'https://builder.example' };
const BROKEN: StatementSigner = {
  ...keySigner(privateKey),
  sign: () =>
    Promise.reject(
      new SigningError('the transparency log is down', { code: 'SIGNING_SERVICE', subject: 'rekor' }),
    ),
};

async function attachForged(
  store: ImageStore,
  subject: Digest,
  { annotations, bytes }: { readonly annotations: Annotations; readonly bytes: Buffer },
): Promise<void> {
  const stored = (await store.getManifest(subject)) ?? assert.fail();
  const files = [{ mediaType: BUNDLE_TYPE, bytes }];
  const described = { mediaType: stored.mediaType, digest: subject, size: stored.bytes.length };
  await attachArtifact(store, described, { artifactType: BUNDLE_TYPE, annotations, files });
}

async function detachAll(store: ImageStore, subject: Digest): Promise<void> {
  for (const { digest } of await listReferrers(store, subject)) await store.deleteManifest?.(digest);
  const list = await store.resolveTag(`sha256-${hexOf(subject)}`);
  if (list !== undefined) await store.deleteManifest?.(list);
  assert.deepEqual(await listReferrers(store, subject), []);
}

function contextOf(world: World, more: Partial<SigningContext> = {}): SigningContext {
  const common = { tool: TOOL, vex: [], hub: world.hubClient(), hashes: new Map() };
  return { signer: keySigner(privateKey), ...common, ...more };
}

function signingOf(world: World, isRequired: boolean, signer = keySigner(privateKey)): ImageSigning {
  return imageSigning(contextOf(world, { signer }), isRequired);
}

async function publishOne(world: World, more = '') {
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const platforms = ['amd64', 'arm64'].map(architecture => ({ os: 'linux', architecture }));
  await makeBaseImage(world.registry(0), BASE_REPOSITORY, 'v0.6.0', { platforms });
  const planned = await world.plan(world.config('acme/x', more === '' ? '' : `    ${more}\n`));
  const images = await world.publishPlanned(planned);
  assert.ok(images.every(({ status }) => status === 'published'));
  return { store: world.open(`${world.registry(0).host}/acme/hf-x`), planned };
}

async function problemsOf(
  store: ImageStore,
  policy: SignaturePolicy,
  key = publicKey,
  reference = 'v0.6.0-fat',
): Promise<string[]> {
  const trusted = { kind: 'key', key, name: 'key' } as const;
  const checks = await verifySigned(store, reference, { trusted, policy });
  return checks.flatMap(({ problems }) => [...problems]);
}

/**
 * How many statements of a type Kyverno finds. The rules are those of its `fetchBundles`: at most 50 referrers, of which
 * the artifact type in the list counts, the first layer, at most 10,000,000 bytes;
 * https://github.com/kyverno/kyverno/blob/main/pkg/cosign/sigstore.go
 */
async function kyvernoFinds(store: ImageStore, digest: `sha256:${string}`, type: string): Promise<number> {
  const listed = await store.fetchReferrers(digest);
  const tagged = await store.getManifest(`sha256-${digest.slice('sha256:'.length)}`);
  const manifests = listed ?? (JSON.parse(String(tagged?.bytes)) as Index).manifests;
  assert.ok(manifests.length <= 50);
  let found = 0;
  for (const one of manifests) {
    if (!one.artifactType?.startsWith('application/vnd.dev.sigstore.bundle')) continue;
    const manifest = JSON.parse(String((await store.getManifest(one.digest))?.bytes));
    assert.ok(manifest.layers[0].size <= 10_000_000);
    const chunks = await Array.fromAsync(store.openBlob(manifest.layers[0]).open({ start: 0 }));
    const { dsseEnvelope } = JSON.parse(String(Buffer.concat(chunks)));
    assert.equal(dsseEnvelope.payloadType, 'application/vnd.in-toto+json');
    const statement = JSON.parse(String(Buffer.from(dsseEnvelope.payload, 'base64')));
    if (statement.predicateType === type) found += 1;
  }
  return found;
}
