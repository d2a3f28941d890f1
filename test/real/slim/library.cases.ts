import assert from 'node:assert/strict';
import type { CaseGroup } from './table.ts';
import {
  argvOf,
  BASES,
  ID,
  NEWEST,
  NOWHERE,
  SERVE_ARGS,
  type SlimWorld,
  TOTAL_BYTES,
  WITHOUT_LIBRARY,
} from './world.ts';

/** The library that the base image has: brings exactly the plan's files, and starts again without the Hub. */
export const LIBRARY: CaseGroup = {
  title: 'huggingface_hub',
  cases: [
    ...Object.keys(BASES)
      .filter(base => base !== WITHOUT_LIBRARY)
      .map(base => ({
        name: nameOf(base),
        ...(base === NEWEST ? { isShort: true as const } : {}),
        run: (world: SlimWorld) => startsTwice(world, base),
      })),
    {
      name: 'none in the base image',
      run: async world =>
        world.fails(17, /cannot import huggingface_hub/, await world.newVolume(), { base: WITHOUT_LIBRARY }),
    },
  ],
};

async function startsTwice(world: SlimWorld, base: string): Promise<string> {
  const volume = await world.newVolume();
  const first = await world.brings(volume, { base, args: ['--max-model-len', '4096'] });
  const name = ['--served-model-name', ID];
  const expected = ['serve', '/models/small', ...name, ...SERVE_ARGS, '--max-model-len', '4096'];
  assert.deepEqual(argvOf(first), expected);
  assert.equal(first.downloadedBytes, TOTAL_BYTES);
  const asked = world.hub.log.length;
  for (const verify of ['size', 'full', 'off']) {
    const env = { HF_ENDPOINT: NOWHERE, WEIGHBRIDGE_VERIFY: verify };
    const again = await world.brings(volume, { base, env, flags: ['--read-only'] });
    assert.equal(again.downloadedBytes, 0);
  }
  assert.equal(world.hub.log.length, asked);
  return `${first.files} files, ${first.downloadedBytes} bytes; then three starts without the Hub`;
}

function nameOf(base: string): string {
  const { huggingfaceHub, hasXet } = BASES[base] ?? {};
  return `${huggingfaceHub}${hasXet === false ? ' without hf_xet' : ''}`;
}
