import assert from 'node:assert/strict';
import { RESTRICTED } from './start.cases.ts';
import type { CaseGroup } from './table.ts';
import { argvOf, FILE_LIST, filesOf, ID, NEWEST, SERVE_ARGS, type SlimRun, type SlimWorld } from './world.ts';

/** The fat image, which has all it needs. */
export const FAT: CaseGroup = {
  title: 'fat image',
  cases: [
    {
      name: 'restricted: any uid, read-only root, no capabilities, no network',
      isShort: true,
      async run(world) {
        const asked = world.hub.log.length;
        const result = await runFat(world, {
          ...RESTRICTED,
          network: 'none',
          args: ['--max-model-len', '4096'],
        });
        assert.deepEqual(argvOf(result), [
          ...['serve', '/models/small', '--served-model-name', ID, ...SERVE_ARGS],
          ...['--max-model-len', '4096'],
        ]);
        assert.deepEqual(filesOf(result), FILE_LIST);
        assert.equal(world.hub.log.length, asked);
        return `vllm serve /models/small … --max-model-len 4096, all ${FILE_LIST.length} files with their hashes`;
      },
    },
    {
      name: 'root, with a network',
      async run(world) {
        const result = await runFat(world, {});
        assert.deepEqual(filesOf(result), FILE_LIST);
        return 'the same files';
      },
    },
    {
      name: 'its environment: HF_HUB_OFFLINE, no token',
      async run(world) {
        const result = await runFat(world, { network: 'none', flags: ['--entrypoint', 'env'] });
        const lines = result.stdout.split('\n').filter(line => /^(HF_|HUGGING|MODEL_)/.test(line));
        assert.ok(lines.includes('HF_HUB_OFFLINE=1'));
        return lines.sort().join(' ');
      },
    },
  ],
};

async function runFat(world: SlimWorld, run: SlimRun) {
  const env = { VLLM_STAND_IN_EXIT: '1' };
  const image = world.imageOf('small', NEWEST, 'fat');
  const result = await world.podman.run({ image, env, ...run });
  assert.equal(result.status, 0, result.stderr);
  return result;
}
