import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { startWeighbridge, weighbridge } from '../support/command.ts';
import { temporaryFolder } from '../support/tools.ts';
import { until } from '../support/until.ts';
import { MODEL_FILES, World } from '../support/world.ts';

test('Ctrl-C in a build says what is done and what is not, as in a publish', async t => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, 'models.yaml'), world.config('acme/x'));
  // The fat image waits for its weights; the slim one has none.
  world.hub.faults.add({ match: ({ origin }) => origin === 'cdn', kind: 'stall', afterBytes: 0, times: 100 });
  const child = startWeighbridge(['build', '-o', 'oci:out'], {
    cwd: folder,
    env: { HF_ENDPOINT: world.hub.url },
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  const output = text(child.stdout);
  const closed = once(child, 'close');
  await until(
    () => world.hub.log.some(({ origin }) => origin === 'cdn') && said.includes('licenses: '),
    child,
  );
  child.kill('SIGINT');
  assert.deepEqual(await closed, [130, null], said);
  assert.match(said, /weighbridge: interrupted\n[\s\S]* not done:\n(.*\n)* {4}oci:out:v0\.6\.0-fat\n/);
  assert.equal(await output, '');
});

test('what a killed build left in the folder is gone after the next one', async t => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, 'models.yaml'), world.config('acme/x'));
  const options = { cwd: folder, env: { HF_ENDPOINT: world.hub.url } };
  for (const [output, place] of [
    ['oci:out', 'out'],
    ['docker-archive:out.tar', '.'],
  ] as const) {
    const args = ['build', '-o', output, '--variant', 'fat'];
    const stall = { match: ({ origin }: { origin?: string }) => origin === 'cdn', kind: 'stall' } as const;
    world.hub.faults.add({ ...stall, afterBytes: 1000, times: 100 });
    const child = startWeighbridge(args, options);
    child.stdout.resume();
    child.stderr.resume();
    const closed = once(child, 'close');
    const leftovers = (): string[] => {
      const names = existsSync(path.join(folder, place)) ? readdirSync(path.join(folder, place)) : [];
      return names.filter(name => name.includes(`${child.pid}-`));
    };
    await until(() => leftovers().length > 0, child);
    child.kill('SIGKILL');
    await closed;
    assert.notDeepEqual(leftovers(), [], output);
    world.hub.faults.clear();
    const { status, stderr } = await weighbridge(args, options);
    assert.equal(status, 0, stderr);
    assert.deepEqual(leftovers(), [], output);
  }
});

test('builds of several processes into one folder keep the tags of each', async t => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const folder = await temporaryFolder(t);
  const names = ['a', 'b', 'c'];
  for (const name of names)
    await writeFile(
      path.join(folder, `${name}.yaml`),
      world.config('acme/x', `    tags: ["${name}-{variant}"]\n`),
    );
  const options = { cwd: folder, env: { HF_ENDPOINT: world.hub.url } };
  const builds = await Promise.all(
    names.map(name => weighbridge(['build', '-c', `${name}.yaml`, '-o', 'oci:out'], options)),
  );
  for (const { status, stderr } of builds) assert.equal(status, 0, stderr);
  const index = JSON.parse(await readFile(path.join(folder, 'out', 'index.json'), 'utf8'));
  assert.equal(index.manifests.length, names.length * 2, JSON.stringify(index));
});
