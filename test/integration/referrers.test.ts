import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import { MediaType } from '../../src/oci/types.ts';
import { attachArtifact } from '../../src/store/attach-artifact.ts';
import type { ImageStore } from '../../src/store/image-store.ts';
import { listReferrers } from '../../src/store/referrers.ts';
import { MODEL_FILES, REGISTRIES, World } from '../support/world.ts';

const TYPE = 'application/vnd.example.note.v1+json';

for (const [title, referrers] of REGISTRIES) {
  describe(title, () => {
    test('artifacts attached at the same time are all found, and tags of images stay as they were', async () => {
      await using world = await World.start({ quirks: { referrers } });
      const { store, image } = await publishOne(world);
      const tags = await imageTags(store);
      await Promise.all([1, 2, 3, 4, 5].map(note => attachNote(store, image, String(note))));
      const found = await listReferrers(store, image.digest, { artifactType: TYPE });
      assert.deepEqual(found.map(one => one.annotations?.note).sort(), ['1', '2', '3', '4', '5']);
      assert.deepEqual(await imageTags(store), tags);
      assert.equal((await store.listTags(100)).length, tags.length + (referrers ? 0 : 1));
    });

    test('its bytes can be fetched by the descriptor', async () => {
      await using world = await World.start({ quirks: { referrers } });
      const { store, image } = await publishOne(world);
      const { digest } = await attachNote(store, image, 'hello');
      const manifest = JSON.parse(String((await store.getManifest(digest))?.bytes));
      assert.equal(manifest.subject.digest, image.digest);
      assert.equal(manifest.layers[0].annotations['org.opencontainers.image.title'], 'note.json');
      assert.equal(String(await world.registry(0).readBlob(manifest.layers[0].digest)), '"hello"');
    });
  });
}

test('a list that another machine overwrote in the same moment is written again', async () => {
  await using world = await World.start({ quirks: { referrers: false } });
  const { store, image } = await publishOne(world);
  await attachNote(store, image, 'first');
  const tag = `sha256-${image.digest.slice(7)}`;
  const theirs = await store.getManifest(tag);
  let isOverwritten = false;
  const contested: ImageStore = Object.create(store, {
    name: { value: store.name },
    putManifest: {
      value: async (...args: Parameters<ImageStore['putManifest']>) => {
        await store.putManifest(...args);
        if (args[0] !== tag || isOverwritten || theirs === undefined) return;
        isOverwritten = true;
        await store.putManifest(tag, theirs);
      },
    },
  });
  for (const name of ['getManifest', 'fetchReferrers', 'startUpload', 'statBlob'] as const) {
    Object.defineProperty(contested, name, { value: store[name].bind(store) });
  }
  await attachNote(contested, image, 'second');
  assert.ok(isOverwritten);
  const notes = (await listReferrers(store, image.digest)).map(one => one.annotations?.note);
  assert.deepEqual(notes.sort(), ['first', 'second']);
});

test('an index over platforms under the tag is no list, as at GitLab, and is replaced by one', async () => {
  await using world = await World.start({ quirks: { referrers: false } });
  const { store, image } = await publishOne(world);
  const platform = { os: 'linux', architecture: 'amd64' };
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaType.ociIndex,
      manifests: [{ ...image, platform }],
    }),
  );
  const index = { mediaType: MediaType.ociIndex, digest: digestOf(bytes), bytes };
  await store.putManifest(index.digest, index);
  const subject = { mediaType: MediaType.ociIndex, digest: index.digest, size: bytes.length };
  await store.putManifest(`sha256-${index.digest.slice(7)}`, index);
  assert.deepEqual(await listReferrers(store, index.digest), []);
  await attachNote(store, subject, 'x');
  const found = await listReferrers(store, index.digest);
  assert.deepEqual(
    found.map(({ artifactType }) => artifactType),
    [TYPE],
  );
});

test('a later publish does not take the list for an image of the repository', async () => {
  await using world = await World.start({ quirks: { referrers: false } });
  const { store, image } = await publishOne(world);
  await attachNote(store, image, 'x');
  const before = world.registry(0).log.length;
  await world.hub.updateFile('acme/x', 'config.json', '{"model_type":"qwen2"}');
  const again = await world.publish(world.config('acme/x'));
  assert.ok(again.every(one => one.status === 'published'));
  assert.ok(
    !world
      .registry(0)
      .log.slice(before)
      .some(entry => entry.path.includes('/manifests/sha256-')),
  );
});

async function publishOne(world: World) {
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  await world.publish(world.config('acme/x'));
  const store = world.open(`${world.registry(0).host}/acme/hf-x`);
  const stored = await store.getManifest('v0.6.0-fat');
  assert.ok(stored !== undefined);
  return {
    store,
    image: { mediaType: MediaType.ociManifest, digest: stored.digest, size: stored.bytes.length },
  };
}

async function attachNote(
  store: ImageStore,
  image: { mediaType: string; digest: Digest; size: number },
  note: string,
) {
  const bytes = Buffer.from(JSON.stringify(note));
  const attached = await attachArtifact(store, image, {
    artifactType: TYPE,
    annotations: { note },
    files: [{ mediaType: 'application/json', title: 'note.json', bytes }],
  });
  assert.notEqual(attached.digest, digestOf(bytes));
  return attached;
}

async function imageTags(store: ImageStore): Promise<string[]> {
  return (await store.listTags(100)).filter(tag => !tag.startsWith('sha256-')).sort();
}
