import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeError } from '../../src/core/errors.ts';
import { isFailure } from '../../src/publish/finish/image-outcomes.ts';
import { BASE_REPOSITORY, MODEL_FILES, putBase, type SeenImage, World } from '../support/world.ts';

const CHANGED = '    serve_args: ["--max-model-len", "512"]\n';

/** `models.yaml` with the base as it is now, by digest. */
function pinned(world: World, more = ''): string {
  const digest = world.registry(0).manifest(BASE_REPOSITORY, 'v0.6.0')?.digest;
  return world.config('acme/x', more).replace(':v0.6.0\n', `:v0.6.0@${digest}\n`);
}

async function begin(): Promise<{ world: World; movable: string; byCommit: string; immutable: string }> {
  const world = await World.start({}, {});
  const sha = await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  return {
    ...{ world, movable: 'v0.6.0-fat', byCommit: `r${sha}-fat` },
    immutable: `v0.6.0-r${sha.slice(0, 8)}-fat`,
  };
}

const digestAt = (world: World, registry: number, tag: string) =>
  world.registry(registry).manifest('acme/hf-x', tag)?.digest;
const of = (images: readonly SeenImage[], registry: string): SeenImage =>
  images.find(image => image.registry === registry && image.variant === 'fat') as SeenImage;

test('an immutable tag stays with its image, and all else of the new one is published', async () => {
  const { world, movable, byCommit, immutable } = await begin();
  await using _ = world;
  // The second registry has never seen the first image: nothing is refused there.
  const [, other] = world.registries;
  const first = await world.publish(pinned(world).replace(`  r1: ${other?.host}/acme\n`, ''));
  const before = of(first, 'r0').digest;
  assert.equal(digestAt(world, 0, immutable), before);

  const dry = of(await world.publish(pinned(world, CHANGED), { isDryRun: true }), 'r0');
  assert.deepEqual(
    dry.refusedTags?.map(one => one.tag),
    [immutable],
  );

  const images = await world.publish(pinned(world, CHANGED));
  const [here, there] = [of(images, 'r0'), of(images, 'r1')];
  assert.equal(here.status, 'published');
  assert.notEqual(here.digest, before);
  assert.deepEqual([digestAt(world, 0, movable), digestAt(world, 0, byCommit)], [here.digest, here.digest]);
  assert.equal(digestAt(world, 0, immutable), before);
  assert.deepEqual(
    here.tags.map(tag => tag.split(':').at(-1)),
    [movable, byCommit],
  );
  assert.ok(isFailure(here));
  const [refused] = here.refusedTags ?? [];
  assert.equal(refused?.digest, before);
  assert.equal(refused?.error.code, 'TAG_IMMUTABLE');
  assert.match(
    describeError(refused?.error),
    /names another image, sha256:.*newer Weighbridge.*--move-tags/s,
  );
  assert.deepEqual([there.status, there.refusedTags, isFailure(there)], ['published', undefined, false]);
  assert.equal(digestAt(world, 1, immutable), there.digest);

  // Again: nothing is left to do, and the tag is reported until somebody decides.
  const again = of(await world.publish(pinned(world, CHANGED)), 'r0');
  assert.deepEqual([again.status, again.refusedTags?.length, again.bytes.uploaded], ['unchanged', 1, 0]);

  const moved = of(await world.publish(pinned(world, CHANGED), { movesTags: true }), 'r0');
  assert.deepEqual([moved.status, moved.refusedTags, moved.tags.length], ['published', undefined, 3]);
  assert.equal(digestAt(world, 0, immutable), here.digest);
});

test('--force moves an immutable tag, and a base that no digest pins has none', async () => {
  const { world, immutable } = await begin();
  await using _ = world;
  await world.publish(pinned(world));
  const forced = of(await world.publish(pinned(world, CHANGED), { isForced: true }), 'r0');
  assert.equal(digestAt(world, 0, immutable), forced.digest);
  putBase(world.registry(0), 'v0.6.0', 'another base');
  const unpinned = of(await world.publish(world.config('acme/x')), 'r0');
  assert.deepEqual([unpinned.status, unpinned.refusedTags], ['published', undefined]);
  assert.equal(digestAt(world, 0, immutable), unpinned.digest);
});

test('an image that has immutable tags alone is refused before a byte of it moves', async () => {
  const { world, immutable } = await begin();
  await using _ = world;
  const tags = '    tags: ["{version}-r{revision8}-{variant}"]\n';
  const before = of(await world.publish(pinned(world, tags)), 'r0').digest;
  const uploaded = world.registry(0).counters.uploadedBytes;
  const image = of(await world.publish(pinned(world, tags + CHANGED)), 'r0');
  assert.deepEqual([image.status, image.tags], ['failed', []]);
  assert.match(describeError(image.error), /is immutable/);
  assert.equal(world.registry(0).counters.uploadedBytes, uploaded);
  assert.equal(digestAt(world, 0, immutable), before);
});

test('a tag that another run has set meanwhile is not moved either', async () => {
  const { world, movable, immutable } = await begin();
  await using _ = world;
  await world.publish(pinned(world));
  const planned = await world.plan(pinned(world, CHANGED));
  const { tags } = world.registry(0).repository('acme/hf-x');
  const digest = tags.get(immutable);
  assert.ok(digest !== undefined);
  tags.delete(immutable);
  // It comes back while blobs are placed: the look at the target has not seen it.
  world.hear = event => {
    if (event.type === 'blob-end') tags.set(immutable, digest);
  };
  const image = of(await world.publishPlanned(planned), 'r0');
  assert.deepEqual(
    image.refusedTags?.map(one => one.digest),
    [digest],
  );
  assert.equal(digestAt(world, 0, movable), image.digest);
});
