import assert from 'node:assert/strict';
import type { FaultRule } from '../../../src/testkit/server/faults.ts';
import { type CaseGroup, withEachLibrary } from './table.ts';
import { FILE_LIST, MIB, NOWHERE, type SlimRun, type SlimWorld, TOTAL_BYTES } from './world.ts';

const LARGE = FILE_LIST.find(({ path }) => path === 'model-1.safetensors');
/** The large file's bytes: what strikes a small one could not show that a download goes on. */
const WEIGHTS = new RegExp(`GET cdn .*${LARGE?.sha256}`);
const ALWAYS = 1000;

/** A Hub that has bad days. */
export const HUB_FAULTS: CaseGroup = {
  title: 'Hub',
  cases: [
    ...withEachLibrary({
      name: 'slow: lines with file, percent, rate and time left',
      async run(world, base) {
        const volume = await world.newVolume();
        const slow = { match: WEIGHTS, kind: 'slow', bytesPerSecond: 5 * MIB } as const;
        const { stderr } = await world.under([slow], () => world.brings(volume, { base }));
        const line = /^weighbridge: (\d+ % \([\d.]+ MB of 45\.3 MB\), [\d.]+ MB\/s, \d+ s left: \S+.*)$/m;
        assert.match(stderr, /^weighbridge: org\/small at [0-9a-f]{12}: fetching 5 of 5 files \(45\.3 MB\)/m);
        assert.match(stderr, line);
        return line.exec(stderr)?.[1] ?? '';
      },
    }),
    ...withEachLibrary({
      name: 'connection cut in a file: goes on where it was',
      isShort: true,
      run: (world, base) => goesOn(world, base, { match: WEIGHTS, kind: 'truncate', afterBytes: 15 * MIB }),
    }),
    ...withEachLibrary({
      name: 'connection reset: goes on where it was',
      run: (world, base) => goesOn(world, base, { match: WEIGHTS, kind: 'reset', afterBytes: 15 * MIB }),
    }),
    ...withEachLibrary({
      name: 'silent in a file (HF_HUB_DOWNLOAD_TIMEOUT=1): goes on',
      run: (world, base) =>
        goesOn(
          world,
          base,
          { match: WEIGHTS, kind: 'stall', afterBytes: 15 * MIB },
          { HF_HUB_DOWNLOAD_TIMEOUT: '1' },
        ),
    }),
    ...withEachLibrary({
      name: 'a byte is wrong once: that file is fetched again',
      run: (world, base) => goesOn(world, base, { match: WEIGHTS, kind: 'corrupt', afterBytes: 5 }),
    }),
    ...withEachLibrary({
      name: 'a byte is wrong each time',
      run: (world, base) =>
        failsUnder(world, base, 15, /does not have the listed size and hash, even when fetched again/, {
          match: WEIGHTS,
          kind: 'corrupt',
          afterBytes: 5,
        }),
    }),
    ...withEachLibrary({
      name: 'a signed link has expired: another is asked for',
      run: (world, base) => goesOn(world, base, { match: /resolve.*model-1/, kind: 'expire-link', times: 1 }),
    }),
    ...withEachLibrary({
      name: '503 twice: tried again',
      run: (world, base) =>
        goesOn(world, base, { match: /resolve.*model-1/, kind: 'status', status: 503, times: 2 }),
    }),
    ...withEachLibrary({
      name: '500 each time',
      run: (world, base) =>
        failsUnder(world, base, 11, /cannot be used for .*: it answers 500/, {
          match: /resolve/,
          kind: 'status',
        }),
    }),
    ...withEachLibrary({
      name: '429 with a short wait: waited for',
      run: (world, base) => {
        const headers = { ratelimit: '"resolvers";r=0;t=2' };
        return goesOn(world, base, { match: /resolve/, kind: 'status', status: 429, headers, times: 1 });
      },
    }),
    ...withEachLibrary({
      name: '429 with a wait of an hour: not waited for',
      run: (world, base) => {
        const headers = { 'retry-after': '3600' };
        const fault = { match: /resolve/, kind: 'status', status: 429, headers } as const;
        return failsUnder(world, base, 12, /refuses more requests for now \(429\); wait/, fault);
      },
    }),
    ...withEachLibrary({
      name: 'a file is gone (404)',
      run: (world, base) => {
        const headers = { 'x-error-code': 'EntryNotFound' };
        const fault = { match: /resolve.*config/, kind: 'status', status: 404, headers } as const;
        return failsUnder(world, base, 10, /config\.json of org\/small at .* is gone from the Hub/, fault);
      },
    }),
    ...withEachLibrary({
      name: 'down, nothing there',
      run: async (world, base) =>
        world.fails(11, /the Hub at http:\/\/127\.0\.0\.1:9 cannot be used for/, await world.newVolume(), {
          base,
          env: { HF_ENDPOINT: NOWHERE },
        }),
    }),
    ...withEachLibrary({
      name: 'down, all there: starts without it',
      async run(world, base) {
        const volume = await world.newFullVolume();
        const { stderr } = await world.brings(volume, { base, env: { HF_ENDPOINT: NOWHERE } });
        return stderr.trim().replace('weighbridge: ', '');
      },
    }),
    {
      name: 'HF_HUB_OFFLINE=1, not all there',
      run: async world => {
        const env = { HF_HUB_OFFLINE: '1' };
        return world.fails(11, /HF_HUB_OFFLINE is set, but/, await world.newVolume(), { env });
      },
    },
  ],
};

/** Struck by the fault, the start still brings the model. */
async function goesOn(
  world: SlimWorld,
  base: string,
  rule: FaultRule,
  env: SlimRun['env'] = {},
): Promise<string> {
  const volume = await world.newVolume();
  const from = world.hub.log.length;
  const fault = world.hub.faults.add(rule);
  try {
    await world.brings(volume, { base, env });
    assert.equal(fault.struck, rule.times ?? 1);
  } finally {
    fault.remove();
  }
  const moved = world.weightRequests(from).reduce((sum, entry) => sum + entry.bytes, 0);
  const ranges = world.weightRequests(from).flatMap(({ range }) => range ?? []);
  const again = moved - 43 * MIB;
  // What the library has read and not yet written is lost with a connection: up to 10 MiB.
  const isBroken = ['truncate', 'reset', 'stall'].includes(rule.kind);
  if (isBroken) assert.ok(ranges.length > 0 && again <= 11 * MIB, `${ranges}, ${again} bytes came twice`);
  const asked = ranges.length > 0 ? `asked for ${ranges.join(', ')}; ` : '';
  return `${asked}${(again / MIB).toFixed(1)} of ${(TOTAL_BYTES / MIB).toFixed(0)} MiB came twice`;
}

async function failsUnder(
  world: SlimWorld,
  base: string,
  status: number,
  line: RegExp,
  rule: FaultRule,
): Promise<string> {
  const volume = await world.newVolume();
  return await world.under([{ ...rule, times: ALWAYS }], () => world.fails(status, line, volume, { base }));
}
