import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Digest } from '../../src/core/digest.ts';
import { WeighbridgeError } from '../../src/core/errors.ts';
import { HttpClient } from '../../src/http/client.ts';
import { GithubPackages } from '../../src/retention/github-packages.ts';
import {
  type PrunedRepository,
  type PruneOptions,
  pruneRepository,
} from '../../src/retention/prune-repository.ts';
import { type GithubPackagesOptions, startGithubPackages } from '../../src/testkit/github-packages.ts';
import { IS_LONG } from '../support/long.ts';
import { assertWhole, PRUNED, publishVersions, snapshotOf, VERSIONS } from '../support/many-versions.ts';
import { REGISTRIES, World } from '../support/world.ts';

/** So many moments of a prune are cut: spread over all of its requests. */
const CUTS = IS_LONG ? 40 : 5;
const KEEP_TWO = { tags: new Set<string>(), keep: 2, youngerThanMs: undefined, nowMs: 0 };
const confirmed: PruneOptions = { rules: KEEP_TWO, isConfirmed: true };
const LEFT = VERSIONS.slice(-2).map(version => `${version}-slim`);

function overOci(world: World): PrunedRepository {
  const store = world.open(`${world.registry(0).host}/${PRUNED}`);
  const deleteManifest = async (digest: Digest, signal?: AbortSignal) =>
    (await store.deleteManifest?.(digest, signal)) ?? assert.fail();
  return { store, tellsAges: false, openDeleter: async () => ({ deleteManifest }) };
}

const versionTags = (world: World): string[] =>
  [...world.registry(0).repository(PRUNED).tags.keys()].filter(tag => /^v[\d.]+-slim$/.test(tag)).sort();

for (const [title, referrers] of REGISTRIES) {
  test(`${title}: a prune that dies at any moment leaves every image whole, and the next one ends it`, async () => {
    await using world = await World.start({ quirks: { referrers } });
    await publishVersions(world);
    const registry = world.registry(0);
    const restore = snapshotOf(registry.repository(PRUNED));
    const start = registry.log.length;
    await pruneRepository(overOci(world), confirmed);
    const requests = registry.log.length - start;
    assert.deepEqual(versionTags(world), LEFT);
    // Nothing of the images that went is left, and nothing of those that stay is missing.
    const stays = assertWhole(registry, PRUNED);
    assert.deepEqual([...registry.repository(PRUNED).manifests.keys()].sort(), [...stays].sort());

    for (let cut = 0; cut < CUTS; cut++) {
      restore();
      // From here on the program is gone: no request of it arrives any more.
      const skip = Math.floor(((cut + 0.5) * requests) / CUTS);
      const fault = registry.faults.add({
        match: /./,
        kind: cut % 2 === 0 ? 'reset' : 'status',
        ...{ status: 503, skip, times: Number.POSITIVE_INFINITY },
      });
      const outcome = await pruneRepository(overOci(world), confirmed).catch((error: unknown) => error);
      if (outcome instanceof Error) assert.ok(outcome instanceof WeighbridgeError, String(outcome));
      fault.remove();
      const whole = assertWhole(registry, PRUNED);
      for (const digest of stays) assert.ok(whole.has(digest), `cut at ${skip}: ${digest} is lost`);
      await pruneRepository(overOci(world), confirmed);
      assert.deepEqual(versionTags(world), LEFT, `cut at ${skip}`);
      assertWhole(registry, PRUNED);
    }
  });
}

for (const [what, match, content] of [
  ['tags', /GET registry .*tags\/list/, { tags: VERSIONS.slice(0, 4).map(version => `${version}-slim`) }],
  ['what refers to an image', /GET registry .*\/referrers\//, {}],
] as const) {
  test(`nothing is deleted by a list of ${what} that does not come to its end`, async () => {
    await using world = await World.start({ quirks: { referrers: true } });
    await publishVersions(world);
    const registry = world.registry(0);
    const before = [...registry.repository(PRUNED).manifests.keys()];
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const one = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: before[0], size: 1 };
    registry.faults.add({
      ...{ match, kind: 'status', status: 200, times: Number.POSITIVE_INFINITY },
      headers: { 'content-type': mediaType, link: '<?page=2>; rel="next"' },
      body: JSON.stringify({ schemaVersion: 2, mediaType, manifests: [one], ...content }),
    });
    await assert.rejects(pruneRepository(overOci(world), confirmed), {
      code: 'REGISTRY_BAD_ANSWER',
      message: new RegExp(`${PRUNED}.*: its pages lead in a circle$`),
    });
    assert.deepEqual([...registry.repository(PRUNED).manifests.keys()], before);
  });
}

