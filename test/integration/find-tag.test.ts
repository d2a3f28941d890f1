import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../src/core/digest.ts';
import { readImages } from '../../src/image/published-image.ts';
import { type FoundTag, findTag } from '../../src/inspect/find-tag.ts';
import { MODEL_FILES, World } from '../support/world.ts';

test('an image is named by the tag of its commit, and by no tag that names another image', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  await world.publish(world.config('acme/x', '    variants: [weights]\n'), { variants: ['weights'] });
  const store = world.open(`${world.registry(0).host}/acme/hf-x`);
  const top = await store.getManifest('weights');
  const [image] = await readImages(store, 'weights');
  assert.ok(top !== undefined && image?.model !== undefined);
  const { digest } = top;
  const { model } = image;
  const usual = `r${model.revision}-weights`;
  const found = async (reference: string): Promise<FoundTag | undefined> =>
    await findTag(store, { reference, digest, model });

  assert.deepEqual(await found('weights'), { tag: usual, isImmutable: true });
  assert.deepEqual(await found(digest), { tag: usual, isImmutable: true });

  // What the user named stays, if it names the commit.
  const short = `v1-r${model.revision.slice(0, 8)}`;
  await store.putManifest(short, top);
  assert.deepEqual(await found(short), { tag: short, isImmutable: true });

  // Moved with --move-tags: it names the commit still, and another image.
  const other = Buffer.concat([top.bytes, Buffer.from('\n')]);
  await store.putManifest(usual, { ...top, bytes: other, digest: digestOf(other) });
  assert.deepEqual(await found('weights'), { tag: short, isImmutable: true });
  assert.deepEqual(await found(digest), { tag: short, isImmutable: true });

  await store.putManifest(short, { ...top, bytes: other, digest: digestOf(other) });
  assert.deepEqual(await found('weights'), { tag: 'weights', isImmutable: false });
  assert.equal(await found(digest), undefined);

  // A label may hold anything.
  const odd = { ...model, revision: '' };
  assert.deepEqual(await findTag(store, { reference: 'weights', digest, model: odd }), {
    tag: 'weights',
    isImmutable: false,
  });
});
