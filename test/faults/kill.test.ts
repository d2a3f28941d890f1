import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mapPool } from '../../src/core/pool.ts';
import { type EmbeddedHub, startHub } from '../../src/testkit/hub.ts';
import { type EmbeddedRegistry, startRegistry } from '../../src/testkit/registry.ts';
import { IS_LONG } from '../support/long.ts';
import { pull, tagsOf } from '../support/pull.ts';
import { temporaryFolder } from '../support/tools.ts';
import { addModel, assertPublished, REPOSITORY, startPublish, writeModels } from '../support/two-targets.ts';
import { BASE_REPOSITORY, putBase } from '../support/world.ts';

const MIB = 1024 * 1024;
/** The large ones go through worker threads, the others do not. */
const SIZES = [9, 9, 3, 3, 3, 3, 3].map(size => size * MIB);
const BLOBS_AT_ONCE = 4;
const KILLS = IS_LONG ? 50 : 2;
const KILLS_AT_ONCE = 2;

/** A Hub that takes its time, two registries that are new, and someone who pulls from them all the while. */
class Scene {
  readonly hub: EmbeddedHub;
  readonly registries: readonly EmbeddedRegistry[];
  readonly file: string;
  readonly index: string;
  readonly revision: string;
  /** Whole images that the poller has pulled. */
  pulls = 0;
  #isOver = false;
  readonly #polling: Promise<void>;

  private constructor(
    hub: EmbeddedHub,
    registries: readonly EmbeddedRegistry[],
    file: string,
    revision: string,
  ) {
    this.hub = hub;
    this.registries = registries;
    this.file = file;
    this.index = `${file}.index`;
    this.revision = revision;
    this.#polling = this.#poll();
    // A failure is thrown when the scene ends, which may be later.
    this.#polling.catch(() => undefined);
  }

  static async start(t: TestContext): Promise<Scene> {
    const hub = await startHub();
    const registries = [await startRegistry(), await startRegistry()];
    putBase(registries[0] as EmbeddedRegistry, 'v0.6.0');
    const revision = await addModel(hub, SIZES);
    hub.faults.add({ match: /^GET cdn /, kind: 'slow', bytesPerSecond: 12 * MIB, times: 1_000_000 });
    const hosts = registries.map(registry => registry.host);
    const file = await writeModels(await temporaryFolder(t), `${hosts[0]}/${BASE_REPOSITORY}:v0.6.0`, hosts);
    const scene = new Scene(hub, registries, file, revision);
    // Also where the test fails before it comes to that.
    t.after(() => scene.end());
    return scene;
  }

  get hosts(): string[] {
    return this.registries.map(registry => registry.host);
  }

  get uploadedBytes(): number {
    return this.registries.reduce((sum, registry) => sum + registry.counters.uploadedBytes, 0);
  }

  publish() {
    return startPublish(this.file, this.hub, { WEIGHBRIDGE_LAYER_INDEX: this.index });
  }

  /** Throws what the poller has seen that must not be. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#polling;
    await Promise.all([this.hub.close(), ...this.registries.map(registry => registry.close())]);
  }

  async #poll(): Promise<void> {
    while (!this.#isOver) {
      for (const host of this.hosts) {
        for (const tag of await tagsOf(host, REPOSITORY)) {
          await pull(host, REPOSITORY, tag);
          this.pulls += 1;
        }
      }
      await sleep(20);
    }
  }
}

test(`killed at ${KILLS} random moments and run again: always right, never a tag that is not whole`, async t => {
  const clean = await Scene.start(t);
  const startMs = performance.now();
  assert.equal((await clean.publish().ended).status, 0);
  const durationMs = performance.now() - startMs;
  const neededBytes = clean.uploadedBytes;
  await clean.end();

  const seen = { killed: 0, pulls: 0, worstTwiceBytes: 0, finishedBefore: 0 };
  await mapPool(Array.from({ length: KILLS }), KILLS_AT_ONCE, async () => {
    const scene = await Scene.start(t);
    const atMs = Math.random() * durationMs;
    const { child, ended } = scene.publish();
    await Promise.race([sleep(atMs), ended]);
    if (child.kill('SIGKILL')) seen.killed += 1;
    else seen.finishedBefore += 1;
    await ended;
    const { status, stderr } = await scene.publish().ended;
    assert.equal(status, 0, `killed after ${atMs} ms: ${stderr}`);
    await assertPublished(scene.hosts, scene.revision);
    const twiceBytes = scene.uploadedBytes - neededBytes;
    const inFlight = SIZES.slice(0, BLOBS_AT_ONCE).reduce((sum, size) => sum + size + 64 * 1024, 0);
    const boundBytes = inFlight * scene.hosts.length;
    assert.ok(twiceBytes <= boundBytes, `killed after ${atMs} ms: ${twiceBytes} bytes went twice`);
    seen.worstTwiceBytes = Math.max(seen.worstTwiceBytes, twiceBytes);
    await scene.end();
    seen.pulls += scene.pulls;
  });
  t.diagnostic(`${JSON.stringify(seen)} of ${neededBytes} bytes in ${Math.round(durationMs)} ms`);
});

test('two publishers of one model at once: both end well, with the same result', async t => {
  const scene = await Scene.start(t);
  const runs = await Promise.all([scene.publish().ended, scene.publish().ended]);
  assert.deepEqual(
    runs.map(run => run.status),
    [0, 0],
    runs.map(run => run.stderr).join('\n'),
  );
  await assertPublished(scene.hosts, scene.revision);
  const digests = runs.map(run => new Set(run.images.map(image => `${image.variant} ${image.digest}`)));
  assert.deepEqual(digests[0], digests[1]);
  await scene.end();
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal}: ends within three seconds, says what is done and what is not, exit status 130`, async t => {
    const scene = await Scene.start(t);
    // The second registry takes for ever.
    scene.registries[1]?.faults.add({ match: /^PATCH/, kind: 'slow', bytesPerSecond: 100_000, times: 100 });
    const { child, ended } = scene.publish();
    while (scene.uploadedBytes < 4 * MIB) {
      assert.equal(child.exitCode, null, 'it ended before there was anything to interrupt');
      await sleep(10);
    }
    const startMs = performance.now();
    child.kill(signal);
    const { status, stderr } = await ended;
    const tookMs = performance.now() - startMs;
    assert.equal(status, 130, stderr);
    assert.ok(tookMs < 3000, `it took ${tookMs} ms`);
    assert.match(stderr, /interrupted/);
    assert.match(stderr, new RegExp(`not done:(\\n .*)*${scene.hosts[0]}/acme/hf-x:v0.6.0-fat`));
    assert.match(stderr, /run it again/);
    for (const host of scene.hosts) {
      assert.deepEqual(
        (await tagsOf(host, REPOSITORY)).filter(tag => tag.endsWith('-fat')),
        [],
      );
    }
    await scene.end();
  });
}
