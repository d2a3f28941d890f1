import assert from 'node:assert/strict';
import { mkdir, open, readFile, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runOk } from '../../support/tools.ts';
import type { RunningContainer } from '../podman.ts';
import { type CaseGroup, withEachLibrary } from './table.ts';
import {
  assertNoHalfFile,
  bytesIn,
  FILE_LIST,
  FILES,
  filesOf,
  ID,
  MIB,
  NOWHERE,
  type SlimWorld,
  TOTAL_BYTES,
  untilBytesIn,
} from './world.ts';

const SLOW = { match: /GET cdn/, kind: 'slow', bytesPerSecond: 12 * MIB, times: 1000 } as const;

/** The volume: killed, shared, full, read-only, used before. */
export const VOLUME: CaseGroup = {
  title: 'volume',
  cases: [
    ...withEachLibrary({
      name: 'kill -9 at many moments: never half a file, and each start goes on',
      run: (world, base) => killedOften(world, base, 15),
    }),
    { name: 'kill -9 at a few moments', isShort: true, run: world => killedOften(world, undefined, 3) },
    ...withEachLibrary({
      name: 'two containers: one fetches, the other waits and says so',
      run: two,
    }),
    { name: 'the one that fetches is killed: the one that waits goes on', run: holderDies },
    {
      name: 'too small: said before anything is fetched',
      isShort: true,
      run: world =>
        world.fails(13, /needs 45\.3 MB more and has 8\.\d MB free; use a larger volume/, undefined, {
          flags: ['--mount', 'type=tmpfs,destination=/models,tmpfs-size=8m'],
        }),
    },
    ...withEachLibrary({ name: 'fills up on the way; goes on when there is room', run: fillsUp }),
    {
      name: 'read-only and empty',
      run: async world => {
        const volumes = [`${await world.newVolume()}:/models:ro`];
        return world.fails(14, /user 0 may not read and write in \/models\/small/, undefined, { volumes });
      },
    },
    {
      name: 'not writable for this user',
      run: async world => {
        const volume = await world.newVolume();
        await mkdir(path.join(volume, 'small'), { mode: 0o755 });
        return world.fails(14, /user 12345 may not read and write in \/models\/small/, volume, {
          user: '12345',
        });
      },
    },
    {
      name: 'read-only and complete: all checks work',
      run: async world => {
        const volume = await world.newFullVolume();
        for (const verify of ['size', 'full', 'off']) {
          const env = { HF_ENDPOINT: NOWHERE, WEIGHBRIDGE_VERIFY: verify };
          const result = await world.run(undefined, { env, volumes: [`${volume}:/models:ro`] });
          assert.equal(result.status, 0, result.stderr);
          assert.deepEqual(filesOf(result), FILE_LIST);
        }
        return 'started with size, full and off';
      },
    },
    ...withEachLibrary({
      name: 'holds another revision: only what changed is fetched',
      run: otherRevision,
    }),
    {
      name: 'holds another model',
      run: async world => {
        const volume = await world.newFullVolume();
        const env = { MODEL_DIR: '/models/small', HF_TOKEN: 'hf_mayReadEverything' };
        return world.fails(16, /\/models\/small holds another model \(org\/small\); set MODEL_DIR/, volume, {
          env,
          model: 'gated',
        });
      },
    },
    {
      name: "the user's folder, all of it right: used as it is",
      run: async world => {
        const volume = await world.newVolume();
        await putModel(volume, { ...FILES, 'notes.txt': Buffer.from('mine') });
        const { stderr } = await world.run(volume, { env: { HF_ENDPOINT: NOWHERE } });
        assert.match(stderr, /"downloadedBytes":0/);
        assert.equal(await readFile(path.join(volume, 'small', 'notes.txt'), 'utf8'), 'mine');
        return 'nothing was fetched, their other files stay';
      },
    },
    {
      name: "the user's folder, a file differs: kept, and said",
      isShort: true,
      run: async world => {
        const volume = await world.newVolume();
        await putModel(volume, { ...FILES, 'config.json': Buffer.from('{"mine":true}') });
        const seen = await world.fails(
          16,
          /config\.json was not put there by this image and is not the file/,
          volume,
        );
        assert.equal(await readFile(path.join(volume, 'small', 'config.json'), 'utf8'), '{"mine":true}');
        return seen;
      },
    },
    {
      name: "the user's folder, some files missing: added",
      run: async world => {
        const volume = await world.newVolume();
        const { 'model-2.safetensors': _, ...some } = FILES;
        await putModel(volume, some);
        const { downloadedBytes } = await world.brings(volume);
        assert.equal(downloadedBytes, 3 * MIB);
        return `${downloadedBytes} bytes were fetched`;
      },
    },
    { name: 'a corrupted file, VERIFY=full: found, mended once', run: corrupted },
    { name: 'a changed or lost file, VERIFY=size: found, mended', run: changed },
    { name: 'VERIFY=off does not look at files', run: notLookedAt },
    {
      name: 'VERIFY=fast',
      run: async world =>
        world.fails(2, /WEIGHBRIDGE_VERIFY is 'fast'; use size, full or off/, await world.newVolume(), {
          env: { WEIGHBRIDGE_VERIFY: 'fast' },
        }),
    },
  ],
};

