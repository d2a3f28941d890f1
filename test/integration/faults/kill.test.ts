import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mapPool } from '../../../src/core/pool.ts';
import { MIB } from '../../../src/core/units.ts';
import { type EmbeddedHub, startHub } from '../../../src/testkit/hub.ts';
import { type EmbeddedRegistry, startRegistry } from '../../../src/testkit/registry.ts';
import { IS_LONG, onlyLong } from '../../support/long.ts';
import { pull, tagsOf } from '../../support/pull.ts';
import { temporaryFolder } from '../../support/tools.ts';
import {
  addModel,
  assertPublished,
  fatTags,
  REPOSITORY,
  startPublish,
  writeModels,
} from '../../support/two-targets.ts';
import { until } from '../../support/until.ts';
import { BASE_REPOSITORY, putBase } from '../../support/world.ts';

/** The large ones go through worker threads, the others do not. The first is above what a registry takes, and is divided. */
const SIZES = [18, 9, 3, 3, 3, 3, 3].map(size => size * MIB);
const TENSORS = 6;
const LIMIT = 10_000_000;
const BLOBS_AT_ONCE = 4;
const KILLS = IS_LONG ? 50 : 1;
/** Of one test, so that each stays far from the limit of its time on a busy machine. */
const KILLS_A_TEST = 5;
const KILLS_AT_ONCE = 2;
/** So often a moment is drawn at most for one kill: a publish may end between its last write and the signal. */
const MAX_DRAWS = 5;

/** What a publish has brought to the registries, all together. */
interface Work {
  readonly writes: number;
  readonly bytes: number;
}

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
    const quirks = { maxBlobBytes: LIMIT };
    const registries = [await startRegistry({ quirks }), await startRegistry({ quirks })];
    putBase(registries[0] as EmbeddedRegistry, 'v0.6.0');
    const revision = await addModel(hub, SIZES, { tensors: TENSORS });
    hub.faults.add({ match: /^GET cdn /, kind: 'slow', bytesPerSecond: 12 * MIB, times: 1_000_000 });
    const hosts = registries.map(registry => registry.host);
    const base = `${hosts[0]}/${BASE_REPOSITORY}:v0.6.0`;
    const limits = `layer_limits: { r0: ${LIMIT} }\n`;
    const file = await writeModels(await temporaryFolder(t), base, hosts, limits);
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

  /** As it is at this moment, with what is on its way. The poller does not count: it writes nothing. */
  get work(): Work {
    const writes = this.registries
      .flatMap(registry => registry.log)
      .filter(({ method }) => ['POST', 'PATCH', 'PUT'].includes(method));
    return {
      writes: writes.length,
      bytes: writes.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0),
    };
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
      await sleep(IS_LONG ? 20 : 200);
    }
  }
}

/** What a publish that nobody disturbs brings. */
const cleanRun = lazy(async (t: TestContext) => {
  const scene = await Scene.start(t);
  assert.equal((await scene.publish().ended).status, 0);
  const clean = { whole: scene.work, neededBytes: scene.uploadedBytes };
  await scene.end();
  return clean;
});

for (let first = 0; first < KILLS; first += KILLS_A_TEST) {
  const count = Math.min(KILLS_A_TEST, KILLS - first);
  const name = `killed at ${count} random moments (${first + 1} to ${first + count} of ${KILLS})`;
  test(`${name} and run again: always right, never a tag that is not whole`, async t => {
    const { whole, neededBytes } = await cleanRun(t);
    const seen = {
      killed: 0,
      pulls: 0,
      worstTwiceBytes: 0,
      endedBefore: 0,
      whileBlobs: 0,
      whileManifests: 0,
    };
    await mapPool(Array.from({ length: count }), KILLS_AT_ONCE, async () => {
      const { scene, share, draws } = await killedScene(t, whole);
      seen.killed += 1;
      seen.endedBefore += draws - 1;
      if (scene.uploadedBytes < neededBytes) seen.whileBlobs += 1;
      else seen.whileManifests += 1;
      const { status, stderr } = await scene.publish().ended;
      const when = `killed at ${(share * 100).toFixed(1)} % of the work`;
      assert.equal(status, 0, `${when}: ${stderr}`);
      await assertPublished(scene.hosts, scene.revision);
      const twiceBytes = scene.uploadedBytes - neededBytes;
      const inFlight = SIZES.slice(0, BLOBS_AT_ONCE).reduce((sum, size) => sum + size + 64 * 1024, 0);
      const boundBytes = inFlight * scene.hosts.length;
      assert.ok(twiceBytes <= boundBytes, `${when}: ${twiceBytes} bytes went twice`);
      seen.worstTwiceBytes = Math.max(seen.worstTwiceBytes, twiceBytes);
      await scene.end();
      seen.pulls += scene.pulls;
    });
    assert.equal(seen.killed, count);
    t.diagnostic(`${JSON.stringify(seen)} of ${neededBytes} bytes`);
  });
}

/** A scene whose publish was killed while it ran, at a random share of its work; one that ended first does not count. */
async function killedScene(t: TestContext, whole: Work) {
  for (let draws = 1; draws <= MAX_DRAWS; draws++) {
    const scene = await Scene.start(t);
    const share = Math.random();
    const { child, ended } = scene.publish();
    while (child.exitCode === null && shareOf(scene.work, whole) < share) await sleep(2);
    child.kill('SIGKILL');
    const { status, stderr } = await ended;
    if (child.signalCode === 'SIGKILL') return { scene, share, draws };
    assert.equal(status, 0, stderr);
    await scene.end();
  }
  return assert.fail(`${MAX_DRAWS} publishes in a row ended before they could be killed`);
}

/** Bytes and requests count alike: half of the moments fall on the weights, half on the many small steps around them. */
function shareOf(done: Work, whole: Work): number {
  return (done.bytes / whole.bytes + done.writes / whole.writes) / 2;
}

test('two publishers of one model at once: both end well, with the same result', {
  skip: onlyLong,
}, async t => {
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
  test(`${signal}: ends at once, says what is done and what is not, exit status 130`, async t => {
    const scene = await Scene.start(t);
    // The second registry takes for ever.
    scene.registries[1]?.faults.add({ match: /^PATCH/, kind: 'slow', bytesPerSecond: 100_000, times: 100 });
    const { child, ended } = scene.publish();
    await until(() => scene.uploadedBytes >= 4 * MIB, child);
    child.kill(signal);
    const { status, stderr } = await ended;
    assert.equal(status, 130, stderr);
    // The uploads would have taken minutes; none of them came to its end.
    assert.ok(scene.uploadedBytes < SIZES.reduce((sum, size) => sum + size, 0) * scene.hosts.length);
    assert.match(stderr, /interrupted/);
    assert.match(stderr, new RegExp(`not done:(\\n .*)*${scene.hosts[0]}/acme/hf-x:v0.6.0-fat`));
    assert.match(stderr, /Run the command again to continue/);
    for (const host of scene.hosts) {
      assert.deepEqual(await fatTags(host), []);
    }
    await scene.end();
  });
}

/** Once for all tests of this file. */
function lazy<A, R>(make: (argument: A) => Promise<R>): (argument: A) => Promise<R> {
  let made: Promise<R> | undefined;
  return argument => {
    made ??= make(argument);
    return made;
  };
}
