import assert from 'node:assert/strict';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runOk } from '../../support/tools.ts';
import type { CaseGroup } from './table.ts';
import { MIB, NEWEST, NOWHERE, type SlimWorld } from './world.ts';

const ID = 'org/large';
const SHARDS = 4;
const SHARD_BYTES = 512 * MIB;
const ROUNDS = 3;

/** What a start on a complete volume costs: from the entrypoint's first moment to the server's. */
export const COST: CaseGroup = {
  title: 'cost of a start',
  cases: [{ name: 'a complete volume of 2 GiB, each way to verify', run: measure }],
};

async function measure(world: SlimWorld): Promise<string> {
  const files = Object.fromEntries(
    Array.from({ length: SHARDS }, (_, i) => [`model-${i}.safetensors`, { sizeBytes: SHARD_BYTES, seed: i }]),
  );
  await world.hub.addModel({ id: ID, files });
  const base = `defaults: { base_image: "${world.registry.host}/base/vllm:${NEWEST}" }`;
  await world.publish('large', base, { id: ID, short: 'large', variant: 'slim' });
  const volume = await world.newVolume();
  // In place of vLLM, a clock.
  await writeFile(path.join(volume, 'vllm'), '#!/bin/sh\ndate +%s%N\n');
  await chmod(path.join(volume, 'vllm'), 0o755);
  const env = { PATH: '/models:/usr/local/bin:/usr/bin:/bin' };
  const first = await world.run(volume, { image: world.imageOf('large', NEWEST), env });
  assert.match(first.stderr, new RegExp(`"downloadedBytes":${SHARDS * SHARD_BYTES}`));

  const times = async (command: string, more: Record<string, string>, isCold = false): Promise<string> => {
    const script = `date +%s%N; ${command}`;
    const seconds: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      if (isCold) await forget(path.join(volume, 'large'));
      const result = await world.run(volume, {
        image: world.imageOf('large', NEWEST),
        flags: ['--entrypoint', 'bash'],
        args: ['-c', script],
        env: { ...env, ...more, HF_ENDPOINT: NOWHERE },
      });
      assert.equal(result.status, 0, result.stderr);
      const [began = 0n, ended = 0n] = result.stdout.trim().split('\n').map(BigInt);
      seconds.push(Number(ended - began) / 1e9);
    }
    return (seconds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0).toFixed(2);
  };
  const start = (verify: string, isCold?: boolean) =>
    times('exec /opt/weighbridge/bootstrap', { WEIGHBRIDGE_VERIFY: verify }, isCold);
  return [
    `off ${await start('off')} s`,
    `size ${await start('size')} s`,
    `full ${await start('full')} s (not in memory: ${await start('full', true)} s)`,
    `to compare: python3 by itself ${await times('python3 -c pass; date +%s%N', {})} s`,
    `one pass of its sha256 over the files ${await times(`python3 -c '${ONE_PASS}'; date +%s%N`, {})} s`,
  ].join(', ');
}

const ONE_PASS = `import glob, hashlib
for name in glob.glob("/models/large/*.safetensors"):
  hashlib.file_digest(open(name, "rb"), "sha256")`;

/** Takes the files out of the machine's page cache, as after a reboot or on another node. */
async function forget(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.endsWith('.safetensors')) {
      await runOk('dd', [`if=${path.join(folder, name)}`, 'iflag=nocache', 'count=0', 'status=none']);
    }
  }
}