/** Kills it ever later, so that every phase of a start is met, each time with what the last one left. */
async function killedOften(world: SlimWorld, base: string | undefined, times: number): Promise<string> {
  const volume = await world.newVolume();
  const run = base === undefined ? {} : { base };
  const seen: string[] = [];
  await world.under([{ ...SLOW, bytesPerSecond: 30 * MIB }], async () => {
    for (let round = 0; round < times; round++) {
      const container = await world.start(volume, run);
      const hasCome = untilBytesIn(volume, (round / times) * TOTAL_BYTES);
      await Promise.race([hasCome, container.ended]);
      await sleep((round * 137) % 400);
      await killAtLast(container);
      await assertNoHalfFile(volume);
      seen.push(((await bytesIn(volume)) / MIB).toFixed(0));
    }
  });
  await world.brings(volume, run);
  return `MiB there after each kill: ${seen.join(', ')}; then whole`;
}

/** Tries until it is there to be killed, or has ended by itself. */
async function killAtLast(container: RunningContainer): Promise<void> {
  let hasEnded = false;
  void container.ended.then(() => {
    hasEnded = true;
  });
  const isKilled = () =>
    container.kill('SIGKILL').then(
      () => true,
      () => false,
    );
  while (!hasEnded && !(await isKilled())) await sleep(20);
  await container.ended;
}

async function two(world: SlimWorld, base: string): Promise<string> {
  const volume = await world.newVolume();
  const from = world.hub.log.length;
  const both = await world.under([SLOW], () =>
    Promise.all([world.brings(volume, { base }), world.brings(volume, { base })]),
  );
  const moved = world.weightRequests(from).reduce((sum, entry) => sum + entry.bytes, 0);
  assert.equal(moved, 43 * MIB);
  const waited = /another container is fetching into \/models\/small; waiting for it/;
  assert.equal(both.filter(({ stderr }) => waited.test(stderr)).length, 1);
  return `fetched ${both.map(({ downloadedBytes }) => downloadedBytes).join(' and ')} bytes; "${waited.source.replaceAll('\\', '')}"`;
}

async function holderDies(world: SlimWorld): Promise<string> {
  const volume = await world.newVolume();
  return await world.under([SLOW], async () => {
    const holder = await world.start(volume);
    await untilBytesIn(volume, 10 * MIB);
    const waiting = await world.start(volume);
    await waiting.waitFor(/another container is fetching/);
    await holder.kill('SIGKILL');
    const result = await waiting.ended;
    assert.deepEqual(filesOf(result), FILE_LIST, result.stderr);
    return /of which [\d.]+ MB came earlier/.exec(result.stderr)?.[0] ?? 'went on from nothing';
  });
}

