import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { MIB } from '../../../src/core/units.ts';
import { WEIGHBRIDGE } from '../../support/command.ts';
import { IS_LONG, onlyLong } from '../../support/long.ts';
import { recordTerminal } from '../../support/tmux.ts';
import { requireTool, run, temporaryFolder } from '../../support/tools.ts';
import { World } from '../../support/world.ts';

const skip = requireTool('tmux');
const SHARDS = 5;

/** A model of some shards, and registries slow enough that there is something to see. */
async function slowWorld(t: TestContext, second: { fullAfterBytes?: number } = {}) {
  const world = await World.start({}, { quirks: second });
  t.after(() => world[Symbol.asyncDispose]());
  const shards = Array.from({ length: SHARDS }, (_, index) => [
    `model-0000${index + 1}-of-0000${SHARDS}.safetensors`,
    Buffer.alloc(20 * MIB, index + 1),
  ]);
  await world.hub.addModel({
    id: 'acme/x',
    files: {
      'README.md': '---\nlicense: apache-2.0\n---\n',
      'config.json': '{}',
      ...Object.fromEntries(shards),
    },
  });
  for (const registry of world.registries)
    registry.faults.add({
      match: /^(PATCH|PUT) /,
      kind: 'slow',
      bytesPerSecond: 9 * MIB,
      delayMs: 20,
      times: 1000,
      skip: 1,
    });
  const folder = await temporaryFolder(t);
  const config = path.join(folder, 'models.yaml');
  await writeFile(config, world.config('acme/x'));
  const env = { HF_ENDPOINT: world.hub.url, DOCKER_CONFIG: '/nowhere', HF_TOKEN: '' };
  return { world, command: [WEIGHBRIDGE, 'publish', '-c', config], env };
}

// The narrow window is recorded with WEIGHBRIDGE_LONG=1; unit tests hold it always.
for (const columns of IS_LONG ? [80, 40] : [80]) {
  test(`${columns}×24: two targets, with a bar for each blob in flight and one line at the end`, {
    skip,
  }, async t => {
    const { command, env, world } = await slowWorld(t);
    world.registry(1).faults.add({ match: /^POST /, kind: 'status', status: 503, times: 1 });
    const name = `two-targets-${columns}x24`;
    const { frames, end, status } = await recordTerminal(command, { columns, rows: 24, env, name });
    assert.equal(status, 0, end);
    for (const line of frames.flatMap(frame => frame.split('\n'))) assert.ok(line.length <= columns, line);
    const moving = frames.filter(frame => / [1-9]\d?% /.test(frame));
    assert.ok(moving.length >= 3, `${moving.length} frames with bars`);
    const head =
      columns === 80 ? /^\S x {2}publishing · .*moving/m : /^\S x {2}publishing · [\d.]+ [KM]iB\/s · \d+s$/m;
    assert.ok(
      moving.some(frame => head.test(frame)),
      moving.at(-1),
    );
    if (columns === 80)
      assert.ok(
        moving.some(frame => frame.includes('━')),
        'a bar',
      );
    assert.ok(
      frames.some(frame => frame.includes('retry 1')),
      'the retry is said in passing',
    );
    assert.doesNotMatch(end, /retry 1|%|━/);
    assert.match(end, /^✓ x: 4 published, 20\d MiB uploaded/m);
    assert.equal(end.match(/published {2}r[01] (slim|fat)/g)?.length, 4);
  });
}

test('80×24: one registry is full; the other gets its images, and the error is told once with its remedy', {
  skip: skip || onlyLong,
}, async t => {
  const { command, env } = await slowWorld(t, { fullAfterBytes: 30 * MIB });
  const { end, status } = await recordTerminal(command, {
    columns: 80,
    rows: 24,
    env,
    name: 'failing-registry-80x24',
  });
  assert.equal(status, 1, end);
  assert.match(end, /^✗ x: .*failed/m);
  assert.match(end, /published {2}r0 fat/);
  assert.match(end, /failed {5}r1 fat {2}\[\d\]/);
  assert.match(end, /Free space in the registry/);
});

test('without a terminal: lines with the time of day, each thing once', {
  skip: skip || onlyLong,
}, async t => {
  const { command, env } = await slowWorld(t);
  const [program = '', ...args] = command;
  const { status, stderr } = await run(program, args, { env: { ...env, CI: '', GITHUB_ACTIONS: '' } });
  assert.equal(status, 0, stderr);
  await keepLog('plain-log', stderr);
  const lines = stderr.trimEnd().split('\n');
  for (const line of lines) assert.match(line, /^\d\d:\d\d:\d\d \S/);
  assert.equal(
    lines.filter(line => /model-0000\d-of-00005\.safetensors: uploaded 20 MiB/.test(line)).length,
    SHARDS,
  );
  assert.equal(new Set(lines.map(line => line.slice(9))).size, lines.length);
  assert.ok(!stderr.includes('\u001b'), 'a log has no escape sequences');
});

test('in the log of a GitHub job a model is folded, with its outcome under the fold', {
  skip: skip || onlyLong,
}, async t => {
  const { command, env } = await slowWorld(t);
  const [program = '', ...args] = command;
  const { status, stderr } = await run(program, args, {
    env: { ...env, CI: 'true', GITHUB_ACTIONS: 'true' },
  });
  assert.equal(status, 0, stderr);
  await keepLog('github-log', stderr);
  assert.match(stderr, /^::group::x: publishing\n[\s\S]*^::endgroup::\n\S+ x: 4 published/m);
  assert.equal(stderr.match(/^::group::/gm)?.length, 1);
});

async function keepLog(name: string, text: string): Promise<void> {
  const folder = path.resolve(import.meta.dirname, '../../../build/recordings');
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, `${name}.txt`), text);
}
