import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { digestOf } from '../../src/core/digest.ts';
import { IntegrityError, InterruptedError, RegistryError } from '../../src/core/errors.ts';
import { WorkerPool } from '../../src/publish/workers/worker-pool.ts';
import type { FindCredential } from '../../src/store/auth/types.ts';
import type { RegistryOptions } from '../../src/testkit/registry.ts';
import { until } from '../support/until.ts';
import { LOGIN, MODEL_FILES, World } from '../support/world.ts';

/** Large enough that their bytes go through worker threads. */
const FILES = {
  ...MODEL_FILES,
  'model-00001-of-00003.safetensors': randomBytes(9 * 1024 * 1024),
  'model-00002-of-00003.safetensors': randomBytes(10 * 1024 * 1024 + 1),
};

interface WorkerWorld {
  readonly world: World;
  readonly workers: WorkerPool;
  /** Registries that a worker has asked the login of. */
  readonly asked: string[];
}

async function start(t: TestContext, ...registries: RegistryOptions[]): Promise<WorkerWorld> {
  const world = await World.start(...registries);
  await world.hub.addModel({ id: 'acme/x', files: FILES });
  const asked: string[] = [];
  const credentials: FindCredential = async registry => {
    asked.push(registry);
    return { kind: 'basic', username: LOGIN.user, password: LOGIN.password };
  };
  const workers = new WorkerPool({
    entry: new URL('../../src/engine/blob-worker.ts', import.meta.url),
    size: 2,
    env: { HF_ENDPOINT: world.hub.url },
    credentials,
    onEvent: event => world.hear(event),
  });
  t.after(async () => {
    await workers.close();
    await world[Symbol.asyncDispose]();
  });
  return { world, workers, asked };
}

test('large blobs arrive whole through worker threads, also where a login is wanted', async t => {
  const { world, workers, asked } = await start(t, {}, { auth: { kind: 'bearer', ...LOGIN } });
  const images = await world.publish(world.config('acme/x'), { workers });
  assert.deepEqual([...new Set(images.map(image => image.status))], ['published']);
  for (const registry of [0, 1]) {
    for (const layer of world.manifest(registry, 'v0.6.0-fat').layers) {
      const bytes = await world.registry(registry).readBlob(layer.digest);
      assert.equal(digestOf(bytes as Buffer), layer.digest);
    }
  }
  assert.deepEqual([...new Set(asked)], [world.registry(1).host]);
  const progress = world.events.filter(event => event.type === 'blob-end' && event.how === 'uploaded');
  assert.ok(progress.some(event => 'blob' in event && event.blob === 'model-00001-of-00003.safetensors'));
  assert.equal(world.hub.leakedTokens, 0);
});

test('what a worker makes is what the main thread makes', async t => {
  const { world, workers } = await start(t);
  await world.publish(world.config('acme/x'), { workers });
  const before = world.manifest(0, 'v0.6.0-fat');
  await world.publish(world.config('acme/x'), { isForced: true });
  assert.deepEqual(world.manifest(0, 'v0.6.0-fat'), before);
});

test('wrong bytes come back from a worker as the error that they are', async t => {
  const { world, workers } = await start(t);
  world.hub.faults.add({ match: /^GET cdn /, kind: 'corrupt', afterBytes: 1000, times: 100 });
  const images = await world.publish(world.config('acme/x'), { workers });
  const fat = images.find(image => image.variant === 'fat');
  assert.ok(fat?.error instanceof IntegrityError && fat.error.code === 'INTEGRITY_HASH');
  assert.equal(world.registry(0).openUploads, 0);
});

test('a target that fails in a worker does not stop the other', async t => {
  const { world, workers } = await start(t, {}, { quirks: { fullAfterBytes: 4_000_000 } });
  const images = await world.publish(world.config('acme/x'), { workers });
  const statusOf = (registry: string, variant: string) =>
    images.find(image => image.registry === registry && image.variant === variant);
  assert.equal(statusOf('r0', 'fat')?.status, 'published');
  const failed = statusOf('r1', 'fat')?.error;
  assert.ok(failed instanceof RegistryError && failed.code === 'REGISTRY_FULL', String(failed));
});

test('an abort reaches the workers and moves no tag', async t => {
  const { world, workers } = await start(t);
  world.hub.faults.add({ match: /^GET cdn /, kind: 'stall', afterBytes: 1_000_000, times: 100 });
  const controller = new AbortController();
  const published = world.publish(world.config('acme/x'), { workers, signal: controller.signal });
  // What a thread reads has stalled: only the abort can end it before the client loses patience with the Hub.
  void until(() => world.hub.servedBytes >= 2_000_000).then(() => controller.abort());
  await assert.rejects(published, InterruptedError);
  assert.equal(world.registry(0).manifest('acme/hf-x', 'v0.6.0-fat'), undefined);
});

test('a job that was under way in a thread that is gone fails, and the next one gets a new thread', async t => {
  const { world, workers } = await start(t);
  world.hub.faults.add({ match: /^GET cdn /, kind: 'stall', afterBytes: 1_000_000, times: 2 });
  const lost = world.publish(world.config('acme/x'), { workers, variants: ['fat'] });
  void until(() => world.hub.servedBytes >= 2_000_000).then(() => workers.close());
  await assert.rejects(lost, /a worker thread ended/);
  world.hub.faults.clear();
  const images = await world.publish(world.config('acme/x'), { workers });
  assert.deepEqual([...new Set(images.map(image => image.status))], ['published']);
});

test('a 429 that a worker thread waits out has fewer blobs move at once', async t => {
  const { world, workers } = await start(t);
  const lower = t.mock.method(world.blobSlots, 'lower');
  const { log, faults } = world.registry(0);
  // The end of an upload that has taken a large blob, which only a worker thread brings.
  faults.add({
    match: ({ method, path }) =>
      method === 'PUT' &&
      log.some(entry => entry.method === 'PATCH' && entry.path === path && entry.receivedBytes > 8e6),
    kind: 'status',
    status: 429,
    headers: { 'retry-after': '1' },
  });
  const images = await world.publish(world.config('acme/x'), { workers, variants: ['fat'] });
  assert.deepEqual(
    images.map(image => image.status),
    ['published'],
  );
  const waited = world.events.filter(event => event.type === 'retry' && event.status === 429);
  assert.equal(waited.length, 1);
  assert.ok(waited[0]?.type === 'retry' && waited[0].delayMs >= 1000);
  assert.equal(lower.mock.callCount(), 1);
});