/** A file system of 70 MiB on which others take the room while the model comes. */
async function fillsUp(world: SlimWorld, base: string): Promise<string> {
  const volume = await world.newVolume();
  await runOk('mount', ['-t', 'tmpfs', '-o', 'size=70m,mode=777', 'tmpfs', volume]);
  try {
    const seen = await world.under([SLOW], async () => {
      const filling = untilBytesIn(volume, 12 * MIB).then(() => fill(path.join(volume, 'others')));
      const [line] = await Promise.all([
        world.fails(13, /no space left in \/models\/small; what has come is kept/, volume, { base }),
        filling,
      ]);
      return line;
    });
    await assertNoHalfFile(volume);
    await unlink(path.join(volume, 'others'));
    const { stderr } = await world.brings(volume, { base });
    return `${seen}; then ${/of which [\d.]+ MB came earlier/.exec(stderr)?.[0]}`;
  } finally {
    await runOk('umount', [volume]);
  }
}

async function fill(file: string): Promise<void> {
  const handle = await open(file, 'w');
  try {
    for (;;) await handle.write(Buffer.alloc(MIB));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  } finally {
    await handle.close();
  }
}

async function otherRevision(world: SlimWorld, base: string): Promise<string> {
  const volume = await world.newVolume();
  await world.brings(volume, { base });
  const revision = await world.hub.updateFile(ID, 'config.json', 'changed', `branch-of-${base}`);
  const image = `${world.registry.host}/base/vllm:${base}`;
  const more = `defaults: { base_image: "${image}", tags: ["next-${base}-{variant}"] }`;
  await world.publish(`next-${base}`, more, { id: ID, short: 'small', revision, variant: 'slim' });
  const from = world.hub.log.length;
  const result = await world.run(volume, { image: world.imageOf('small', `next-${base}`) });
  assert.equal(result.status, 0, result.stderr);
  assert.match(result.stderr, /fetching 1 of 5 files/);
  assert.equal(world.weightRequests(from).length, 0);
  assert.equal(await readFile(path.join(volume, 'small', 'config.json'), 'utf8'), 'changed');
  return /org\/small at .*fetching 1 of 5 files[^\n]*/.exec(result.stderr)?.[0] ?? '';
}

async function putModel(volume: string, files: Readonly<Record<string, Buffer>>): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) {
    const file = path.join(volume, 'small', name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }
}

/** Turns a byte and puts the times back, as a disk does that loses a bit. */
async function corruptQuietly(file: string): Promise<void> {
  const { atime, mtimeMs } = await stat(file);
  const handle = await open(file, 'r+');
  await handle.write('!', 1000);
  await handle.close();
  await utimes(file, atime, mtimeMs / 1000);
}

async function corrupted(world: SlimWorld): Promise<string> {
  const volume = await world.newFullVolume();
  await corruptQuietly(path.join(volume, 'small', 'model-2.safetensors'));
  const first = await world.brings(volume, { env: { WEIGHBRIDGE_VERIFY: 'full' } });
  assert.equal(first.downloadedBytes, 3 * MIB);
  assert.match(first.stderr, /model-2\.safetensors has changed since it was verified; fetching it again/);
  const second = await world.brings(volume, { env: { WEIGHBRIDGE_VERIFY: 'full', HF_ENDPOINT: NOWHERE } });
  assert.equal(second.downloadedBytes, 0);
  return `"model-2.safetensors has changed since it was verified; fetching it again", ${first.downloadedBytes} bytes`;
}

async function changed(world: SlimWorld): Promise<string> {
  const volume = await world.newFullVolume();
  await writeFile(path.join(volume, 'small', 'model-2.safetensors'), 'cut off');
  await rm(path.join(volume, 'small', 'config.json'));
  const { downloadedBytes } = await world.brings(volume);
  assert.equal(downloadedBytes, 3 * MIB + FILES['config.json'].length);
  return `${downloadedBytes} bytes were fetched`;
}

async function notLookedAt(world: SlimWorld): Promise<string> {
  const volume = await world.newFullVolume();
  await rm(path.join(volume, 'small', 'model-2.safetensors'));
  const result = await world.run(volume, { env: { WEIGHBRIDGE_VERIFY: 'off', HF_ENDPOINT: NOWHERE } });
  assert.equal(result.status, 0, result.stderr);
  return 'started with a file lost';
}