describe("GHCR, by GitHub's packages API", () => {
  const QUIRKS = { referrers: false, deleteManifests: false };

  let world: World;
  let restore: () => void;
  before(async () => {
    world = await World.start({ quirks: QUIRKS });
    await publishVersions(world);
    restore = snapshotOf(world.registry(0).repository(PRUNED));
  });
  after(() => world[Symbol.asyncDispose]());

  async function begin(options: Partial<GithubPackagesOptions> = {}, token?: string) {
    restore();
    const api = await startGithubPackages({ registry: world.registry(0), ...options });
    const http = new HttpClient({ retry: { baseMs: 1, attempts: 3 } });
    const store = world.open(`${world.registry(0).host}/${PRUNED}`, 'pull');
    const openDeleter = () =>
      GithubPackages.open({
        ...{ http, apiUrl: api.url, token: token ?? api.token, repository: `ghcr.io/${PRUNED}` },
      });
    const repository: PrunedRepository = { store, tellsAges: true, openDeleter };
    return {
      ...{ api, repository, openDeleter },
      manifests: world.registry(0).repository(PRUNED).manifests,
      async [Symbol.asyncDispose]() {
        http.close();
        await api[Symbol.asyncDispose]();
      },
    };
  }

  const codeOf = (error: unknown): string | undefined =>
    error instanceof WeighbridgeError ? error.code : undefined;

  test('platforms and signatures, which are versions of their own on several pages, go with their image alone', async () => {
    await using scene = await begin({ pageSize: 7 });
    const { api, repository, manifests } = scene;
    // A version that nothing tags and that no image of ours reaches: whose it is cannot be known.
    const stray = Buffer.from(
      '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}',
    );
    world.registry(0).putImage(PRUNED, 'x', {
      blobs: [],
      manifests: [{ mediaType: 'application/vnd.oci.image.index.v1+json', bytes: stray }],
    });
    const strayDigest = world.registry(0).repository(PRUNED).tags.get('x') ?? assert.fail();
    world.registry(0).repository(PRUNED).tags.delete('x');
    const { result } = await pruneRepository(repository, confirmed);
    assert.equal(result?.error, undefined);
    assert.deepEqual(versionTags(world), LEFT);
    const stays = assertWhole(world.registry(0), PRUNED);
    assert.deepEqual([...manifests.keys()].sort(), [...stays, strayDigest].sort());
    assert.ok(api.log.filter(({ method }) => method === 'GET').length > 5);
    assert.ok(
      !world.registry(0).log.some(({ method, path }) => method === 'DELETE' && path.includes('/manifests/')),
    );
  });

  test('ages are those of GitHub', async () => {
    const createdAt = new Map<Digest, Date>();
    await using scene = await begin({ createdAt, ownerKind: 'users' });
    const { repository } = scene;
    const young = world.registry(0).repository(PRUNED).tags.get('v0.6.0-slim') ?? assert.fail();
    createdAt.set(young, new Date());
    const rules = { ...KEEP_TWO, youngerThanMs: 86_400_000, nowMs: Date.now() };
    await pruneRepository(repository, { rules, isConfirmed: true });
    assert.deepEqual(versionTags(world), ['v0.6.0-slim', ...LEFT]);
    assertWhole(world.registry(0), PRUNED);
  });

  test('an image that GitHub keeps, since it was downloaded often, stays whole, and the others go', async () => {
    const popular = new Set<Digest>();
    await using scene = await begin({ popular });
    const { repository } = scene;
    popular.add(world.registry(0).repository(PRUNED).tags.get('v0.7.0-slim') ?? assert.fail());
    const before = assertWhole(world.registry(0), PRUNED);
    const { result, plan } = await pruneRepository(repository, confirmed);
    assert.equal(result?.error?.code, 'IMAGE_UNDELETABLE');
    assert.match(String(result.error.message), /more than 5000 downloads/);
    assert.match(String(result.error.remedy), /support/);
    assert.deepEqual(result.refused, [...popular]);
    assert.deepEqual(versionTags(world), ['v0.7.0-slim', ...LEFT]);
    const [gone] = plan.removed.filter(({ tags }) => tags.includes('v0.6.0-slim'));
    assert.ok(gone !== undefined && !world.registry(0).manifest(PRUNED, gone.digest));
    const whole = assertWhole(world.registry(0), PRUNED);
    assert.equal(whole.size, (before.size / VERSIONS.length) * 3);
  });

  test('the last version of a package stays, whole, and what to do is said', async () => {
    await using scene = await begin();
    const { repository } = scene;
    // Lists of referrers are tagged versions too: without them the last image is the last version.
    const { tags } = world.registry(0).repository(PRUNED);
    for (const tag of tags.keys()) if (tag.startsWith('sha256-')) tags.delete(tag);
    const { result } = await pruneRepository(repository, { rules: 'removed', isConfirmed: true });
    assert.equal(result?.error?.code, 'IMAGE_UNDELETABLE');
    assert.match(String(result.error.remedy), /delete the package itself/);
    assert.equal(versionTags(world).length, 1);
    assertWhole(world.registry(0), PRUNED);
  });

  test('a token that may not is said, and nothing is deleted', async () => {
    await using scene = await begin();
    const { api, repository, openDeleter, manifests } = scene;
    const count = manifests.size;
    // What it may not delete, GitHub answers with 404: as if it were gone already.
    api.scopes = ['read:packages'];
    const { result } = await pruneRepository(repository, confirmed);
    assert.equal(result?.error?.code, 'REGISTRY_UNAUTHORIZED');
    assert.match(String(result.error.remedy), /delete:packages/);
    assert.equal(manifests.size, count);
    api.scopes = [];
    const forbidden = await openDeleter().catch((error: unknown) => error);
    assert.equal(codeOf(forbidden), 'REGISTRY_UNAUTHORIZED');
    assert.match(String(forbidden), /at least read:packages scope/);
    await using stranger = await begin({}, 'ghp_another');
    assert.equal(
      codeOf(await stranger.openDeleter().catch((error: unknown) => error)),
      'REGISTRY_UNAUTHORIZED',
    );
    const none = {
      http: new HttpClient(),
      apiUrl: api.url,
      token: api.token,
      repository: 'ghcr.io/acme/none',
    };
    const unknown = await GithubPackages.open(none).catch((error: unknown) => error);
    none.http.close();
    assert.equal(codeOf(unknown), 'REGISTRY_NOT_FOUND');
    assert.equal(world.registry(0).repository(PRUNED).manifests.size, count);
  });

  test("GitHub's rate limit is waited for, or told with the time; the next prune ends what is left", async () => {
    await using patient = await begin({ rateLimit: { requests: 4, resetAfterMs: 0 } });
    const { result } = await pruneRepository(patient.repository, confirmed);
    assert.equal(result?.error, undefined);
    assert.deepEqual(versionTags(world), LEFT);

    await using scene = await begin({ rateLimit: { requests: 4, resetAfterMs: 3_000_000 } });
    const stopped = await pruneRepository(scene.repository, confirmed);
    assert.equal(stopped.result?.error?.code, 'REGISTRY_RATE_LIMITED');
    assert.match(String(stopped.result.error.remedy), /in (49|50) minutes/);
    assert.ok(stopped.result.deleted.length > 0);
    assertWhole(world.registry(0), PRUNED);
    scene.api.rateLimit = undefined;
    await pruneRepository(scene.repository, confirmed);
    assert.deepEqual(versionTags(world), LEFT);
    assertWhole(world.registry(0), PRUNED);
  });
});
