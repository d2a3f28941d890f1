import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MIB } from '../../../src/core/units.ts';
import { startHub } from '../../../src/testkit/hub.ts';
import { startRegistry as startEmbedded } from '../../../src/testkit/registry.ts';
import type { FaultRule } from '../../../src/testkit/server/faults.ts';
import { EDITIONS, type RealRegistry, startRegistry } from '../../real/registry.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { IS_LONG, onlyLong } from '../../support/long.ts';
import { runOk, temporaryFolder } from '../../support/tools.ts';
import { addModel, assertPublished, fatTags, startPublish, writeModels } from '../../support/two-targets.ts';
import { until } from '../../support/until.ts';
import { BASE_REPOSITORY, putBase } from '../../support/world.ts';

type Kinds = Readonly<Record<string, Omit<FaultRule, 'match'>>>;
const ANY: Kinds = {
  'lost answer': { kind: 'lose-answer' },
  'status 500': { kind: 'status', status: 500 },
  'status 503': { kind: 'status', status: 503, headers: { 'retry-after': '1' } },
  'status 429': { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
};
const WITH_BODY: Kinds = {
  ...ANY,
  'reset in mid-body': { kind: 'reset', afterBytes: MIB },
  truncation: { kind: 'truncate', afterBytes: MIB },
  'wrong bytes': { kind: 'corrupt', afterBytes: MIB },
};
const PLACES: readonly (readonly [string, RegExp, Kinds])[] = [
  ['reading a tag', /^GET registry .*\/manifests\//, ANY],
  ['looking for a blob', /^HEAD registry .*\/blobs\//, ANY],
  ['starting an upload', /^POST registry /, ANY],
  ['bringing a blob', /^PATCH registry /, WITH_BODY],
  ['closing an upload', /^PUT registry .*\/blobs\/uploads\//, ANY],
  [
    'putting a manifest',
    /^PUT registry .*\/manifests\/sha256:/,
    { ...ANY, 'wrong bytes': { kind: 'corrupt', afterBytes: 20 } },
  ],
  [
    'setting a tag',
    /^PUT registry .*\/manifests\/v0/,
    { ...ANY, 'wrong bytes': { kind: 'corrupt', afterBytes: 20 } },
  ],
];

for (const { edition, skip } of EDITIONS)
  describe(`with ${edition}`, { skip: onlyLong || skip() }, () => {
    test('a registry that is restarted in mid-upload: it goes on, and both targets are whole', async () => {
      await using stack = new AsyncDisposableStack();
      const folder = await temporaryFolder(afterOf(stack));
      const first = await startRegistry({ edition, rootFolder: `${folder}/blobs` });
      const world = await startWorld(stack, first);
      const revision = await addModel(world.hub, [24 * MIB, 12 * MIB]);
      world.hub.faults.add({ match: /^GET cdn /, kind: 'slow', bytesPerSecond: 12 * MIB, times: 2 });
      const { child, ended } = startPublish(await world.models(folder), world.hub);
      await until(() => world.hub.servedBytes > 12 * MIB, child);
      await first.stop();
      await sleep(1500);
      const second = await startRegistry({ edition, rootFolder: `${folder}/blobs`, port: imagePort(first) });
      stack.defer(() => second.stop());
      const { status, stderr, images } = await ended;
      assert.equal(status, 0, `${stderr}${JSON.stringify(images)}`);
      await assertPublished(world.hosts, revision);
    });

    test('a registry whose disk is full: it says so and has no tag, the other is whole; with space, it is made good', async () => {
      await using stack = new AsyncDisposableStack();
      const folder = await temporaryFolder(afterOf(stack));
      await smallDisk(stack, folder, '20m');
      const full = await startRegistry({ edition, rootFolder: `${folder}/disk` });
      stack.defer(() => full.stop());
      const world = await startWorld(stack, full);
      const revision = await addModel(world.hub, [9 * MIB, 9 * MIB, 9 * MIB]);
      const file = await world.models(folder);
      const { status, images } = await startPublish(file, world.hub).ended;
      assert.equal(status, 1);
      for (const image of images) {
        if (image.registry === 'r1') assert.equal(image.status, 'published');
        else if (image.variant === 'fat')
          assert.equal(image.error?.code, 'REGISTRY_FULL', image.error?.message);
      }
      const [fullHost, otherHost] = world.hosts as [string, string];
      assert.deepEqual(await fatTags(fullHost), []);
      await assertPublished([otherHost], revision);

      await runOk('mount', ['-o', 'remount,size=120m', `${folder}/disk`]);
      const again = await startPublish(file, world.hub).ended;
      assert.equal(again.status, 0, `${again.stderr}${JSON.stringify(again.images)}`);
      await assertPublished(world.hosts, revision);
    });

    describe('behind a proxy with faults', { concurrency: 4 }, () => {
      for (const [place, match, kinds] of PLACES) {
        for (const [name, fault] of Object.entries(kinds)) {
          if (!IS_LONG && name !== 'reset in mid-body' && name !== 'wrong bytes') continue;
          test(`${place}: ${name}`, async () => {
            await using stack = new AsyncDisposableStack();
            const folder = await temporaryFolder(afterOf(stack));
            const registry = await startRegistry({ edition });
            stack.defer(() => registry.stop());
            const proxy = await startFaultProxy(registry.host);
            stack.defer(() => proxy.close());
            const world = await startWorld(stack, proxy);
            const revision = await addModel(world.hub, [6 * MIB, 5 * MIB]);
            const added = proxy.faults.add({ match, ...fault });
            const { status, stderr, images } = await startPublish(await world.models(folder), world.hub)
              .ended;
            assert.equal(status, 0, `${stderr}${JSON.stringify(images)}`);
            assert.equal(added.struck, 1);
            await assertPublished([registry.host, ...world.hosts], revision);
          });
        }
      }
    });
  });

/** A Hub, and beside the registry in question an embedded one, which has the base image as well. */
async function startWorld(stack: AsyncDisposableStack, registry: Pick<RealRegistry, 'host'>) {
  const hub = await startHub();
  const other = await startEmbedded();
  putBase(other, 'v0.6.0');
  stack.use(hub);
  stack.use(other);
  const hosts = [registry.host, other.host];
  return {
    hub,
    hosts,
    models: (folder: string) => writeModels(folder, `${other.host}/${BASE_REPOSITORY}:v0.6.0`, hosts),
  };
}

async function smallDisk(stack: AsyncDisposableStack, folder: string, size: string): Promise<void> {
  await runOk('mkdir', [`${folder}/disk`]);
  await runOk('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', `${folder}/disk`]);
  stack.defer(async () => {
    await runOk('umount', ['--lazy', `${folder}/disk`]);
  });
}

function imagePort({ host }: RealRegistry): number {
  return Number(host.split(':')[1]);
}

/** What the helper wants of a test's context; here, what was made last goes first. */
function afterOf(stack: AsyncDisposableStack): { after(work: () => Promise<void>): void } {
  return { after: work => stack.defer(work) };
}
