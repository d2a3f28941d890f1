import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultRule } from '../../../src/testkit/server/faults.ts';
import type { CaseGroup } from './table.ts';
import {
  assertNoHalfFile,
  BASES,
  FILES,
  MIB,
  NEWEST,
  OLDEST,
  type SlimRun,
  type SlimWorld,
  TOTAL_BYTES,
} from './world.ts';

const ID = 'org/in-xet';
const OLD_XET = 'hub-0.34.4';
const WITHOUT_XET = 'hub-2.4.0-no-xet';

/** Files that the Hub keeps in Xet, and the ways they come. */
export const XET: CaseGroup = {
  title: 'Xet',
  cases: [
    {
      name: 'with hf_xet: by Xet',
      run: async world => comesBy(world, 'xet', { base: NEWEST }),
    },
    { name: 'with hf_xet, huggingface_hub 0.34.4', run: world => comesBy(world, 'xet', { base: OLD_XET }) },
    { name: 'without hf_xet: by HTTP', run: world => comesBy(world, 'cdn', { base: WITHOUT_XET }) },
    { name: 'huggingface_hub 0.23.0: by HTTP', run: world => comesBy(world, 'cdn', { base: OLDEST }) },
    {
      name: 'HF_HUB_DISABLE_XET=1: by HTTP',
      run: world => comesBy(world, 'cdn', { base: NEWEST, env: { HF_HUB_DISABLE_XET: '1' } }),
    },
    ...[NEWEST, OLD_XET].flatMap(base => [
      {
        name: `the storage answers 403 (${BASES[base]?.huggingfaceHub}): HTTP takes over`,
        run: async (world: SlimWorld) => takesOver(world, base, { kind: 'status', status: 403 }),
      },
      {
        name: `the storage answers 500 (${BASES[base]?.huggingfaceHub}): HTTP takes over`,
        run: async (world: SlimWorld) => takesOver(world, base, { kind: 'status', status: 500 }),
      },
      {
        name: `the storage hangs up (${BASES[base]?.huggingfaceHub}): HTTP takes over`,
        run: async (world: SlimWorld) => takesOver(world, base, { kind: 'reset' }),
      },
      {
        name: `a wrong byte (${BASES[base]?.huggingfaceHub}): fetched again`,
        async run(world: SlimWorld) {
          const rule = { match: /GET xet .*xorbs/, kind: 'corrupt', afterBytes: 5000 } as const;
          return await world.under([rule], () => comesBy(world, 'xet', { base }));
        },
      },
    ]),
    { name: 'kill -9 in the middle: never half a file; the next start goes on by HTTP', run: killed },
    { name: 'SIGTERM in the middle: ends within two seconds', run: terminated },
  ],
};

async function comesBy(
  world: SlimWorld,
  origin: 'xet' | 'cdn',
  run: SlimRun & { base: string },
): Promise<string> {
  const image = await imageOn(world, run.base);
  const from = world.hub.log.length;
  const { stderr, downloadedBytes } = await world.brings(await world.newVolume(), { ...run, image });
  assert.equal(downloadedBytes, TOTAL_BYTES);
  assert.doesNotMatch(stderr, /does not come by Xet/);
  const moved = (name: string) =>
    world.hub.log
      .slice(from)
      .filter(entry => entry.origin === name && entry.method === 'GET')
      .reduce((sum, entry) => sum + entry.bytes, 0);
  const other = origin === 'xet' ? 'cdn' : 'xet';
  assert.ok(
    moved(origin) >= 43 * MIB && moved(other) === 0,
    `${moved('xet')} by Xet, ${moved('cdn')} by HTTP`,
  );
  return `${(moved(origin) / MIB).toFixed(1)} MiB from ${origin === 'xet' ? 'the Xet storage' : 'the CDN'}`;
}

async function takesOver(world: SlimWorld, base: string, fault: Omit<FaultRule, 'match'>): Promise<string> {
  const image = await imageOn(world, base);
  const rule = { match: /GET xet/, times: 1000, ...fault };
  const { stderr, seconds } = await world.under([rule], async () =>
    world.brings(await world.newVolume(), { base, image }),
  );
  const line = /weighbridge: (\S+ does not come by Xet .*going on by HTTP)/.exec(stderr)?.[1];
  assert.ok(line, stderr);
  return `${line}; ${seconds} s`;
}

async function killed(world: SlimWorld): Promise<string> {
  const image = await imageOn(world, NEWEST);
  const volume = await world.newVolume();
  await withSlowXet(world, async () => {
    const container = await world.start(volume, { image });
    await untilXetMoves(world);
    await container.kill('SIGKILL');
    await container.ended;
  });
  await assertNoHalfFile(volume, 'in-xet');
  const from = world.hub.log.length;
  const { downloadedBytes, stderr } = await world.brings(volume, { image });
  assert.match(stderr, /a download by Xet was interrupted, which starts anew; going on by HTTP/);
  assert.ok(!world.hub.log.slice(from).some(({ origin }) => origin === 'xet'));
  return `then ${downloadedBytes} of ${TOTAL_BYTES} bytes were fetched, by HTTP`;
}

async function terminated(world: SlimWorld): Promise<string> {
  const image = await imageOn(world, NEWEST);
  return await withSlowXet(world, async () => {
    const container = await world.start(await world.newVolume(), { image });
    await untilXetMoves(world);
    const began = performance.now();
    await container.kill('SIGTERM');
    const { status } = await container.ended;
    const ms = Math.round(performance.now() - began);
    assert.equal(status, 143);
    return `status 143 after ${ms} ms`;
  });
}

async function withSlowXet<T>(world: SlimWorld, work: () => Promise<T>): Promise<T> {
  return await world.under(
    [{ match: /GET xet .*xorbs/, kind: 'slow', bytesPerSecond: 4 * MIB, times: 1000 }],
    work,
  );
}

async function untilXetMoves(world: SlimWorld): Promise<void> {
  const from = world.hub.log.length;
  const hasMoved = () =>
    world.hub.log.slice(from).some(({ origin, bytes }) => origin === 'xet' && bytes > MIB);
  for (let attempt = 0; attempt < 1500 && !hasMoved(); attempt++) await sleep(20);
  assert.ok(hasMoved(), 'nothing came by Xet');
}

/** The image of the model on this base; published on first use. */
async function imageOn(world: SlimWorld, base: string): Promise<string> {
  await world.hub.addModel({ id: ID, isXet: true, files: FILES });
  const defaults = `defaults: { base_image: "${world.registry.host}/base/vllm:${base}" }`;
  await world.publish(`xet-${base}`, defaults, { id: ID, short: 'in-xet', variant: 'slim' });
  return world.imageOf('in-xet', base);
}
