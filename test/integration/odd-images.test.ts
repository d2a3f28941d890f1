import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../src/core/digest.ts';
import { readPublished } from '../../src/inspect/read-published.ts';
import { BOOTSTRAP, MODEL_FILES, World } from '../support/world.ts';

const REPOSITORY = 'acme/hf-x';

test('odd images among those of a model are problems, a sentence each, and cost the catalog none of the others', async () => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  await world.publish(world.config('acme/x'), { bootstrap: BOOTSTRAP });
  const registry = world.registry(0);
  const manifest = world.manifest(0, 'v0.6.0-slim');
  const config = await world.imageConfig(0, 'v0.6.0-slim');
  const put = (tag: string, configText: unknown, manifestText: object = manifest): void => {
    const bytes = Buffer.from(JSON.stringify(configText));
    const named = { ...manifest.config, digest: digestOf(bytes), size: bytes.length };
    const text = Buffer.from(JSON.stringify({ ...manifestText, config: named }));
    registry.putImage(REPOSITORY, tag, {
      blobs: [bytes],
      manifests: [{ mediaType: manifest.mediaType, bytes: text }],
    });
  };
  put('odd-null', null);
  put('odd-env', { ...config, config: { ...config.config, Env: [5] } });
  put('odd-container', { ...config, config: 'x' });
  put('odd-labels', { ...config, config: { ...config.config, Labels: { a: {} } } });
  put('odd-layers', config, { ...manifest, layers: null });
  put('odd-size', config, { ...manifest, layers: manifest.layers.map(layer => ({ ...layer, size: '1' })) });
  const repository = `${registry.host}/${REPOSITORY}`;
  const places = [
    { id: 'acme/x', short: 'x', targets: [{ registry: 'r0', repository, tags: [] }] },
    {
      id: 'acme/none',
      short: 'none',
      targets: [{ registry: 'r0', repository: `${repository}-none`, tags: [] }],
    },
  ];
  const found = await readPublished(places as never, { open: name => world.open(name, 'pull') });
  const [model = assert.fail()] = found;
  const tags = model.images.flatMap(image => image.places.flatMap(place => place.tags));
  assert.ok(tags.includes('v0.6.0-slim') && tags.includes('v0.6.0-fat'));
  assert.equal(model.problems.length, 6, model.problems.map(String).join('\n'));
});
